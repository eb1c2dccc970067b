"""What the doctor says of one thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a thing was found."""

    WRONG = "wrong"
    ADVICE = "advice"
    FINE = "fine"
    UNKNOWN = "unknown"


class Topic(StrEnum):
    """What a thing belongs to, in the order of telling."""

    STATES = "states"
    CONNECTIONS = "connections"
    QUEUES = "queues"
    COUNTERS = "counters"
    SETTINGS = "settings"
    FIREWALL = "firewall"
    AGENT = "agent"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one thing.

    Attributes:
        topic: What it belongs to.
        name: What it is, for scripts: ``CLOSE_WAIT``, ``net.ipv4.tcp_syncookies``, ``clock``.
        grade: `WRONG`, something has to be done: the exit status tells. `ADVICE`, this would
            be better otherwise, and nothing is broken. `UNKNOWN`, it could not be looked at.
        value: As measured or read; empty where there is none.
        says: What it means here, a sentence or two.
        why: Why that matters; empty where `says` is enough.
        do: Commands, or one line each of what to do; empty when nothing is to be done.
    """

    topic: Topic
    name: str
    grade: Grade
    value: str
    says: str
    why: str = ""
    do: tuple[str, ...] = ()
