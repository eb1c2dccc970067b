"""What the ledger says beside what the firewall holds: one table.

| ledger | firewall | then |
| --- | --- | --- |
| in force | yes, about as long | keep |
| in force | yes, for another time, or without a timer | set anew with the rest of its time |
| in force | yes, but as the ban that was to replace it | adopt that one: the older is over |
| in force, more than 2 s left | no | restore, with the rest of its time |
| in force, not more | no | it expired |
| in force, but the policy has no set for it any more | - | it is over |
| intended | yes | adopt: the agent was killed before it could say so |
| intended | no | it never held, or is over by now |
| over | with our mark | lift: the firewall was restored from a file |
| no | with our mark | adopt |
| no | without, or with one that can't be ours | lift: foreign |
| no | without a timer | lift: permanent |
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.model.address import WIDEST
from agent.model.ban import Ban, Held, Mark, place_of
from agent.model.layout import Layout
from agent.model.plan import Lift
from agent.model.policy import SSH, Answer, Scope, Service

WORTH_RESTORING = timedelta(seconds=2)

ABOUT = timedelta(seconds=5)
"""Kernels count whole seconds, and time passes between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the ledger says.

    Attributes:
        in_force: Applied and not ended; each (source, target) once.
        intended: By id: of these nobody knows whether they hold.
        has_ended: Whether the ban of that id is known to be over.
    """

    in_force: tuple[Ban, ...]
    intended: Mapping[str, Ban]
    has_ended: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How to make ledger and firewall agree; each in the order it was given.

    Attributes:
        keep: Hold as they should.
        restore: To be added, for the rest of their time.
        expired: Over by themselves.
        gone: Over because the policy has no set for them any more.
        replaced: Over because another ban, adopted, has their place.
        adopt: The firewall holds them, the ledger has to take them in.
        never: Intended, and not there.
        lift: To be removed from the firewall.
    """

    keep: tuple[Ban, ...] = ()
    restore: tuple[Ban, ...] = ()
    expired: tuple[Ban, ...] = ()
    gone: tuple[Ban, ...] = ()
    replaced: tuple[Ban, ...] = ()
    adopt: tuple[Ban, ...] = ()
    never: tuple[Ban, ...] = ()
    lift: tuple[Lift, ...] = ()


def reconcile(
    recorded: Recorded, installed: Iterable[Held], layout: Layout, now: datetime
) -> Reconciliation:
    """Compare the bans that should be in force with those that are.

    Args:
        recorded: The ledger's.
        installed: The firewall's, read back.
        layout: The sets that the policy has.
        now: A ban that was to end by now has expired, wherever it is missing.
    """
    held = {(one.source, one.target): one for one in installed}
    desk = _Desk(recorded, layout, now)
    for place, ban in {place_of(ban): ban for ban in recorded.in_force}.items():
        desk.compare(ban, held.pop(place, None))
    for one in held.values():
        desk.take(one)
    adopted = {ban.ban_id for ban in desk.adopt}
    return Reconciliation(
        keep=tuple(desk.keep),
        restore=tuple(desk.restore),
        expired=tuple(desk.expired),
        gone=tuple(desk.gone),
        replaced=tuple(desk.replaced),
        adopt=tuple(desk.adopt),
        never=tuple(ban for ban in recorded.intended.values() if ban.ban_id not in adopted),
        lift=tuple(desk.lift),
    )


