"""What holds for a rule that does not say it: the operator's defaults over the built-in ones."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from agent.model.policy import Escalation, Scope, Sustained
from agent.policy.shapes import Defaults


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Defaults, complete.

    Attributes:
        sustained: Samples above the limit.
        ban: The length of a first ban.
        scope: What a ban covers.
        escalation: How later bans grow.
        warn: Share of the limit above which a source is told of.
    """

    sustained: Sustained
    ban: timedelta
    scope: Scope
    escalation: Escalation
    warn: Fraction

    def under(self, shape: Defaults) -> "Fallback":
        """Give what holds where `shape` leaves something out."""
        return Fallback(
            sustained=shape.sustained or self.sustained,
            ban=shape.ban or self.ban,
            scope=shape.scope or self.scope,
            escalation=self._escalation(shape),
            warn=shape.warn or self.warn,
        )

    def _escalation(self, shape: Defaults) -> Escalation:
        given = shape.escalate
        if given is None:
            return self.escalation
        return Escalation(
            times=given.times or self.escalation.times,
            up_to=given.up_to or self.escalation.up_to,
            within=given.within or self.escalation.within,
        )


EVERY = timedelta(seconds=5)
BUILT_IN = Fallback(
    sustained=Sustained(times=3, of=5),
    ban=timedelta(minutes=10),
    scope=Scope.SERVICE,
    escalation=Escalation(times=2, up_to=timedelta(hours=24), within=timedelta(days=7)),
    warn=Fraction(4, 5),
)
