"""From a case to what follows: the order of these questions is the law."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.decide.case import Case
from agent.decide.proof import Proven
from agent.model.address import Width
from agent.model.policy import Answer, Mode
from agent.model.verdict import Finding


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known about half-open connections at this moment.

    Attributes:
        pressed: Names of the services that are under pressure of SYNs.
        proven: By width, what tells by its key whether a source was ESTABLISHED lately.
    """

    pressed: frozenset[str]
    proven: dict[Width, Callable[[bytes], bool]]

    def remains(self, case: Case) -> bool:
        """Whether a count that proves nothing is no ground to act on this source."""
        is_pressed = case.rule.service.name in self.pressed
        return not is_pressed or self.proven[case.rule.per](case.group)


def doubt_of(cases: list[Case], proven: Proven, pressed: frozenset[str]) -> Doubt:
    """Prepare what the unproven cases need, and nothing when there are none."""
    widths = {case.rule.per for case in cases if not case.rule.measure.proves}
    return Doubt(pressed, {width: proven.holder(width) for width in widths})


def find(case: Case, above: int, doubt: Doubt) -> Finding:
    """Tell what follows for one source from one rule, as if nothing were installed.

    Args:
        case: The source under the rule.
        above: In how many of the rule's last samples it was above the limit.
        doubt: What is known about half-open connections.

    Returns:
        BAN or THROTTLE for what the rule asks for; `ban` may still find it held
        or over a cap.
    """
    rule, asks_for = case.rule, _ASKS_FOR[case.rule.answer]
    questions = (
        (not case.is_above, Finding.WARNED),
        (case.grant.is_exemption, Finding.EXEMPT),
        (case.may_be is not None, Finding.PENDING),
        (not rule.measure.proves and doubt.remains(case), Finding.UNPROVEN),
        (above < rule.sustained.times, Finding.SUSTAINING),
        (rule.mode is Mode.OBSERVE, Finding.OBSERVED),
    )
    return next((finding for holds, finding in questions if holds), asks_for)


_ASKS_FOR = {Answer.DROP: Finding.BAN, Answer.THROTTLE: Finding.THROTTLE}
