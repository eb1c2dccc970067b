"""What the doctor knows of one setting, and what may be held against its value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.values import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Ill:
    """What is to be held against a value.

    Attributes:
        says: What is measured, or what this value does.
        to: A better value; empty when another one would not help.
        grade: `ADVICE` or `WRONG`.
    """

    says: str
    to: str = ""
    grade: Grade = Grade.ADVICE


Judge: TypeAlias = Callable[[Facts, tuple[int, ...]], Ill | None]
"""Gets the numbers in a setting, and gives what is to be held against them on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    Attributes:
        name: As ``net.ipv4.tcp_fin_timeout``.
        default: The kernel's own, in words.
        does: What it does, in a sentence.
        tutorials: What old tutorials make of it, and what comes of that.
        judges: The first that has something against the value is told.
        numbers: How many there are in it.
    """

    name: str
    default: str
    does: str
    tutorials: str
    judges: tuple[Judge, ...] = ()
    numbers: int = 1


def below(least: int, says: str, to: str) -> Judge:
    """Give a judge of values that are too small whatever the machine does."""
    return lambda _facts, numbers: Ill(says=says, to=to) if numbers[0] < least else None


def above(most: int, says: str, to: str) -> Judge:
    """Give a judge of values that are too large whatever the machine does."""
    return lambda _facts, numbers: Ill(says=says, to=to) if numbers[0] > most else None
