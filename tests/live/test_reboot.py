"""Clocks that jump, and a machine that starts anew: bans end when they should, and once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.loop import Loop
from agent.model.inputs import Surroundings
from agent.model.policy import Escalation
from agent.model.sample import Sample
from agent.ports import Ports
from agent.record.events import Event
from agent.record.sqlite.ledger import SqliteLedger, open_ledger
from tests.builders import NOW, policy, rule, sample, tally
from tests.live.program import make
from tests.range import eventually, in_namespace, namespace

pytestmark = pytest.mark.root

SOURCE = "192.0.2.1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROUNDING_S = 1.0
TELLING_S = 2.0
"""The agent calls a ban over when it surely is, and looks now and then."""


@dataclass(slots=True)
class Machine:
    """An agent's cycles on a firewall of the kernel, with a wall clock that a test sets.

    Attributes:
        firewall: Its name.
        folder: The state directory.
        lasts: Of a ban.
        boot: Which boot this is.
        ahead: How far the wall clock was set from the true time.
        count: The connections of `SOURCE`.
    """

    firewall: str
    folder: Path
    lasts: timedelta
    boot: str = "first"
    ahead: timedelta = timedelta(0)
    count: int = 0
    told: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _ledger: SqliteLedger | None = None
    _loop: Loop | None = None

    @property
    def now(self) -> datetime:
        return NOW + self.ahead + timedelta(seconds=time.monotonic() - self._began)

    def start(self) -> None:
        """Begin as an agent that knows nothing but what kernel and ledger hold."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = open_ledger(
            self.folder, boot_id=self.boot, stopwatch=time.monotonic, now=self.now
        )
        no_growth = Escalation(times=1, up_to=self.lasts, within=DAY)
        ports = Ports(
            sockets=self,
            counters=dict,
            surroundings=lambda _administrators: Surroundings(),
            firewall=make(self.firewall),
            ledger=self._ledger,
            write=self._write,
            stopwatch=time.monotonic,
        )
        self._loop = Loop(ports, policy(rule(lasts=self.lasts, escalation=no_growth)))

    name = "fake"

    def read(self, now: datetime) -> Sample:
        return replace(sample(tally({SOURCE: self.count})), taken_at=now)

    def _write(self, event: Event, _at: datetime, _cycle: int) -> None:
        is_news = event.name.startswith(("ban.", "firewall.", "agent.", "ledger."))
        if is_news and event.name != "ban.planned":
            self.told.append(event.name)

    def cycle(self) -> None:
        assert self._loop
        self._loop.cycle(self.now)

    def left_s(self) -> float | None:
        """How long the kernel keeps the source out; None when it does not."""
        assert self._loop
        bans = self._loop.ports.firewall.installed(self.now).bans
        assert all(one.left is not None for one in bans)
        return next((one.left.total_seconds() for one in bans if one.left), None)

    def remembered(self) -> int:
        """How many bans the next one would follow on."""
        assert self._ledger
        return sum(len(past) for past in self._ledger.history().values())

    def ban(self) -> None:
        """Have the source banned in one cycle, after which it is gone."""
        self.count = 101
        self.cycle()
        self.count = 0
        assert self.told == ["ban.applied"]


@contextmanager
def machine(firewall: str, folder: Path, lasts_s: float) -> Iterator[Machine]:
    with namespace() as name, in_namespace(name):
        made = Machine(firewall, folder, timedelta(seconds=lasts_s))
        made.start()
        made.cycle()
        yield made


def test_a_ban_ends_after_the_time_asked_for_however_the_clock_jumps(
    firewall: str, folder: Path
) -> None:
    with machine(firewall, folder, 2) as at:
        began = time.monotonic()
        at.ban()
        for ahead in (HOUR, -HOUR):
            # While it runs, and while it is dead: at its start it takes a full look.
            at.ahead = ahead
            at.cycle()
            assert at.left_s()
            at.ahead = -ahead
            at.start()
            at.cycle()
            assert (at.left_s() or 0) <= at.lasts.total_seconds() + ROUNDING_S
        assert at.told == ["ban.applied"]

        assert eventually(lambda: at.left_s() is None)
        passed = time.monotonic() - began
        assert at.lasts.total_seconds() - 0.1 <= passed <= at.lasts.total_seconds() + TELLING_S

        def is_told() -> bool:
            at.cycle()
            return at.told[1:] != []

        assert eventually(is_told)
        at.ahead = HOUR
        at.cycle()
        at.start()
        at.cycle()
        assert at.told == ["ban.applied", "ban.expired"]
        assert (at.left_s(), at.remembered()) == (None, 1)


@pytest.mark.parametrize(
    ("wrong", "rest"),
    [
        pytest.param(timedelta(0), timedelta(minutes=10), id="right"),
        pytest.param(timedelta(minutes=4), timedelta(minutes=6), id="four-minutes-later"),
        pytest.param(DAY, None, id="a-day-ahead"),
        pytest.param(-DAY, timedelta(minutes=10), id="a-day-behind"),
    ],
)
def test_after_a_reboot_a_ban_holds_for_the_rest_of_its_time_never_longer(
    folder: Path, wrong: timedelta, rest: timedelta | None
) -> None:
    with machine("nftables", folder, 600) as at:
        at.ban()
        at.boot, at.ahead = "second", wrong
        with namespace() as fresh, in_namespace(fresh):
            for _ in range(2):
                at.start()
                at.cycle()
                left_s = at.left_s()
                if rest is None:
                    assert left_s is None
                else:
                    assert rest.total_seconds() - 5 < (left_s or 0)
                    assert (left_s or 0) <= rest.total_seconds() + ROUNDING_S
            # Once restored, or once over; at the second start all is as it was.
            assert at.told[1:] == ["ban.expired" if rest is None else "ban.restored"]
            assert at.remembered() == 1
            # And then the clock is put right.
            at.ahead = timedelta(0)
            at.cycle()
            at.start()
            at.cycle()
            assert len(at.told) == 2
            assert (at.left_s() is None) == (rest is None)
