"""What concerns the machine as a whole, rather than one source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """SYNs that nobody may stand behind, at one service.

    Attributes:
        service: Its name.
        half_open: Half-open connections at its ports.
        sources: How many sources hold them.
        networks: How many networks (/24, /48) those are in.
        heaviest: How many of them the heaviest source holds.
        counters: The kernel's signs of pressure, by how much each grew.
        advice: What to do on this machine, a sentence each.
        is_over: Whether it has ended; the figures are those of its end.
    """

    service: str
    half_open: int
    sources: int
    networks: int
    heaviest: int
    counters: Mapping[str, int]
    advice: tuple[str, ...]
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker opened or closed.

    Attributes:
        is_open: Which of both.
        reason: In a sentence.
        candidates: Known clients that would be banned, or are.
        known_clients: All that are there.
    """

    is_open: bool
    reason: str
    candidates: int
    known_clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindProxy:
    """Most connections come from a CDN that the policy does not know of.

    Attributes:
        vendor: Whose networks.
        connections: From there.
        total: All connections of others.
        sources: Addresses they come from.
        advice: What to do, a sentence each.
    """

    vendor: str
    connections: int
    total: int
    sources: int
    advice: tuple[str, ...]


Alarm: TypeAlias = Flood | Breaker | BehindProxy
