"""What is to be changed in the firewall, and the decision it comes from."""

from dataclasses import dataclass

from agent.model.address import Address, Prefix
from agent.model.alarm import Alarm
from agent.model.ban import Ban, Held
from agent.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """A ban that the agent ends before its time.

    Attributes:
        held: The ban, as the firewall holds it.
        reason: Why, in a word or a short sentence.
    """

    held: Held
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes to one firewall.

    Attributes:
        add: Heaviest first. Disjoint within a target, and against what stays
            installed: only the longer ban of an address or an IPv6 /64 may lie inside
            a wider one.
        lift: By source.
        allow: What the allow set has to hold before anything is added; None to
            leave it as it is.
    """

    add: tuple[Ban, ...] = ()
    lift: tuple[Lift, ...] = ()
    allow: frozenset[Prefix] | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.add or self.lift or self.allow is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a judgement gives.

    Attributes:
        verdicts: Heaviest first (count over limit), ties by rule and source. The
            order is total: the same inputs give the same bytes.
        began: Those of `verdicts` that are news: a source came near or above a
            limit, or what follows from it changed.
        ended: The last verdict of each source that is below the limit again.
        plan: What to change.
        questions: Addresses to identify before the next cycle, each once, heaviest source first.
        alarms: What began or ended for the machine as a whole.
    """

    verdicts: tuple[Verdict, ...] = ()
    began: tuple[Verdict, ...] = ()
    ended: tuple[Verdict, ...] = ()
    plan: Plan = Plan()
    questions: tuple[Address, ...] = ()
    alarms: tuple[Alarm, ...] = ()
