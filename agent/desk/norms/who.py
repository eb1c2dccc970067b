"""What a policy grants to recorded sources, and by what names they were known."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import is_

from agent.decide.grants import Grant, Grants, grants_of
from agent.desk.replay.identities import Remembered
from agent.model.address import Address, Source, is_host
from agent.model.frame import Frame
from agent.model.inputs import Identities, Surroundings
from agent.model.learned import Learned
from agent.model.policy import Policy


@dataclass(slots=True)
class Who:
    """Goes from frame to frame.

    Attributes:
        policy: Whose allowlist counts.
    """

    policy: Policy
    _names: dict[Address, tuple[str, ...]] = field(default_factory=dict)
    _remembered: Remembered | None = None
    _frame: Frame | None = None
    _from: tuple[Identities, Surroundings, Learned] | None = None
    _grants: Grants | None = None

    def take(self, frame: Frame) -> bool:
        """Take a moment; tell whether anybody may be granted something else since the last."""
        self._frame = frame
        if self._remembered is None:
            self._remembered = Remembered(frame, {})
        self._remembered.frame = frame
        known = self._remembered.look(self.policy, frame.at)
        now = (known, frame.inputs.surroundings, frame.learned)
        if self._from and all(map(is_, self._from, now)):
            return False
        self._from, self._grants = now, None
        self._names |= {one: who.names for one, who in frame.learned.verified.items()}
        return True

    def grant(self, source: Source, service: str) -> Grant:
        """Tell what a source is granted with a service, by what is known at this moment."""
        if self._frame is None or self._from is None:
            return Grant()
        known, surroundings, _ = self._from
        if self._grants is None:
            inputs = replace(self._frame.inputs, identities=known, surroundings=surroundings)
            self._grants = grants_of(self.policy, inputs.spared)
        return self._grants.of(source.prefix, service, self._frame.at, known)

    def words(self, source: Source, service: str) -> Iterator[str]:
        """Say who a source is, as far as that is known by now."""
        if is_host(source.prefix):
            yield from self._names.get(source.prefix.network_address, ())
        grant = self.grant(source, service)
        if grant.guard is not None:
            yield grant.guard
        elif grant.entry is not None:
            entry = grant.entry
            granted = "exempt" if entry.patience is None else f"{entry.patience}x"
            yield f"{granted} as {entry.name}, {entry.declared_at}"
