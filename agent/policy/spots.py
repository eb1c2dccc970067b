"""From what a caution is about to where that stands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.model.caution import Caution, Warned
from agent.policy.document import Scalar
from agent.policy.join import join
from agent.policy.place import Faults, Place
from agent.policy.text import PolicyText


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """Where the parts of a right policy stand.

    Attributes:
        file: The first; what is about no part is told of it as a whole.
        places: By block and name, as ``("rules", "web")``; single blocks by their key alone.
    """

    file: str
    places: dict[tuple[str | int, ...], Place] = field(default_factory=dict)

    def warned(self, caution: Caution) -> Warned:
        """Give a caution with its place: as near to what it is about as there is something."""
        for length in (2, 1):
            place = self.places.get(caution.about[:length])
            if place is not None:
                return _warned(caution, place.at(*caution.about[length:]))
        return _warned(caution, self.file)


def spots_of(texts: Sequence[PolicyText]) -> Spots:
    """Find the parts of a policy in its texts, which are right."""
    joined = join(texts, Faults())
    spots = Spots(file=texts[0].file if texts else "")
    spots.places.update({(key,): place for key, place in joined.single.items()})
    for key, _ in joined.services:
        spots.places[("services", _text(key))] = key
    for block, places in (("allowlist", joined.allowlist), ("rules", joined.rules)):
        spots.places.update({(block, _text(place.at("name"))): place for place in places})
    return spots


def _text(place: Place) -> str:
    return place.node.text if isinstance(place.node, Scalar) else ""


def _warned(caution: Caution, there: Place | str) -> Warned:
    """Put a caution to a place, or to a file as a whole."""
    if isinstance(there, str):
        return Warned(kind=caution.kind, file=there, problem=caution.problem)
    return Warned(
        kind=caution.kind,
        file=there.file,
        line=there.node.line,
        column=there.node.column,
        path=there.path,
        problem=caution.problem,
    )
