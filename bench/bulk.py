"""One round of many bans at once: bare, ours, restored, and the whole path."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from agent.act.cut.cutting import cut
from agent.act.interface import Firewall
from agent.decide import layout_of
from agent.enact import Accord, Hands
from agent.model.ban import Ban
from agent.model.inputs import Spared
from agent.model.layout import Layout
from agent.model.plan import Plan
from agent.model.policy import Policy
from agent.record.audit import Audit
from agent.record.events import Event
from agent.record.ledger import News
from agent.record.sqlite.ledger import SqliteLedger, open_ledger
from agent.service import clock
from bench.bans import bans, open_firewall, write_bare
from bench.rival import Rival
from bench.rooms import fresh_room
from bench.rounds import Run, now, timed

Taken: TypeAlias = dict[str, float]
"""Seconds by what took them."""

_ONE = 10
"""Single bans, to give the middle one of."""


@dataclass(slots=True, kw_only=True)
class Bulk:
    """Measures one firewall.

    Attributes:
        name: The firewall's.
        count: Of bans in one go.
        policy: Gives the layout.
        folder: For ledgers, logs and scripts; made.
    """

    name: str
    count: int
    policy: Policy
    folder: Path
    _layout: Layout = field(init=False)
    _audit: Audit = field(init=False)
    _closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Open the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._layout = layout_of(self.policy)
        self._audit = Audit(self._closing.enter_context((self.folder / "log").open("w")), "live")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._closing.close()

    def round(self, number: int) -> Taken:
        """Measure everything once, each in a namespace of its own."""
        some = bans(self.count, now())
        taken = {"bare": self._bare(some)} | self._apply(some) | {"restored": self._restore(some)}
        ledger = self.open_ledger(f"round{number}")
        taken["carry out"] = self._carry_out(some, ledger)
        taken["look"] = self._look(ledger)
        ledger.close()
        return taken

    def thousand(self, number: int) -> Taken:
        """Give the seconds of banning `count` in one cycle, and of one ban by itself."""
        ledger = self.open_ledger(f"thousand{number}")
        with fresh_room():
            hands = self.hands(self._prepared(), ledger)

            def carry_out(*some: Ban) -> float:
                plan, ssh = Plan(add=some), self._layout.ssh
                return timed(lambda: hands.carry_out(plan, ssh, now()))[0]

            each = [carry_out(ban) for ban in bans(_ONE, now(), first=500_001)]
            many = carry_out(*bans(self.count, now()))
        ledger.close()
        return {"ours": many, "ours one": sorted(each)[_ONE // 2]}

    def timed_rival(self, rival: Rival) -> tuple[float, float]:
        """Give fail2ban's seconds for one ban and for `count`, of hosts as its sets take."""
        one, _ = timed(lambda: rival.ban(["51.0.0.1"]))
        more = [f"50.0.{number >> 8}.{number & 255}" for number in range(self.count)]
        many, _ = timed(lambda: rival.ban(more, already=1))
        return one, many

    def open_ledger(self, name: str) -> SqliteLedger:
        """Open a new ledger."""
        folder = self.folder / name
        folder.mkdir()
        boot, watch = clock.boot_id(), clock.stopwatch
        return open_ledger(folder, boot_id=boot, stopwatch=watch, now=now())

    def hands(self, firewall: Firewall, ledger: SqliteLedger) -> Hands:
        """Give what acts, as the service wires it."""
        return Hands(firewall=firewall, ledger=ledger, cut=cut, tell=self._tell)

    def _tell(self, event: Event) -> None:
        self._audit.write(event, now(), 1)

    def _prepared(self) -> Firewall:
        firewall = open_firewall(self.name)
        firewall.prepare(self._layout)
        return firewall

    def _bare(self, some: Sequence[Ban]) -> float:
        with fresh_room():
            self._prepared()
            command = write_bare(self.name, self.folder / "bare", some, self._layout)
            return timed(lambda: subprocess.run(command, check=True))[0]

    def _apply(self, some: tuple[Ban, ...]) -> Taken:
        with fresh_room():
            firewall = self._prepared()
            applied, _ = timed(lambda: firewall.apply(Plan(add=some), now()))
            read, _ = timed(lambda: self._check(firewall))
        return {"apply": applied, "read back": read}

    def _check(self, firewall: Firewall) -> None:
        found = len(firewall.installed(now()).bans)
        if found != self.count:
            raise RuntimeError(f"{self.name} holds {found} of {self.count} bans")

    def _restore(self, some: tuple[Ban, ...]) -> float:
        def restore() -> None:
            self._prepared().apply(Plan(add=some), now())

        return self._in_fresh_room(restore)

    def _carry_out(self, some: tuple[Ban, ...], ledger: SqliteLedger) -> float:
        with fresh_room():
            hands = self.hands(self._prepared(), ledger)
            plan = Plan(add=some)
            return timed(lambda: hands.carry_out(plan, self._layout.ssh, now()))[0]

    def _look(self, ledger: SqliteLedger) -> float:
        def look() -> None:
            accord = Accord(self.hands(open_firewall(self.name), ledger), time.monotonic)
            found = accord.installed(self.policy, Spared(), News(), now())
            if len(found.bans) != self.count:
                raise RuntimeError(f"{len(found.bans)} of {self.count} bans were restored")

        return self._in_fresh_room(look)

    def _in_fresh_room(self, run: Run) -> float:
        with fresh_room():
            return timed(run)[0]
