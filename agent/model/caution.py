"""What of a policy is right and will surprise all the same."""

from dataclasses import dataclass

from agent.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """One thing to think about, by what it is about.

    Attributes:
        kind: What sort of thing, one word for programs: ``shadowed``, ``expired`` ...
        about: Where it is in the policy: a block, the name of what stands in it, and
            keys and indices from there on, as ``("rules", "web-crowd", "above")``.
        problem: What will surprise, and what to do about it, in one line.
    """

    kind: str
    about: tuple[str | int, ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Warned(Fault):
    """A caution at its place in a file.

    Attributes:
        kind: The caution's.
    """

    kind: str

    def __str__(self) -> str:
        """One line beginning with ``file:line:column``."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, "warning", self.path, self.problem) if part)
