"""What begins and ends at the machine as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.decide import Memory, step
from agent.decide.machine.watch import Watch, watched
from agent.model.alarm import Alarm, Flood, Slow
from agent.model.inputs import Inputs, Queue
from agent.model.policy import Policy
from agent.model.sample import State
from tests.builders import NOW, SSH, WEB, inputs, policy, sample, tally
from tests.decide.worlds import SETTINGS, moments, policies

QUEUES = {port: Queue(waiting=0, backlog=128, smallest=128, full=0) for port in (22, 80, 443, 8443)}
SLOW = {80: Queue(waiting=129, backlog=128, smallest=128, full=129)}
SLOWLY: Mapping[str, Any] = {
    "SyncookiesSent": 200,
    "SyncookiesRecv": 180,
    "ListenOverflows": 50,
    "ListenDrops": 50,
    "listeners": SLOW,
}
"""As clients see it whose handshakes are answered, and then nothing comes of it."""

COOKIES_ON = {"net.ipv4.tcp_syncookies": 1}
CYCLE = timedelta(seconds=5)
BY = policy()


@dataclass(slots=True)
class Machine:
    """A machine under watch, cycle by cycle."""

    watch: Watch = field(default_factory=Watch)
    now: datetime = NOW
    counters: dict[str, int] = field(
        default_factory=lambda: {
            "SyncookiesSent": 5,
            "SyncookiesRecv": 5,
            "ListenOverflows": 5,
            "ListenDrops": 5,
        }
    )
    told: list[Alarm] = field(default_factory=list)

    def cycle(
        self, half_open: Mapping[str, int] | None = None, *, port: int = 80, **changes: Any
    ) -> tuple[Alarm, ...]:
        """Have so many half-open by address, and counters grow by what is named like one."""
        for name in self.counters.keys() & changes.keys():
            self.counters[name] += changes.pop(name)
        usual: dict[str, Any] = {"listeners": QUEUES, "sysctls": COOKIES_ON}
        seen = sample(tally(half_open or {}, port=port, state=State.SYN_RECV))
        moment = inputs(seen, **({"counters": dict(self.counters)} | usual | changes))
        return self.see(moment)

    def see(self, moment: Inputs, by: Any = BY, *, after: timedelta = CYCLE) -> tuple[Alarm, ...]:
        self.now += after
        self.watch, alarms = watched(self.watch, moment, by, (), self.now)
        self.told += alarms
        return alarms

    def flood(self, cycles: int = 1, **changes: Any) -> None:
        for _ in range(cycles):
            self.cycle(**{"half_open": spread(130), "SyncookiesSent": 1000, **changes})

    def calm(self, cycles: int = 1) -> None:
        for _ in range(cycles):
            self.cycle()


def spread(count: int) -> dict[str, int]:
    """Sources of one half-open connection each, four to a /24."""
    return {f"198.{18 + (n >> 14)}.{n >> 2 & 255}.{n & 3}": 1 for n in range(count)}


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    made.calm()
    return made


class TestPressure:
    """Who may be slowed down for half-open connections."""

    def test_a_calm_machine_is_under_none(self, machine: Machine) -> None:
        machine.cycle(spread(130))

        assert machine.watch.pressed == frozenset()

    def test_it_is_where_the_queue_is_full_and_nowhere_else(self, machine: Machine) -> None:
        machine.flood()

        assert machine.watch.pressed == {WEB.name}
        assert SSH.name not in machine.watch.pressed

    def test_it_is_kept_for_a_few_cycles(self, machine: Machine) -> None:
        machine.flood()
        machine.calm(3)
        assert machine.watch.pressed == {WEB.name}

        machine.calm()
        assert machine.watch.pressed == frozenset()

    def test_the_first_reading_tells_nothing(self) -> None:
        fresh = Machine()
        fresh.flood()

        assert fresh.watch.pressed == frozenset()

    def test_a_slow_application_is_none(self, machine: Machine) -> None:
        machine.flood(9, **SLOWLY)

        assert machine.watch.pressed == frozenset()


class TestFlood:
    """Told once when it begins, and once when it is over."""

    def test_one_burst_is_none(self, machine: Machine) -> None:
        machine.flood(2)
        machine.calm(20)

        assert machine.told == []

    def test_nor_are_bursts_far_from_each_other(self, machine: Machine) -> None:
        for _ in range(9):
            machine.flood()
            machine.calm(4)

        assert machine.told == []

    def test_it_begins_once_and_ends_once_with_its_figures(self, machine: Machine) -> None:
        machine.flood(3)
        (began,) = machine.told
        assert isinstance(began, Flood)
        assert began == Flood(
            service="web",
            half_open=130,
            sources=130,
            networks=33,
            heaviest=1,
            counters={"SyncookiesSent": 3000},
            lasted=timedelta(seconds=15),
            advice=began.advice,
        )
        machine.flood(3, half_open=spread(129))
        machine.flood(3, half_open=spread(400))
        machine.flood(3)
        machine.calm(6)
        assert len(machine.told) == 1

        machine.calm(1)
        assert machine.told[1:] == [
            Flood(
                service="web",
                half_open=400,
                sources=400,
                networks=100,
                heaviest=1,
                counters={"SyncookiesSent": 12_000},
                lasted=timedelta(minutes=1),
                advice=(),
                is_over=True,
            )
        ]
        machine.calm(50)
        assert len(machine.told) == 2

    def test_waves_are_one(self, machine: Machine) -> None:
        for _ in range(10):
            machine.flood(3)
            machine.calm(5)

        assert len(machine.told) == 1

    def test_each_place_has_its_own(self, machine: Machine) -> None:
        machine.flood(3)
        machine.flood(3, port=8443)
        machine.flood(3, port=22)
        machine.calm(8)

        told = [(one.service, one.is_over) for one in machine.told if isinstance(one, Flood)]
        assert told == [
            ("web", False),
            ("port 8443", False),
            ("ssh", False),
            ("web", True),
            ("port 8443", True),
            ("ssh", True),
        ]

    def test_cookies_alone_tell_of_one_though_not_where(self, machine: Machine) -> None:
        machine.flood(3, half_open={})

        (one,) = machine.told
        assert isinstance(one, Flood)
        assert (one.service, one.half_open, one.counters) == ("", 0, {"SyncookiesSent": 3000})
        assert machine.watch.pressed.isdisjoint({"web", "ssh"})

    @pytest.mark.parametrize(
        ("sent", "came_back"),
        [
            pytest.param(1000, 600, id="clients-answer-them"),
            pytest.param(90, 0, id="port-scanners"),
        ],
    )
    def test_cookies_alone_may_be_none(self, machine: Machine, sent: int, came_back: int) -> None:
        machine.flood(9, half_open={}, SyncookiesSent=sent, SyncookiesRecv=came_back)

        assert machine.told == []

    def test_where_it_is_known_it_is_not_told_twice(self, machine: Machine) -> None:
        for _ in range(9):
            machine.flood()
            machine.flood(half_open={})

        assert [one.service for one in machine.told if isinstance(one, Flood)] == ["web"]

    def test_a_clock_that_jumps_makes_none_end_or_last_for_years(self, machine: Machine) -> None:
        machine.flood(3)
        machine.now += timedelta(days=900)
        machine.flood()
        machine.now -= timedelta(days=1800)
        machine.flood()
        assert len(machine.told) == 1

        machine.calm(8)
        (_, over) = machine.told
        assert isinstance(over, Flood)
        assert over.lasted < timedelta(minutes=2)

    def test_a_policy_without_the_service_ends_it_in_time(self, machine: Machine) -> None:
        machine.flood(3)
        other = policy(services=(SSH,))
        for _ in range(8):
            machine.see(inputs(sample(), counters=dict(machine.counters)), other)

        assert [one.is_over for one in machine.told if isinstance(one, Flood)] == [False, True]


class TestSlow:
    """An application that does not accept is told, as what it is."""

    def test_it_is_no_flood(self, machine: Machine) -> None:
        machine.flood(9, **SLOWLY)
        machine.calm(9)

        assert [(type(one), getattr(one, "is_over", None)) for one in machine.told] == [
            (Slow, False),
            (Slow, True),
        ]

    def test_its_figures(self, machine: Machine) -> None:
        machine.flood(3, **{**SLOWLY, "SyncookiesSent": 0, "SyncookiesRecv": 0})

        (one,) = machine.told
        assert isinstance(one, Slow)
        assert one == Slow(
            service="web",
            waiting=129,
            backlog=128,
            counters={"ListenOverflows": 150, "ListenDrops": 150},
            lasted=timedelta(seconds=15),
            advice=one.advice,
        )

    def test_a_flood_at_another_service_is_seen_beside_it(self, machine: Machine) -> None:
        queues = QUEUES | SLOW
        machine.flood(3, port=22, ListenOverflows=50, ListenDrops=50, listeners=queues)

        assert {(type(one), getattr(one, "service", "")) for one in machine.told} == {
            (Slow, "web"),
            (Flood, "ssh"),
        }
        assert machine.watch.pressed == {"ssh"}


cycles = st.tuples(
    st.integers(0, 200),
    st.sampled_from([0, 0, 1, 500]),
    st.sampled_from([0, 0, 500]),
    st.sampled_from([0, 5, 5, 60, -4000]),
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(cycles, max_size=60))
def test_whatever_happens_each_begins_before_it_ends_and_never_twice(
    course: list[tuple[int, int, int, int]],
) -> None:
    one, other = Machine(), Machine()
    for count, sent, overflows, seconds in course:
        for machine in (one, other):
            machine.now += timedelta(seconds=seconds)
            machine.cycle(
                spread(count),
                SyncookiesSent=sent,
                ListenOverflows=overflows,
                ListenDrops=overflows,
                listeners=SLOW if overflows else QUEUES,
            )
        if not sent:
            assert not one.watch.pressed or one.watch.floods

    assert one.told == other.told
    going: set[tuple[type[Alarm], str]] = set()
    for alarm in one.told:
        assert isinstance(alarm, Flood | Slow)
        key = (type(alarm), alarm.service)
        assert (key in going) is alarm.is_over
        going ^= {key}
    assert len(one.watch.floods) + len(one.watch.slow) <= 6


@SETTINGS
@given(policies(), moments(), moments())
def test_without_pressure_at_its_service_nobody_is_slowed_down_for_half_open_connections(
    by: Policy, before: Inputs, moment: Inputs
) -> None:
    memory, _ = step(Memory(), before, by, NOW)
    after, decision = step(memory, moment, by, NOW + timedelta(hours=2))
    unproven = {one.name: one for one in by.rules if not one.measure.proves}

    grew = moment.counters["SyncookiesSent"] > before.counters["SyncookiesSent"]
    is_full = moment.listeners[80].smallest == 1 and State.SYN_RECV in moment.sample.states
    assert ("web" in after.watch.pressed) is (grew and is_full)
    for ban in decision.plan.add:
        assert ban.rule not in unproven or unproven[ban.rule].service.name in after.watch.pressed


def test_a_flood_at_many_ports_costs_no_more_than_one_at_one() -> None:
    def takes(ports: int) -> float:
        """Give the seconds of the cycle that tells of it."""
        machine, most = Machine(), 0.0
        queue = Queue(waiting=0, backlog=32, smallest=32, full=0)
        crowds = [
            tally(
                {f"203.0.{host // 250}.{host % 250}": 1 for host in range(9600 // ports)},
                port=10_000 + port,
                state=State.SYN_RECV,
            )
            for port in range(ports)
        ]
        moment = inputs(sample(*crowds), listeners={10_000 + port: queue for port in range(ports)})
        for cycle in range(5):
            start = perf_counter()
            machine.see(replace(moment, counters={"SyncookiesSent": cycle * 10_000}))
            most = max(most, perf_counter() - start)
        assert len(machine.told) == ports
        return most

    assert takes(300) < 15 * takes(1)
