"""Questions over real sockets, to servers of every kind of manners."""

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Any

import pytest

from agent.identify.exchange import MOST_OPEN, MOST_SLOW, MOST_STRAYS, MOST_TRIES, Exchange
from agent.identify.question import Answer, Kind, Question
from tests.identify.name_server import (
    Behaviour,
    NameServer,
    answers,
    changed,
    dead,
    failing,
    name_server,
    slow,
    truncated,
)

ZONE = {("a.example", "A"): ["192.0.2.7"]}
A = Question("a.example", Kind.A)
TRUE = answers(ZONE)


@dataclass(slots=True)
class Asking:
    """An exchange with one server, and what it told."""

    port: int
    servers: Sequence[str] = ("127.0.0.1",)
    told: list[Answer | None] = field(default_factory=list)
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        servers = tuple(map(ip_address, self.servers))
        self.exchange = Exchange(lambda: servers, time.monotonic, self.port)

    def ask(self, *, within_s: float = 0.3) -> Answer | None:
        """Ask once, and give what is told."""
        self.exchange.ask(A, time.monotonic() + within_s, self.told.append)
        self.run(len(self.told) + 1, within_s + 2.0)
        return self.told[-1]

    def run(self, until: int, most_s: float) -> None:
        """Take turns until so much is told."""
        end = time.monotonic() + most_s
        while len(self.told) < until and time.monotonic() < end:
            self.exchange.turn(0.1)
        assert len(self.told) >= until


@pytest.fixture
def server() -> Iterator[NameServer]:
    with name_server(TRUE) as made:
        yield made


@pytest.fixture
def asking(server: NameServer) -> Iterator[Asking]:
    made = Asking(server.port)
    yield made
    made.exchange.close()


def address_of(answer: Answer | None) -> str:
    assert answer is not None
    return str(answer.addresses[0])


def test_an_answer_is_told(asking: Asking) -> None:
    assert address_of(asking.ask()) == "192.0.2.7"
    assert asking.exchange.heard_at > time.monotonic() - 5


def test_each_question_has_a_port_and_an_id_of_its_own(server: NameServer, asking: Asking) -> None:
    numbers: list[bytes] = []

    def note(query: bytes) -> Iterable[bytes]:
        numbers.append(query[:2])
        return TRUE(query)

    server.behaviour = note
    for _ in range(8):
        asking.ask()

    assert len(set(numbers)) > 4
    assert len(set(server.ports)) > 4


def test_a_dead_server_is_asked_again_and_then_given_up(server: NameServer, asking: Asking) -> None:
    server.behaviour = dead

    assert asking.ask(within_s=1.2) is None
    assert len(server.asked) == MOST_TRIES
    assert asking.exchange.heard_at == float("-inf")


def test_an_answer_that_comes_late_is_taken(server: NameServer, asking: Asking) -> None:
    server.behaviour = slow(TRUE, 0.6)

    assert address_of(asking.ask(within_s=1.5)) == "192.0.2.7"


def test_an_answer_that_waited_unread_is_heard_before_it_is_given_up(asking: Asking) -> None:
    asking.exchange.ask(A, time.monotonic() + 0.1, asking.told.append)
    time.sleep(0.3)

    asking.run(1, 1.0)

    assert address_of(asking.told[0]) == "192.0.2.7"


