"""The cycle, with fakes at the ports only."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from agent.act.dry_run import DryRun
from agent.errors import FirewallError, ObserveError
from agent.identify.interface import Nobody
from agent.loop import Loop
from agent.model.address import Address
from agent.model.ban import Ban, Installed
from agent.model.inputs import Surroundings
from agent.model.learned import Learned
from agent.model.plan import Plan
from agent.model.policy import Sustained
from agent.model.sample import Sample
from agent.ports import Ports
from agent.record.events import Event
from agent.record.ledger import End, MemoryLedger, News
from tests.builders import NOW, ban, entry, guards, policy, rule, sample, tally


@dataclass(slots=True)
class Sockets:
    """A socket reader that sees what it is told to see."""

    counts: dict[str, int] = field(default_factory=dict)
    error: ObserveError | None = None
    name: str = "fake"

    def read(self, now: datetime) -> Sample:
        if self.error:
            raise self.error
        return replace(sample(tally(self.counts)), taken_at=now)


class Failing(DryRun):
    """A firewall that does half of what it is told, then fails."""

    def apply(self, plan: Plan, now: datetime) -> None:
        super().apply(replace(plan, add=plan.add[:1]), now)
        if plan.add:
            raise FirewallError("the set is full")


class Lying(DryRun):
    """A firewall that says yes and does nothing."""

    def apply(self, plan: Plan, now: datetime) -> None:
        super().apply(replace(plan, add=()), now)


class Stubborn(DryRun):
    """A firewall that says yes and lifts nothing."""

    def apply(self, plan: Plan, now: datetime) -> None:
        super().apply(replace(plan, lift=()), now)


class Gone(DryRun):
    """A firewall that breaks while it acts, and can't be read any more."""

    broken = False

    def apply(self, plan: Plan, now: datetime) -> None:
        super().apply(replace(plan, add=()), now)
        self.broken = bool(plan.add)
        if self.broken:
            raise FirewallError("no such command")

    def installed(self, now: datetime) -> Installed:
        if self.broken:
            raise FirewallError("can't be read")
        return super().installed(now)


@dataclass(slots=True)
class Identities(Nobody):
    """An identifier that notes what it is asked, and has trouble when told to."""

    asked: list[Sequence[Address]] = field(default_factory=list)
    reason: str | None = None

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:  # noqa: ARG002
        self.asked.append(addresses)

    def trouble(self) -> str | None:
        return self.reason


@dataclass(slots=True)
class Desk:
    """A loop and what it wrote."""

    sockets: Sockets = field(default_factory=Sockets)
    surroundings: Surroundings = field(default_factory=Surroundings)
    written: list[tuple[Event, int]] = field(default_factory=list)
    kept: list[Learned] = field(default_factory=list)
    identities: Identities = field(default_factory=Identities)
    seconds: float = 0.0

    def run(self, loop: Loop, now: datetime) -> None:
        """Run a cycle at a moment, to which the stopwatch has run as well."""
        self.seconds = (now - NOW).total_seconds()
        loop.cycle(now)

    def loop(self, firewall: DryRun | None = None) -> Loop:
        ports = Ports(
            sockets=self.sockets,
            counters=dict,
            surroundings=lambda _administrators: self.surroundings,
            firewall=firewall or DryRun(),
            ledger=MemoryLedger(),
            write=lambda event, _at, cycle: self.written.append((event, cycle)),
            stopwatch=lambda: self.seconds,
            identify=self.identities,
            keep=self.kept.append,
        )
        return Loop(ports, policy())

    def names(self) -> list[str]:
        return [event.name for event, _ in self.written]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_intent_is_recorded_before_the_outcome(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}

    desk.loop().cycle(NOW)

    assert desk.names() == [
        "source.over_limit",
        "ban.planned",
        "ban.would_apply",
        "cycle.completed",
    ]


