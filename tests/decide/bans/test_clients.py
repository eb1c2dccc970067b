from datetime import timedelta

from agent.decide.bans import clients as module
from agent.decide.bans.clients import KNOWN_AFTER, REMEMBERED_AT_MOST, clients_after, known, present
from agent.model.address import AF_INET
from agent.model.learned import Clients
from agent.model.sample import State
from tests.builders import NOW, tally

ONE = bytes([192, 0, 2, 1])
TWO = bytes([192, 0, 2, 2])


def looked(times: int, *addresses: str, before: Clients | None = None) -> Clients:
    clients = before or {}
    for _ in range(times):
        counts = tally(dict.fromkeys(addresses, 1))
        clients = clients_after(clients, counts, NOW, above=(), banned=())
    return clients


def test_who_stays_becomes_known() -> None:
    assert known(looked(KNOWN_AFTER - 1, "192.0.2.1"), [ONE]) == frozenset()
    assert known(looked(KNOWN_AFTER, "192.0.2.1"), [ONE, TWO]) == {ONE}


def test_who_comes_and_goes_becomes_known_too() -> None:
    clients = looked(KNOWN_AFTER // 2, "192.0.2.1")
    clients = looked(5, before=clients)

    assert known(looked(KNOWN_AFTER // 2, "192.0.2.1", before=clients), [ONE]) == {ONE}


def test_a_look_above_a_limit_does_not_count() -> None:
    counts, clients = tally({"192.0.2.1": 300}), looked(KNOWN_AFTER - 1, "192.0.2.1")

    after = clients_after(clients, counts, NOW, above={ONE}, banned=())

    assert after == clients


def test_who_is_banned_is_forgotten() -> None:
    clients = looked(KNOWN_AFTER, "192.0.2.1", "192.0.2.2")

    after = clients_after(clients, tally({"192.0.2.1": 1}), NOW, above=(), banned={ONE})

    assert after.keys() == {TWO}


def test_who_was_away_for_a_week_is_forgotten() -> None:
    clients, week = looked(KNOWN_AFTER, "192.0.2.1"), timedelta(days=7)

    assert clients_after(clients, tally({}), NOW + week, above=(), banned=()) == clients
    later = NOW + week + timedelta(seconds=1)
    assert clients_after(clients, tally({}), later, above=(), banned=()) == {}


def test_a_clock_that_jumps_makes_nobody_known_and_forgets_nobody() -> None:
    clients = looked(1, "192.0.2.1")
    for hours in (5, -5, 40):
        at = NOW + timedelta(hours=hours)
        clients = clients_after(clients, tally({"192.0.2.1": 1}), at, above=(), banned=())

    assert known(clients, [ONE]) == frozenset()
    assert ONE in clients


def test_a_clock_that_jumps_by_weeks_makes_strangers_of_nobody_who_is_here() -> None:
    """Else the breaker would guard nobody for the next five minutes."""
    clients, later = looked(KNOWN_AFTER, "192.0.2.1", "192.0.2.2"), NOW + timedelta(weeks=5)

    after = clients_after(clients, tally({"192.0.2.1": 1}), later, above=(), banned=())

    assert known(after, [ONE, TWO]) == {ONE}


def test_only_established_ones_are_there() -> None:
    counts = tally({"192.0.2.1": 1}) + tally({"192.0.2.2": 9}, state=State.SYN_RECV)

    assert present(counts) == {ONE}


def test_an_ipv6_line_is_one_client() -> None:
    assert len(present(tally({"2001:db8::1": 1, "2001:db8::2": 1, "2001:db8:0:1::1": 1}))) == 2


def test_a_crowd_of_short_visits_pushes_nobody_out_who_stayed() -> None:
    clients = looked(KNOWN_AFTER, "192.0.2.1")
    for wave in range(3):
        crowd = {
            (AF_INET, 1, 80, bytes([10 + wave, *number.to_bytes(3)]).ljust(20, b"\0")): 1
            for number in range(40_000)
        }
        clients = clients_after(clients, crowd, NOW, above=(), banned=())

    assert len(clients) <= REMEMBERED_AT_MOST
    assert known(clients, [ONE]) == {ONE}


def test_the_same_pair_stands_for_all_who_came_together() -> None:
    clients = looked(3, "192.0.2.1", "192.0.2.2")

    assert clients[ONE] is clients[TWO]


def test_looks_are_bounded() -> None:
    most = {ONE: (module.KNOWN_AFTER * 1000 + 1, int(NOW.timestamp()))}
    after = clients_after(most, tally({"192.0.2.1": 1}), NOW, above=(), banned=())

    assert after[ONE][0] == module.KNOWN_AFTER * 1000 + 1
