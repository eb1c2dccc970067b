"""One moment as the tape keeps it: a cycle's inputs, without whoever is below the floor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.model.address import Width
from agent.model.inputs import Inputs
from agent.model.learned import Learned

Histogram: TypeAlias = Mapping[int, int]
"""From a count to how many sources had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The sources of one width that are not kept one by one.

    Attributes:
        width: How wide a source is.
        floor: A source is kept when more than so many of its sockets, whatever their port,
            are in states of one measure. Whoever is not has at most that many.
        counts: By (service, measure) of the policy in force, how many sources the measure's
            usual states gave which count, above 0, on the service's ports.
    """

    width: Width
    floor: int
    counts: Mapping[tuple[str, str], Histogram] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A recorded moment.

    What is kept of the sample: every host above the floor for hosts, and every member of a
    wider source above the floor for that width; of whoever is kept, all rows. (Of an IPv6
    line with very many addresses, the lightest are told as its first one.) `Rest` counts
    the others: those of width `HOST` without the members of a kept wide source, those of a
    wider width with the sockets of kept hosts in them.

    Attributes:
        at: The moment; aware, UTC.
        is_start: Whether it is an agent's first.
        policy_sha256: The policy in force.
        inputs: What was judged. The tally has the kept sources only, `others` and `standing`
            tell of the rest. Nothing is installed and there is no history: a replay has
            bans of its own. Addresses are `answered` only where they are kept; there are no
            vendors.
        learned: Of kept sources their confirmed names; what host names stood for; with the
            first frame of an agent also the policy that had been tried before.
        rest: By width: `HOST` first, then the other widths in use, widest last.
    """

    at: datetime
    is_start: bool = False
    policy_sha256: str = ""
    inputs: Inputs
    learned: Learned = field(default_factory=Learned)
    rest: tuple[Rest, ...] = ()