def test_cycles_are_numbered(desk: Desk) -> None:
    loop = desk.loop()
    loop.cycle(NOW)
    loop.cycle(NOW)

    assert [cycle for _, cycle in desk.written] == [1, 2]


def test_the_ledger_knows_of_a_ban_before_the_firewall(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    calls: list[str] = []

    class Watching(DryRun):
        def apply(self, plan: Plan, now: datetime) -> None:
            calls.append("apply")
            super().apply(plan, now)

    class Ledger(MemoryLedger):
        def intend(self, bans: Sequence[Ban]) -> None:
            calls.append("intend")
            super().intend(bans)

    loop = desk.loop(Watching())
    loop.ports = replace(loop.ports, ledger=Ledger())
    loop.cycle(NOW)
    loop.cycle(NOW)

    assert calls == ["intend", "apply"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (End.EXPIRED, ("ban.expired", ban().reasons)),
        (End.LIFTED, ("ban.lifted", ["by hand"])),
        (End.FORGIVEN, ("ban.lifted", ["by hand"])),
    ],
)
def test_an_end_that_a_command_recorded_is_told_as_what_it_was(
    desk: Desk, how: End, told: tuple[str, object]
) -> None:
    class Shared(MemoryLedger):
        def refresh(self, now: datetime) -> News:  # noqa: ARG002 - always the same
            return News(ended=((ban(), how),), is_other=True)

    loop = desk.loop()
    loop.ports = replace(loop.ports, ledger=Shared())
    loop.cycle(NOW)

    event = next(event for event, _ in desk.written if event.name.startswith("ban."))
    assert (event.name, event.fields["reasons"]) == told


