"""What is asked of a name server, and what it may answer. Pure."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias, TypeVar

from agent.model.address import Address

T = TypeVar("T")

MOST_BYTES = 1232
"""Of an answer. It fits one packet on any network, so nobody can slip in a fragment of it;
and reading it holds the interpreter for a millisecond at most."""


class Kind(IntEnum):
    """What is asked for. Source: RFC 1035 3.2.2, RFC 3596 2.1."""

    A = 1
    PTR = 12
    AAAA = 28


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        name: In lower case, without the dot at its end.
        kind: What of it.
    """

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a name stands for; nothing of that kind, or no such name, is an answer too.

    Attributes:
        names: Of a PTR question, in lower case and in the order of the answer. Names that
            are no host names (letters, digits, ``-`` and ``_``) are left out.
        addresses: Of the others, in the order of the answer.
        ttl_s: How long that holds.
    """

    names: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    ttl_s: int


class Reply(Enum):
    """What came instead of an answer.

    Attributes:
        STRAY: It is not from whom was asked, or not about what was asked.
        REFUSED: This server does not answer: it fails, or would only over TCP.
    """

    STRAY = "stray"
    REFUSED = "refused"


Steps: TypeAlias = Generator[tuple[Question, ...], tuple[Answer | None, ...], T]
"""A look-up without I/O: it gives questions, is sent the answers in their order (None for
each that got none in time), and returns what came of it."""
