"""What concerns the machine as a whole, rather than one source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """SYNs that nobody may stand behind, at one service.

    Attributes:
        service: Its name; ``port 8443`` for a port that no service has, empty where the
            kernel doesn't tell.
        half_open: Half-open connections at its ports.
        sources: How many sources hold them.
        networks: How many networks (/24, /48) those are in.
        heaviest: How many of them the heaviest source holds.
        counters: The kernel's signs of pressure, by how much each grew since it began.
        lasted: From its first sign to its last.
        advice: What to do on this machine, a sentence each.
        is_over: Whether it has ended; the figures are those of its worst moment.
    """

    service: str
    half_open: int
    sources: int
    networks: int
    heaviest: int
    counters: Mapping[str, int]
    lasted: timedelta
    advice: tuple[str, ...]
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """An application that lets finished handshakes wait until the kernel drops some: no flood.

    Attributes:
        service: Its name, as `Flood` has it.
        waiting: Finished handshakes that wait at its ports.
        backlog: How many may.
        counters: The kernel's signs, by how much each grew since it began.
        lasted: From its first sign to its last.
        advice: What to do on this machine, a sentence each.
        is_over: Whether it has ended; the figures are those of its worst moment.
    """

    service: str
    waiting: int
    backlog: int
    counters: Mapping[str, int]
    lasted: timedelta
    advice: tuple[str, ...]
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker opened or closed.

    Attributes:
        is_open: Which of both.
        reason: In a sentence.
        candidates: Known clients that would be banned, or are; of a policy that is new, all
            sources that would be.
        known_clients: All that are there, likewise.
    """

    is_open: bool
    reason: str
    candidates: int
    known_clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindProxy:
    """Most connections come from a CDN, or one address, that the policy does not know of.

    Attributes:
        vendor: Whose networks; ``one address:`` and it for a single one.
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


Alarm: TypeAlias = Flood | Slow | Breaker | BehindProxy
