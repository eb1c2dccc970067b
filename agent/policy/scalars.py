"""Text -> numbers, times and shares, typed by us. Pure.

Each function that ends in a noun of the policy gives a value or raises `Misfit`
with a hint, which may be empty: what was expected and found is said by the caller.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from agent.model.policy import Rate, Sustained

_LONGEST_NUMBER = 15
_PER_UNIT_MS = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION = re.compile(
    r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m(?!s))?(?:([0-9]+)s)?(?:([0-9]+)ms)?"
)
_FOR_EVER = frozenset({"permanent", "forever", "never", "infinite", "always", "-1"})
_RATE = re.compile(r"([0-9]+)/(s|m|h)")
_SEPARATED = re.compile(r"[0-9]+([_,' ][0-9]+)+")
_SIZE = re.compile(r"([0-9]+)(KB|MB|GB|TB)")
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_PORTS = re.compile(r"[0-9-]{1,11}(, ?[0-9-]{1,11}){1,5}")
_SUSTAINED = re.compile(r"([0-9]+) +of +([0-9]+)")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)


class Misfit(ValueError):  # noqa: N818 - a value that doesn't fit, told to the operator as a fault
    """A text is not what it should be; carries a hint, or nothing."""


def whole(low: int, high: int) -> Callable[[str], int]:
    """Give the reader of a whole number of `low` to `high`."""

    def read(text: str) -> int:
        value = _number(text)
        if not low <= value <= high:
            raise Misfit
        return value

    return read


def duration(low: str, high: str) -> Callable[[str], timedelta]:
    """Give the reader of a duration of `low` to `high`, such as ``1h30m``."""
    low_ms, high_ms = _milliseconds(low), _milliseconds(high)

    def read(text: str) -> timedelta:
        value_ms = _milliseconds(text)
        if not low_ms <= value_ms <= high_ms:
            raise Misfit
        return timedelta(milliseconds=value_ms)

    return read


def share(text: str) -> Fraction:
    """Read ``1%`` to ``100%``."""
    if not text.endswith("%"):
        raise Misfit("write it with a percent sign" if text.isdecimal() else "")
    return Fraction(whole(1, 100)(text[:-1]), 100)


def warning(text: str) -> Fraction:
    """Read a share of the limit, or ``none`` for never."""
    return Fraction(1) if text == "none" else share(text)


def sustained(text: str) -> Sustained:
    """Read ``3 of 5``: 1 <= k <= n <= 60."""
    match = _SUSTAINED.fullmatch(text)
    if match is None:
        raise Misfit
    times, of = whole(1, 60)(match[1]), whole(1, 60)(match[2])
    if times > of:
        raise Misfit("the first number can't be above the second")
    return Sustained(times=times, of=of)


def size(text: str) -> int:
    """Read ``1MB`` to ``1TB`` as bytes, or ``none`` as 0; a kilobyte is 1,000 of them."""
    if text == "none":
        return 0
    match = _SIZE.fullmatch(text)
    if match is None:
        raise Misfit("a size needs its unit: KB, MB, GB or TB" if text.isdecimal() else "")
    value = _number(match[1]) * _BYTES[match[2]]
    if not _BYTES["MB"] <= value <= _BYTES["TB"]:
        raise Misfit
    return value


def rate(text: str) -> Rate:
    """Read ``10/m``: new connections in a second, a minute or an hour."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise Misfit
    per = timedelta(milliseconds=_PER_UNIT_MS[match[2]])
    return Rate(count=whole(1, 10_000)(match[1]), per=per)


def patience(text: str) -> int | None:
    """Read ``exempt`` (None), or ``10x``: the factor of each limit."""
    if text == "exempt":
        return None
    if not text.endswith("x"):
        raise Misfit
    return whole(2, 1000)(text[:-1])


def ports(text: str) -> range:
    """Read a port, or a range such as ``8000-8099`` with both ends in it."""
    if _PORTS.fullmatch(text):
        raise Misfit(f"write several as a list: [{text}]")
    if text.isalpha():
        raise Misfit("write the number of the port, as 80")
    first, dash, last = text.partition("-")
    port = whole(1, 65535)
    low, high = port(first), port(last if dash else first)
    if low > high:
        raise Misfit("the first port can't be above the second")
    return range(low, high + 1)


def end(text: str) -> datetime:
    """Read a date, which holds through its last second in UTC, or an RFC 3339 moment.

    Gives the first moment after it. Source: RFC 3339 5.6.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or (match[1] and match[2] is None):
        raise Misfit("a moment needs its offset from UTC: end it with Z or +01:00" if match else "")
    try:
        start = datetime.fromisoformat(text.upper())
        return start.astimezone(UTC) if match[1] else start.replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Misfit("there is no such day or moment") from error


def _number(text: str) -> int:
    """Read decimal digits; a leading zero would mean octal to some readers."""
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER:
        raise Misfit("write the digits alone" if _SEPARATED.fullmatch(text) else "")
    if text[0] == "0" and len(text) > 1:
        raise Misfit("write it without the leading zero")
    return int(text)


def _milliseconds(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        if text.lower() in _FOR_EVER:
            raise Misfit("everything ends: escalate lets later bans grow")
        raise Misfit("a number needs its unit: ms, s, m, h, d or w" if text.isdecimal() else "")
    numbers = [_number(digits or "0") for digits in match.groups()]
    return sum(number * size for number, size in zip(numbers, _PER_UNIT_MS.values(), strict=True))