@pytest.mark.parametrize("behaviour", [failing, truncated])
def test_a_server_that_refuses_is_not_waited_for(
    server: NameServer, asking: Asking, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour
    start = time.monotonic()

    assert asking.ask(within_s=5.0) is None
    assert time.monotonic() - start < 2.0
    assert len(server.asked) == 1


def test_after_a_server_that_refuses_or_is_not_there_the_next_is_asked() -> None:
    with name_server(TRUE) as good:
        bad = NameServer(failing, "127.0.0.2", good.port)
        for first in ("127.0.0.2", "127.0.0.3"):
            asking = Asking(good.port, (first, "127.0.0.1"))
            assert address_of(asking.ask(within_s=5.0)) == "192.0.2.7"
            asking.exchange.close()
        bad.close()


def test_without_a_way_to_any_server_it_is_given_up_at_once() -> None:
    asking = Asking(53, ("fe80::1%nowhere",))

    assert asking.ask(within_s=5.0) is None
    asking.exchange.close()


def wrong_id(answer: bytes) -> bytes:
    return bytes([answer[0] ^ 0xFF]) + answer[1:]


def wrong_name(answer: bytes) -> bytes:
    return answer.replace(b"example", b"exemple")


@pytest.mark.parametrize("lie", [wrong_id, wrong_name])
def test_a_lie_is_left_aside_and_the_truth_behind_it_is_taken(
    server: NameServer, asking: Asking, lie: Behaviour
) -> None:
    lies = changed(TRUE, lie)  # type: ignore[arg-type] # a change of one datagram
    server.behaviour = lambda query: [*lies(query), *TRUE(query)]

    assert address_of(asking.ask()) == "192.0.2.7"


def test_whoever_sends_nothing_but_lies_is_heard_no_longer(
    server: NameServer, asking: Asking
) -> None:
    lies = changed(TRUE, wrong_id)
    server.behaviour = lambda query: [*lies(query)] * (MOST_STRAYS + 1) + [*TRUE(query)]
    start = time.monotonic()

    assert asking.ask(within_s=5.0) is None
    assert time.monotonic() - start < 2.0


def test_strays_keep_no_answer_of_others_unread(server: NameServer, asking: Asking) -> None:
    lies = changed(TRUE, wrong_id)
    strayed: list[Answer | None] = []
    server.behaviour = lambda query: [*lies(query)] * MOST_STRAYS
    for _ in range(MOST_OPEN - 1):
        asking.exchange.ask(A, time.monotonic() + 5.0, strayed.append)
    while len(server.asked) < MOST_OPEN - 1:
        time.sleep(0.01)
    server.behaviour = TRUE
    asking.exchange.ask(A, time.monotonic() + 5.0, asking.told.append)
    while len(server.asked) < MOST_OPEN:
        time.sleep(0.01)

    turns = 0
    while not asking.told and turns < 1000:
        asking.exchange.turn(0.1)
        turns += 1

    assert address_of(asking.told[0]) == "192.0.2.7"
    assert turns < MOST_OPEN // 2


def test_an_answer_from_another_address_is_not_heard(server: NameServer, asking: Asking) -> None:
    peers: list[tuple[str, int]] = []
    server.behaviour = dead
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    forger.bind(("127.0.0.9", 0))
    asking.exchange.ask(A, time.monotonic() + 0.3, asking.told.append)
    peers.extend(link.getsockname() for link in links(asking.exchange))
    query = queries(asking.exchange)[0]
    for answer in TRUE(query):
        forger.sendto(answer, peers[0])
    forger.close()

    asking.run(1, 2.0)

    assert asking.told == [None]


def is_full(asking: Asking) -> bool:
    return asking.exchange.is_full


def links(exchange: Exchange) -> list[socket.socket]:
    return [link for asked in under_way(exchange) for link in asked.links.values()]


def under_way(exchange: Exchange) -> list[Any]:
    return [*exchange._open, *exchange._slow]  # noqa: SLF001


def queries(exchange: Exchange) -> list[bytes]:
    return [asked.wire for asked in exchange._open]  # noqa: SLF001


def test_no_more_than_so_many_questions_are_under_way(server: NameServer, asking: Asking) -> None:
    server.behaviour = dead
    end = time.monotonic() + 0.2
    for _ in range(MOST_OPEN + 20):
        asking.exchange.ask(A, end, asking.told.append)
    assert is_full(asking)
    assert len(links(asking.exchange)) == MOST_OPEN
    server.behaviour = TRUE

    asking.run(MOST_OPEN + 20, 10.0)

    assert not is_full(asking)
    assert links(asking.exchange) == []


def test_who_is_not_answered_leaves_his_place_and_waits_on(
    server: NameServer, asking: Asking
) -> None:
    silent: list[Answer | None] = []
    late: list[Answer | None] = []
    server.behaviour = dead
    deadline = time.monotonic() + 1.6
    for _ in range(MOST_OPEN):
        asking.exchange.ask(A, deadline, silent.append)
    start = time.monotonic()
    asking.exchange.ask(A, deadline, late.append)
    while is_full(asking) and time.monotonic() < deadline:
        asking.exchange.turn(0.1)
    server.behaviour = TRUE
    while not late and time.monotonic() < deadline:
        asking.exchange.turn(0.1)

    assert late[0] is not None
    assert time.monotonic() - start < 1.2
    asking.told = silent
    asking.run(MOST_OPEN, 3.0)
    assert address_of(silent[0]) == "192.0.2.7"  # by its third try


def test_of_those_who_wait_on_the_oldest_is_given_up(server: NameServer, asking: Asking) -> None:
    server.behaviour = dead
    numbers: list[int] = []
    deadline = time.monotonic() + 10.0

    def told(number: int, _answer: Answer | None) -> None:
        numbers.append(number)

    for number in range(MOST_OPEN * 4):
        asking.exchange.ask(A, deadline, partial(told, number))
    while len(numbers) < MOST_OPEN and time.monotonic() < deadline:
        asking.exchange.turn(0.1)

    assert time.monotonic() < deadline - 6.0
    assert numbers == list(range(MOST_OPEN))
    assert len(links(asking.exchange)) <= MOST_OPEN + MOST_SLOW


def test_a_turn_ends_when_somebody_wakes_it(asking: Asking) -> None:
    ours, theirs = socket.socketpair()
    asking.exchange.wake_by(ours.fileno())
    assert asking.exchange.turn(0.0) is False
    theirs.send(b"x")

    assert asking.exchange.turn(5.0) is True
    ours.close()
    theirs.close()