@dataclass(slots=True)
class _Desk:
    """Sorts one ban after the other into what is to be done with it."""

    recorded: Recorded
    layout: Layout
    now: datetime
    keep: list[Ban] = field(default_factory=list)
    restore: list[Ban] = field(default_factory=list)
    expired: list[Ban] = field(default_factory=list)
    gone: list[Ban] = field(default_factory=list)
    replaced: list[Ban] = field(default_factory=list)
    adopt: list[Ban] = field(default_factory=list)
    lift: list[Lift] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note whose marks are taken: a mark stands beside one ban only."""
        self._known = {ban.ban_id for ban in self.recorded.in_force}

    def compare(self, ban: Ban, held: Held | None) -> None:
        """Sort a ban in force, with what is held in its place."""
        if self.layout.set_for(ban) is None:
            self.gone.append(ban)
        elif held and (newer := self._intended_there(held)):
            self.replaced.append(ban)
            self._adopt(newer)
        elif held and _holds(held, ban, self.now):
            self.keep.append(ban)
        elif ban.rest(self.now) > WORTH_RESTORING:
            self.restore.append(ban)
            if held and held.left is None:
                self._lift(held, "permanent")
        else:
            self.expired.append(ban)
            if held:
                self._lift(held, "over")

    def take(self, held: Held) -> None:
        """Sort a ban that is held and that the ledger has not in force."""
        mark = held.mark
        if held.left is None:
            self._lift(held, "permanent")
        elif mark and self.recorded.has_ended(mark.ban_id):
            self._lift(held, "over")
        elif (ban := self._intended_there(held) or self._known_by_mark(held)) is not None:
            self._adopt(ban)
        else:
            self._lift(held, "foreign")

    def _adopt(self, ban: Ban) -> None:
        self._known.add(ban.ban_id)
        self.adopt.append(ban)

    def _lift(self, held: Held, reason: str) -> None:
        """Lift, but leave the last seconds of what is ours to the kernel."""
        is_ending = held.left is not None and held.left <= WORTH_RESTORING
        if held.mark is None or not is_ending:
            self.lift.append(Lift(held=held, reason=reason))

    def _intended_there(self, held: Held) -> Ban | None:
        """Give the ban that was to be put there, if it is there."""
        intended = self.recorded.intended.get(held.mark.ban_id) if held.mark else None
        is_there = intended is not None and place_of(intended) == (held.source, held.target)
        return intended if is_there and held.left is not None else None

    def _known_by_mark(self, held: Held) -> Ban | None:
        """Make a ban of what the firewall alone knows; None when it can't be one of ours.

        Whoever may change the firewall may write our marks: what no ban of ours could be
        is not believed.
        """
        mark, left = held.mark, held.left
        if mark is None or left is None or mark.ban_id in self._known:
            return None
        prefix = held.source.prefix
        if prefix.prefixlen < WIDEST[prefix.version] or left > mark.lasts + ABOUT:
            return None
        return _from_mark(held, mark, self.layout, self.now + left - mark.lasts)


def _holds(held: Held, ban: Ban, now: datetime) -> bool:
    """Whether the firewall holds a ban for about the time that is left of it."""
    return (
        held.left is not None and held.rate == ban.rate and abs(held.left - ban.rest(now)) <= ABOUT
    )


def _from_mark(held: Held, mark: Mark, layout: Layout, begins: datetime) -> Ban | None:
    """Make a ban of its mark; None when the policy has no set for it.

    Args:
        held: As the firewall holds it.
        mark: What stands beside it.
        layout: The policy's sets.
        begins: By the kernel's timer, which is right, whatever the clock was.
    """
    scope, name, answer = held.target
    ports = {one.target[:2]: one.ports for one in layout.sets}.get((scope, name))
    if ports is None:
        return None
    service = Service(name=name, ports=ports) if scope is Scope.SERVICE else None
    if scope is Scope.HOST and name:
        service = Service(name=SSH, ports=layout.ssh)
    return Ban(
        ban_id=mark.ban_id,
        source=held.source,
        answer=answer,
        rate=held.rate if answer is Answer.THROTTLE else None,
        scope=scope,
        service=service,
        rule=mark.rule,
        measure=None,
        count=None,
        limit=None,
        begins=begins,
        lasts=mark.lasts,
        reasons=("found in the firewall; the ledger did not know of it",),
        policy_sha256="",
    )
