"""Numbers of a peer -> numbers within our bounds. Pure."""

from datetime import timedelta

from agent.desk.imports.common import LAST_PORT
from agent.policy import scalars
from agent.policy.fields import LONGEST

MOST_LIMIT = 1_000_000
_LONGEST_S = int(scalars.duration("1s", LONGEST)(LONGEST).total_seconds())
_MOST_EVERY_S = 60
_MOST_DIGITS = 15


def number(text: str) -> int | None:
    """Read decimal digits; None where there is anything else."""
    text = text.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def limit(count: int) -> int:
    """Give the limit that is next to a count."""
    return min(max(count, 1), MOST_LIMIT)


def lasting(seconds: int) -> timedelta:
    """Give the length of a ban that is next to that; a kernel set keeps no longer timer."""
    return timedelta(seconds=min(max(seconds, 1), _LONGEST_S))


def interval(seconds: int) -> timedelta:
    """Give the time between two cycles that is next to that."""
    return timedelta(seconds=min(max(seconds, 1), _MOST_EVERY_S))


def ports(text: str) -> range | None:
    """Read a port, or a range with a hyphen, a colon or an underscore; None for anything else."""
    first, last = (number(one) for one in _ends(text))
    if first is None or last is None or not 1 <= first <= last <= LAST_PORT:
        return None
    return range(first, last + 1)


def _ends(text: str) -> tuple[str, str]:
    for separator in "-:_":
        first, found, last = text.partition(separator)
        if found:
            return first, last
    return text, text
