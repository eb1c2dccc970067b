"""What a look into a firewall brings to light, beside the bans it holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one set has stopped since its rules were made.

    Attributes:
        name: The set's.
        elements: How many are in it now.
        packets: Dropped.
        size_bytes: Of those packets.
    """

    name: str
    elements: int
    packets: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is there, and what is wrong with it.

    Attributes:
        faults: One sentence each: what does not work as it should, and what to do.
        traffic: By the name of the set.
    """

    faults: tuple[str, ...] = ()
    traffic: tuple[Traffic, ...] = ()
