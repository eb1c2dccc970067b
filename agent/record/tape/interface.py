"""What the loop needs of whoever records its moments."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from agent.model.inputs import Inputs, Standing
from agent.model.learned import Learned
from agent.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A cycle that is over, whole.

    Attributes:
        inputs: What was judged.
        policy: In force.
        standing: Tells, of the hosts with these keys (of width `HOST`), what was known ahead
            of this moment, and how many others are here.
        learned: Gives names, hosts, and the policy that has been tried by now.
    """

    inputs: Inputs
    policy: Policy
    standing: Callable[[Collection[bytes]], Standing]
    learned: Callable[[], Learned]


class Recorder(Protocol):
    """Records moments, once each cycle is over. It never raises."""

    def record(self, moment: Moment) -> None:
        """Keep what is to be kept of a moment."""

    def trouble(self) -> str | None:
        """Say why nothing is recorded; None while all is well."""


class NoTape:
    """Records nothing."""

    def record(self, moment: Moment) -> None:
        """Forget it."""

    def trouble(self) -> str | None:
        """Nothing can go wrong."""
        return None
