"""Looking around again when it is worth it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from agent.model.inputs import Surroundings
from agent.model.policy import Administrators
from agent.observe.surroundings import read_surroundings

EVERY_S = 60.0


@dataclass(slots=True)
class Lookout:
    """Gives the surroundings, from memory while nothing speaks for a change of them.

    Attributes:
        stopwatch: Seconds that only grow.
    """

    stopwatch: Callable[[], float]
    _seen: Surroundings = field(default_factory=Surroundings)
    _administrators: Administrators | None = None
    _due: float = -inf

    def __call__(self, administrators: Administrators) -> Surroundings:
        """Give what this machine stands on."""
        at = self.stopwatch()
        if at >= self._due or administrators != self._administrators:
            self._due, self._administrators = at + EVERY_S, administrators
            self._seen = read_surroundings(administrators=administrators)
        return self._seen