def test_a_ban_expires_once_and_the_next_one_is_longer(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop()

    for minutes in (0, 5, 11, 12):
        desk.run(loop, NOW + timedelta(minutes=minutes))

    bans = [event for event, _ in desk.written if event.name.startswith("ban.w")]
    assert desk.names().count("ban.expired") == 1
    assert [event.fields["for_s"] for event in bans] == [600, 1200]


def test_a_ban_that_is_not_there_when_read_back_failed(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop(Lying())

    loop.cycle(NOW)

    assert "ban.failed" in desk.names()
    assert loop.ports.ledger.in_force() == ()


def test_what_holds_is_recorded_also_when_acting_fails(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 150, "192.0.2.2": 101}
    loop = desk.loop(Failing())

    loop.cycle(NOW)

    outcomes = {
        event.fields["source"]: event.name
        for event, _ in desk.written
        if event.name in {"ban.would_apply", "ban.failed"}
    }
    assert outcomes == {"192.0.2.1": "ban.would_apply", "192.0.2.2": "ban.failed"}


def test_a_cycle_that_fails_says_where(desk: Desk) -> None:
    desk.sockets.error = ObserveError("the kernel gave no answer")
    loop = desk.loop()

    with pytest.raises(ObserveError):
        loop.cycle(NOW)

    assert loop.stage == "observe"


def test_a_failed_cycle_does_not_spoil_the_next(desk: Desk) -> None:
    loop = desk.loop()
    desk.sockets.error = ObserveError("no answer")
    with pytest.raises(ObserveError):
        loop.cycle(NOW)
    desk.sockets.error, desk.sockets.counts = None, {"192.0.2.1": 101}

    loop.cycle(NOW)

    assert "ban.would_apply" in desk.names()


def test_the_allow_set_holds_before_the_first_judgement(desk: Desk) -> None:
    desk.surroundings = guards("198.51.100.200/32")
    firewall = DryRun()

    desk.loop(firewall).cycle(NOW)

    assert firewall.installed(NOW).allowed == {desk.surroundings.guards[0].prefix}


def test_guards_are_told_once(desk: Desk) -> None:
    desk.surroundings = guards("198.51.100.200/32")
    loop = desk.loop()
    loop.cycle(NOW)
    loop.cycle(NOW)

    assert desk.names().count("guard.changed") == 1


def test_a_lost_ban_is_restored_with_the_rest_of_its_time(desk: Desk) -> None:
    firewall = DryRun()
    loop = desk.loop(firewall)
    loop.ports.ledger.intend([ban()])
    loop.ports.ledger.settle([ban()], [])

    desk.run(loop, NOW + timedelta(minutes=4))

    (restored,) = firewall.installed(NOW + timedelta(minutes=4)).bans
    assert "ban.restored" in desk.names()
    assert restored.left == timedelta(minutes=6)


def test_a_new_allowlist_entry_lifts_a_ban(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop()
    loop.cycle(NOW)

    loop.policy = policy(allowlist=(entry("office", "192.0.2.0/24"),))
    desk.run(loop, NOW + timedelta(seconds=5))

    assert "ban.lifted" in desk.names()
    assert loop.ports.ledger.in_force() == ()


def test_a_lift_that_did_not_hold_is_not_told(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop(Stubborn())
    loop.cycle(NOW)

    loop.policy = policy(allowlist=(entry("office", "192.0.2.0/24"),))
    desk.run(loop, NOW + timedelta(seconds=5))

    assert "ban.lifted" not in desk.names()
    assert len(loop.ports.ledger.in_force()) == 1


def test_a_firewall_that_is_gone_holds_nothing(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop(Gone())

    with pytest.raises(FirewallError, match="no such command"):
        loop.cycle(NOW)

    (failed,) = [event for event, _ in desk.written if event.name == "ban.failed"]
    assert failed.fields["error"] == "no such command"
    assert loop.ports.ledger.in_force() == ()


def test_a_source_that_stays_is_one_line(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 101}
    loop = desk.loop()
    loop.policy = policy(rule(sustained=Sustained(times=3, of=5)))

    for cycle in range(20):
        desk.run(loop, NOW + cycle * timedelta(seconds=5))

    assert desk.names().count("source.over_limit") == 1
    assert desk.names().count("ban.would_apply") == 1


def test_the_judgement_sees_what_the_ports_gave(desk: Desk) -> None:
    desk.sockets.counts = {"192.0.2.1": 3, "2001:db8::1": 2}

    desk.loop().cycle(NOW)

    ((event, _),) = desk.written
    assert (event.fields["sources"], event.fields["sockets"]) == (2, 5)


def test_whoever_identifies_hears_of_the_end_of_each_cycle(desk: Desk) -> None:
    loop = desk.loop()
    loop.cycle(NOW)
    desk.sockets.error = ObserveError("no")

    with pytest.raises(ObserveError):
        loop.cycle(NOW)

    assert desk.identities.asked == [(), ()]


def test_that_not_everybody_can_be_identified_is_told_once(desk: Desk) -> None:
    loop = desk.loop()
    desk.identities.reason = "no name server answers"

    for seconds in (0, 5, 10):
        desk.run(loop, NOW + timedelta(seconds=seconds))
    desk.identities.reason = None
    desk.run(loop, NOW + timedelta(seconds=70))

    told = [name for name in desk.names() if name.startswith("identify.")]
    assert told == ["identify.troubled", "identify.recovered"]


def test_what_is_learned_is_kept_now_and_then_and_when_an_administrator_comes(desk: Desk) -> None:
    loop = desk.loop()
    desk.run(loop, NOW)
    assert desk.kept == []

    desk.run(loop, NOW + timedelta(seconds=301))
    assert len(desk.kept) == 1
    desk.run(loop, NOW + timedelta(seconds=302))
    assert len(desk.kept) == 1
    desk.surroundings = Surroundings(administrators=frozenset({ip_address("192.0.2.9")}))
    desk.run(loop, NOW + timedelta(seconds=303))

    assert len(desk.kept) == 2
    assert set(desk.kept[1].sessions) == {ip_address("192.0.2.9")}
