"""Looking again and again, at real files, locks and sockets."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from agent.desk.listing import Status, status
from agent.desk.top import ledger
from agent.desk.top import watch as watching
from agent.desk.top.ledger import LOOK_S, READ_S
from agent.desk.top.values import Picture, View
from agent.desk.top.watch import KNOWN_S, Watch, open_watch
from agent.desk.where import Where
from agent.errors import ObserveError, PolicyError
from agent.model.ban import Ban
from agent.model.inputs import Permit
from agent.policy import load_policy
from agent.record.locks import Agent, agent_lock
from agent.record.sqlite.ledger import open_ledger
from agent.record.texts import Text, keep_texts
from agent.service import clock
from tests.builders import NOW, ban

TEXT = """\
version: 1
services:
  door: {{ports: [{port}]}}
rules:
  - {{name: door-connections, service: door, count: connections, above: {limit}}}
"""


@dataclass(slots=True)
class Desk:
    """A state directory, a policy, and a clock that stands until it is moved."""

    root: Path
    second: float = 0.0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("", 0)))

    @property
    def folder(self) -> Path:
        return self.root / "state"

    @property
    def port(self) -> int:
        number: int = self.listener.getsockname()[1]
        return number

    def write(self, limit: int) -> Path:
        path = self.root / "policy.yaml"
        path.write_text(TEXT.format(port=self.port, limit=limit))
        return path

    def where(self, *paths: Path) -> Where:
        return Where(
            folder=self.folder,
            paths=tuple(map(str, paths)),
            firewall=None,
            now=NOW,
            stopwatch=lambda: self.second,
            boot_id=clock.boot_id(),
        )

    def look(self, watch: Watch, after_s: float = 0.0) -> Picture:
        self.second += after_s
        return watch.look(View(service=f"port {self.port}"), NOW + timedelta(seconds=self.second))

    def keep(self, *bans: Ban, permits: tuple[Permit, ...] = ()) -> None:
        """Write to the ledger, as an agent or a command does."""
        kept = open_ledger(
            self.folder,
            boot_id=clock.boot_id(),
            stopwatch=lambda: self.second,
            now=NOW + timedelta(seconds=self.second),
        )
        kept.intend(bans)
        kept.settle(bans, ())
        if permits:
            kept.permit(*permits)
        assert kept.trouble() is None

    @contextmanager
    def agent(self, limit: int) -> Iterator[None]:
        """Be an agent with a policy of that limit."""
        path = self.write(limit)
        policy = load_policy([str(path)])
        with agent_lock(self.folder, self.root / "run") as lock:
            text = Text(file=str(path), folder=str(self.root), text=path.read_text())
            keep_texts(self.folder, [text])
            lock.tell(
                Agent(
                    pid=7,
                    version="0.1.0",
                    firewall="nftables",
                    policies=(str(path),),
                    policy_sha256=policy.sha256,
                )
            )
            yield


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with found.listener:
        yield found


@contextmanager
def client(desk: Desk) -> Iterator[None]:
    with socket.create_connection(("127.0.0.1", desk.port)):
        yield


def test_a_client_is_told_with_who_he_is_by_the_policy_that_was_named(desk: Desk) -> None:
    watch = open_watch(desk.where(desk.write(3)))
    with client(desk):
        (row,) = desk.look(watch).rows

    assert (str(row.source), row.sockets, dict(row.services)) == ("127.0.0.1", 1, {"door": 1})
    # This machine itself is guarded.
    assert (row.is_spared, row.nearest, row.who) == (True, None, "loopback")
    assert desk.look(watch).services[0] == "door"


def test_a_wrong_policy_that_was_named_is_an_error_at_once(desk: Desk) -> None:
    path = desk.write(3)
    path.write_text("version: 1\n")
    with pytest.raises(PolicyError):
        open_watch(desk.where(path))


def test_without_any_state_nothing_is_in_force(desk: Desk) -> None:
    found = desk.look(open_watch(desk.where()))
    assert (found.bans, found.agent, found.unread) == ((), None, {})


def test_what_others_write_to_the_ledger_is_seen_soon_and_what_ends_is_gone(desk: Desk) -> None:
    desk.keep(ban())
    watch = open_watch(desk.where())
    first = desk.look(watch)
    assert first.bans is not None
    assert [one.ban_id for one in first.bans] == ["b1"]

    desk.keep(ban("192.0.2.11/32", ban_id="b2", lasts=timedelta(minutes=20)))
    assert desk.look(watch).bans == first.bans
    later = desk.look(watch, LOOK_S)
    assert later.bans is not None
    assert [one.ban_id for one in later.bans] == ["b2", "b1"]

    last = desk.look(watch, 601)
    assert last.bans is not None
    assert [one.ban_id for one in last.bans] == ["b2"]


def test_a_ledger_that_nobody_writes_to_is_seldom_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.keep(ban())
    watch = open_watch(desk.where())
    desk.look(watch)

    def refuse(where: Where) -> object:
        raise AssertionError(f"read at {where.now}")

    monkeypatch.setattr("agent.desk.top.ledger.status", refuse)
    for _ in range(5):
        desk.look(watch, LOOK_S)
    with pytest.raises(AssertionError, match="read at"):
        desk.look(watch, READ_S)


def test_a_look_does_not_wait_for_a_ledger_that_takes_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.keep(ban())
    watch = open_watch(desk.where())
    first = desk.look(watch)
    gate = threading.Event()

    def slow(where: Where) -> Status:
        assert gate.wait(30)
        return status(where)

    monkeypatch.setattr(ledger, "WAIT_S", 0.001)
    monkeypatch.setattr(ledger, "status", slow)
    desk.keep(ban("192.0.2.11/32", ban_id="b2"))
    assert desk.look(watch, LOOK_S).bans == first.bans
    gate.set()
    monkeypatch.setattr(ledger, "WAIT_S", 30.0)
    assert len(desk.look(watch).bans or ()) == 2


def test_what_goes_wrong_beside_a_look_is_not_hidden(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Where) -> Status:
        raise ZeroDivisionError

    monkeypatch.setattr(ledger, "status", broken)
    with pytest.raises(ZeroDivisionError):
        desk.look(open_watch(desk.where()))


def test_a_damaged_ledger_is_told_with_its_reason_and_comes_back(desk: Desk) -> None:
    desk.keep(ban())
    path = desk.folder / "ledger.db"
    aside = path.rename(desk.folder / "aside")
    path.write_bytes(b"no ledger" * 500)
    watch = open_watch(desk.where())
    found = desk.look(watch)
    assert found.bans is None
    assert str(path) in found.unread["state"]

    aside.replace(path)
    found = desk.look(watch, LOOK_S)
    assert (found.unread, len(found.bans or ())) == ({}, 1)


def test_another_policy_of_the_agent_is_noticed(desk: Desk) -> None:
    with desk.agent(10):
        watch = open_watch(desk.where())
        assert watch.policy
        assert [rule.limit for rule in watch.policy.rules] == [10]
        found = desk.look(watch)
        assert found.agent
        assert found.agent.pid == 7

    with desk.agent(20):
        desk.look(watch)
        assert watch.policy
        assert [rule.limit for rule in watch.policy.rules] == [20]


def test_a_policy_that_does_not_fit_the_agents_leaves_the_last_one(desk: Desk) -> None:
    with desk.agent(10):
        watch = open_watch(desk.where())
    with desk.agent(20):
        desk.write(30)
        keep_texts(desk.folder, [])
        found = desk.look(watch)
        assert "runs with another policy" in found.unread["policy"]
        assert watch.policy
        assert [rule.limit for rule in watch.policy.rules] == [10]

        desk.write(20)
        assert "policy" not in desk.look(watch, KNOWN_S).unread
        assert watch.policy
        assert [rule.limit for rule in watch.policy.rules] == [20]


def test_a_permit_counts_as_soon_as_it_is_read(desk: Desk) -> None:
    watch = open_watch(desk.where(desk.write(3)))
    desk.look(watch)
    permit = Permit(
        prefix=ban("127.0.0.1/32").source.prefix, until=NOW + timedelta(hours=1), why="allowed"
    )
    desk.keep(permits=(permit,))
    with client(desk):
        (row,) = desk.look(watch, LOOK_S).rows
    assert "allowed until" in row.who


def test_sockets_that_cannot_be_read_are_told_and_the_rest_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.keep(ban())
    watch = open_watch(desk.where())

    def refuse(_: object) -> object:
        raise ObserveError("the kernel says nothing")

    with monkeypatch.context() as patch:
        patch.setattr(watching, "read_sample", refuse)
        found = desk.look(watch)
    assert found.unread == {"sockets": "the kernel says nothing"}
    assert (found.sockets, found.rows, len(found.bans or ())) == (0, (), 1)
    assert desk.look(watch).unread == {}


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_collector_is_left_as_it_was(desk: Desk, *, was_enabled: bool) -> None:
    watch = open_watch(desk.where())
    before = gc.isenabled()
    (gc.enable if was_enabled else gc.disable)()
    try:
        desk.look(watch)
        assert gc.isenabled() is was_enabled
    finally:
        (gc.enable if before else gc.disable)()
