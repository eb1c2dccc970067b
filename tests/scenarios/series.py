"""Plays a scene as a series of samples: the agent's own loop, on a virtual clock.

Fakes stand at the ports only. A source that is banned is gone from the later samples, as
the ban cuts and keeps out, and is back when the ban is over.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from agent.act.dry_run import DryRun
from agent.decide import guarded
from agent.desk import by_hand
from agent.desk.site import Site
from agent.enact import Accord, Hands
from agent.identify.vendors import read_vendors
from agent.loop import Loop
from agent.model.address import Address, Prefix, Source, pack
from agent.model.inputs import Guard, Identities, Permit, Queue, Spared, Surroundings
from agent.model.learned import Learned, Verified
from agent.model.policy import Answer, Policy, Scope
from agent.model.sample import SOCKETS, Sample, State
from agent.policy import load_policy
from agent.ports import Ports
from agent.record.events import Event, rfc3339
from agent.record.ledger import MemoryLedger
from agent.record.tape.interface import NoTape, Recorder
from agent.record.tape.writer import TapeWriter
from tests.scenarios import again
from tests.scenarios.addresses import Nets
from tests.scenarios.group import Does, Group, within
from tests.scenarios.happened import Happened
from tests.scenarios.scene import Scene, Then
from tests.scenarios.witness import Witness

BEGIN = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SYSCTLS = {
    "net.core.somaxconn": 4096,
    "net.ipv4.tcp_max_syn_backlog": 4096,
    "net.ipv4.tcp_synack_retries": 5,
    "net.ipv4.tcp_syncookies": 1,
}
BACKLOG = 128

_VENDORS = read_vendors()

_OUTGOING_PORT = 40_000
"""Stands for the ports that the server dials out from; nobody listens there."""

Rows: TypeAlias = Counter[tuple[int, int, int, bytes]]


@dataclass(slots=True)
class Crowd:
    """A group, ready to be counted."""

    group: Group
    packed: dict[Address, tuple[int, int, int, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        """Make the key of each address once."""
        port = _OUTGOING_PORT if self.group.does is Does.DIAL else self.group.port
        state = int(State[self.group.state])
        for_each = ((address, pack(address)) for address in self.group.addresses)
        self.packed = {one: (family, state, port, packed) for one, (family, packed) in for_each}

    def rows(self, cycle: int) -> Iterator[tuple[Address, tuple[int, int, int, bytes]]]:
        """Give who is there in that cycle, with the key of their sockets."""
        present = self.group.present(cycle, self.group.addresses)
        return ((address, self.packed[address]) for address in present)


class Names:
    """Answers who somebody is some cycles after it was asked."""

    def __init__(self, scene: Scene) -> None:
        self.cycle = 0
        self._who = {address: one for one in scene.groups.values() for address in one.addresses}
        self._asked: dict[Address, int] = {}
        self._known = Identities(vendors=_VENDORS)

    def look(self, policy: Policy, now: datetime) -> Identities:  # noqa: ARG002 - one policy
        """Give what is known; the same object while nothing changed."""
        answered = {
            address
            for address, cycle in self._asked.items()
            if self.cycle > cycle + self._who[address].answered
        }
        if answered != self._known.answered:
            found: dict[str, set[Prefix]] = {}
            for address in answered:
                if entry := self._who[address].entry:
                    found.setdefault(entry, set()).add(ip_network(address))
            told = {entry: frozenset(prefixes) for entry, prefixes in found.items()}
            self._known = replace(self._known, found=told, answered=frozenset(answered))
        return self._known

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:  # noqa: ARG002 - by cycles
        """Note who was asked about."""
        for address in addresses:
            self._asked.setdefault(address, self.cycle)

    def verified(self) -> Mapping[Address, Verified]:
        """Keep nothing."""
        return {}

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Resolve nothing."""
        return {}

    def trouble(self) -> str | None:
        """Have none."""
        return None


@dataclass(slots=True)
class Stage:
    """The machine that the loop believes to be on."""

    scene: Scene
    happened: Happened
    now: datetime = BEGIN
    cycle: int = 0
    before: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    firewall: DryRun = field(default_factory=DryRun)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    learned: Learned = field(default_factory=Learned)
    names: Names = field(init=False)
    crowds: list[Crowd] = field(init=False)
    name: str = "series"
    tape: Recorder = field(default_factory=NoTape)
    told: list[again.Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Get everybody ready."""
        self.names = Names(self.scene)
        self.crowds = [Crowd(group) for group in self.scene.groups.values()]

    def play(self) -> None:
        """Run all cycles."""
        loop = self.loop(self.happened.policy)
        for cycle in range(1, self.scene.cycles + 1):
            self.cycle = self.names.cycle = self.happened.witness.cycle = cycle
            self.happened.cycles.append(self.now.timestamp())
            self._press()
            for verdict in loop.cycle(self.now).verdicts:
                self.happened.findings.add((str(verdict.source), verdict.finding.value))
            self.now += loop.policy.every
            for then in (one for one in self.scene.then if one.cycle == cycle):
                loop = self._then(then, loop)
        self.happened.allowed = self.firewall.allowed()

    def loop(self, policy: Policy) -> Loop:
        """Start an agent."""
        self.before = self.cycle
        ports = Ports(
            sockets=self,
            counters=lambda: dict(self.counters),
            surroundings=lambda _administrators: self._surroundings(),
            firewall=self.firewall,
            ledger=self.ledger,
            write=self._write,
            stopwatch=self._stopwatch,
            listeners=self._listeners,
            sysctls=lambda: SYSCTLS,
            identify=self.names,
            learned=self.learned,
            keep=self._keep,
            tape=self.tape,
        )
        return Loop(ports, policy)

    def read(self, now: datetime) -> Sample:
        """Give the sockets of this cycle, as a reader of sockets would."""
        rows, left = self._rows()
        self.happened.witness.look(rows, now.timestamp())
        states = Counter[State]()
        for (_, state, _, _), count in left.items():
            states[State(state)] += count
        seen = Counter({key: count for key, count in left.items() if key[2] != _OUTGOING_PORT})
        return Sample(
            taken_at=now,
            sockets=left.total(),
            states=states,
            listening=self._ports(),
            tallies={SOCKETS: seen},
        )

    def _rows(self) -> tuple[Rows, Rows]:
        """Give all sockets that would be there without any ban, and those that are."""
        all_rows, left = Rows(), Rows()
        banned = {port: self._banned(port) for port in self._ports()}
        for crowd in self.crowds:
            for address, key in crowd.rows(self.cycle):
                all_rows[key] += crowd.group.each
                if key[2] == _OUTGOING_PORT or address not in banned[key[2]]:
                    left[key] += crowd.group.each
        return all_rows, left

    def _banned(self, port: int) -> Nets:
        """Give who is kept out of a port, which nobody in the allow set is."""
        services = {one.name: one.ports for one in self.happened.policy.services}
        installed = self.firewall.installed(self.now)
        nets, allowed = Nets(), Nets(installed.allowed)
        for held in installed.bans:
            scope, service, answer = held.target
            is_met = port in services.get(service, ()) if scope is Scope.SERVICE else port != 22
            if answer is Answer.DROP and is_met:
                nets.add(held.source.prefix, 0)
        return _Without(nets, allowed)

    def _ports(self) -> frozenset[int]:
        return frozenset(group.port for group in self.scene.groups.values())

    def _press(self) -> None:
        """Have the kernel's counters grow while SYNs come."""
        pressure = self.scene.pressure
        if pressure is not None:
            is_on = within(pressure.cycles, self.cycle)
            for name, grows in pressure.counters.items():
                self.counters[name] += grows if is_on else 0

    def _listeners(self) -> Mapping[int, Queue]:
        queue = Queue(waiting=0, backlog=BACKLOG, smallest=BACKLOG, full=0)
        return dict.fromkeys(self._ports(), queue)

    def _surroundings(self) -> Surroundings:
        guards = (
            Guard(prefix=ip_network(text), why="gateway (scene)") for text in self.scene.guards
        )
        session = self.scene.session
        is_there = session is not None and within(session.cycles, self.cycle)
        return Surroundings(
            guards=tuple(guards),
            administrators=frozenset({ip_address(session.of)} if session and is_there else ()),
        )

    def _write(self, event: Event, at: datetime, cycle: int) -> None:
        told = {"event": event.name, "level": event.level.name.lower(), **event.fields}
        self.happened.events.append((self.before + cycle, told))
        self.told += again.told_by(told, rfc3339(at))

    def _stopwatch(self) -> float:
        return self.now.timestamp()

    def _keep(self, learned: Learned) -> None:
        self.learned = learned

    def _then(self, then: Then, loop: Loop) -> Loop:
        """Let something else happen, and give the loop that goes on."""
        self.now += timedelta(seconds=then.passes)
        if then.unban:
            self._unban(then.unban, loop.policy)
        if then.policy:
            loop.policy = load_policy([str(self.scene.folder / then.policy)])
        if then.restart:
            if then.restart == "TERM":
                loop.keep()
            return self.loop(loop.policy)
        return loop

    def _unban(self, source: str, policy: Policy) -> None:
        """Unban by hand, as the command does."""

        def spare(permits: Sequence[Permit]) -> Spared:
            return Spared(surroundings=guarded(self._surroundings(), permits, {}, self.now))

        news: list[Event] = []
        hands = Hands(firewall=self.firewall, ledger=self.ledger, cut=None, tell=news.append)
        site = Site(
            agent=None,
            policy=policy,
            ledger=self.ledger,
            accord=Accord(hands, self._stopwatch),
            spare=lambda permits: spare(tuple(permits)),
            now=self.now,
        )
        by_hand.unban(site, Source.of(ip_address(source)))
        for event in news:
            self._write(event, self.now, self.cycle - self.before)


class _Without(Nets):
    """Prefixes without the members that others of them hold."""

    def __init__(self, nets: Nets, less: Nets) -> None:
        super().__init__()
        self._nets, self._less = nets, less

    def __contains__(self, address: Address) -> bool:
        """Whether the address is in the first, and not in the others."""
        return address in self._nets and address not in self._less


def play(scene: Scene) -> Happened:
    """Play a scene as a series."""
    policy = load_policy([str(scene.policy)])
    happened = Happened(scene=scene, policy=policy, witness=Witness(scene, policy))
    with TemporaryDirectory(prefix="tape-") as folder:
        tape = TapeWriter(Path(folder))
        stage = Stage(scene, happened, tape=tape)
        stage.play()
        tape.close()
        happened.recorded = again.recorded(Path(folder), policy, stage.told)
    return happened
