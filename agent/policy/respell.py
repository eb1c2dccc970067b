"""What a text that does not fit may have been meant as, written as a policy has it. Pure.

Each function gives spellings, the likeliest first. Whoever asks reads them as he reads any
text, and proposes only what fits: so nothing is proposed that is wrong itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache, partial
from ipaddress import IPv4Address, ip_network, summarize_address_range
from types import MappingProxyType
from typing import TypeAlias

Respell: TypeAlias = Callable[[str], Iterable[str]]

_LONGEST = 64
"""Nobody mistypes more."""

_CLOSE = 0.6
"""Least likeness of two names. Source: difflib, the usual one of get_close_matches()."""

_IPV4_BITS, _IPV6_BITS = range(16, 32), range(33, 64)
_BITS = re.compile("[1-9][0-9]{1,2}")

_UNITS = {
    spelling: (ours, factor)
    for ours, factor, spellings in (
        ("w", 1, "w wk wks week weeks"),
        ("d", 1, "d day days"),
        ("d", 365, "y yr yrs year years"),
        ("h", 1, "h hr hrs hour hours"),
        ("m", 1, "m min mins minute minutes"),
        ("s", 1, "s sec secs second seconds"),
        ("ms", 1, "ms msec msecs milli millis millisecond milliseconds"),
    )
    for spelling in spellings.split()
}
_ORDER = ("w", "d", "h", "m", "s", "ms")
_SMALLER = {"w": ("d", 7), "d": ("h", 24), "h": ("m", 60), "m": ("s", 60), "s": ("ms", 1000)}

_PART = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))? *([a-z]+)(?: |,|and)*")
_SIZE = re.compile(r"([0-9]{1,9}) *([kmgt])i?b?(?:ytes?)?")
_RATE = re.compile(r"([0-9]{1,9}) *(?:/|per|a|an) *1? *([a-z]+)")
_SUSTAINED = re.compile(r"([0-9]{1,3}) *(?:/|of|out of|in|from) *([0-9]{1,3})")
_SHARE = re.compile(r"([0-9]{1,3}) *(?:%|percent|per cent|pct)?")
_PART_OF_ONE = re.compile(r"0?\.([0-9]{1,2})")
_FACTOR = re.compile(r"x? *([0-9]{1,9}) *(?:x|times)?")
_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{4})")
_MONTHS = 12
_PORTS = re.compile(r"([0-9]{1,5}) *(?:-|:|\.\.+|to) *([0-9]{1,5})")
_OF_THE_WEB = re.compile(r"(?:[a-z]+://)?(?:\*?\.)?([^:/]+)(?::[0-9]+)?(?:/.*)?")
_WILD = re.compile(r"((?:[0-9]{1,3}\.){1,3})(?:\*|x)(?:\.(?:\*|x))*")


def close_to(names: Iterable[str], also: Iterable[tuple[str, str]] = ()) -> Respell:
    """Give what tells which of `names` a text is most like, or what it is another word for."""
    return partial(_close, names=tuple(names), also=tuple(also))


def nearest(
    text: str, names: Iterable[str], also: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> str | None:
    """Give the one of `names` that a text is most like; None if it is like none.

    Args:
        text: As it was written.
        names: What may be meant.
        also: Other words, each with names that it may stand for.
    """
    each = tuple(names)
    called = [one for one in also.get(text.lower(), ()) if one in each]
    return next(iter(called or _close(text, names=each, also=())), None)


@lru_cache(1024)
def _close(text: str, *, names: tuple[str, ...], also: tuple[tuple[str, str], ...]) -> list[str]:
    if len(text) > _LONGEST:
        return []
    bare = {_bare(word): name for word, name in also} | {_bare(name): name for name in names}
    found = (
        [_bare(text)] if _bare(text) in bare else get_close_matches(_bare(text), bare, 1, _CLOSE)
    )
    return [bare[one] for one in found]


def whole(text: str) -> Iterator[str]:
    """Spell a whole number: without separators, thousands written out."""
    number = re.sub(r"[_,' ]", "", text[:_LONGEST]).removesuffix(".0").removeprefix("+")
    yield number
    if number[-1:] in "kK":
        yield f"{number[:-1]}000"


def duration(text: str) -> Iterator[str]:
    """Spell a duration: our units, the large ones first, no fractions."""
    parts = list(_PART.finditer(text[:_LONGEST].lower().strip()))
    if not parts or "".join(part[0] for part in parts) != text.lower().strip():
        return
    sums: dict[str, int] = {}
    for part in parts:
        if part[3] not in _UNITS:
            return
        unit, factor = _UNITS[part[3]]
        for number, ours in _whole_units(int(part[1] + (part[2] or "")), len(part[2] or ""), unit):
            sums[ours] = sums.get(ours, 0) + number * factor
    yield "".join(f"{sums[unit]}{unit}" for unit in _ORDER if sums.get(unit))


def _whole_units(number: int, decimals: int, unit: str) -> Iterator[tuple[int, str]]:
    """Give whole numbers of units that make `number` / 10^`decimals` of `unit`."""
    count, rest = divmod(number, 10**decimals)
    yield count, unit
    if rest and unit in _SMALLER:
        smaller, size = _SMALLER[unit]
        yield from _whole_units(rest * size, decimals, smaller)


def share(text: str) -> Iterator[str]:
    """Spell a share."""
    spelt = text.lower().strip()
    if match := _SHARE.fullmatch(spelt):
        yield f"{match[1]}%"
    if match := _PART_OF_ONE.fullmatch(spelt):
        yield f"{int(match[1].ljust(2, '0'))}%"


def warning(text: str) -> Iterator[str]:
    """Spell a share, or none."""
    yield from share(text)
    yield from _close(text, names=("none",), also=(("off", "none"), ("never", "none")))


def size(text: str) -> Iterator[str]:
    """Spell a size, or none."""
    if match := _SIZE.fullmatch(text[:_LONGEST].lower().strip()):
        yield f"{match[1]}{match[2].upper()}B"
    yield from _close(text, names=("none",), also=(("off", "none"), ("unlimited", "1TB")))


def rate(text: str) -> Iterator[str]:
    """Spell a rate."""
    match = _RATE.fullmatch(text[:_LONGEST].lower().strip())
    if match and match[2] in _UNITS:
        yield f"{match[1]}/{_UNITS[match[2]][0]}"


def sustained(text: str) -> Iterator[str]:
    """Spell how many of how many."""
    if match := _SUSTAINED.fullmatch(text.lower().strip()):
        yield f"{match[1]} of {match[2]}"


def patience(text: str) -> Iterator[str]:
    """Spell what an entry grants."""
    if match := _FACTOR.fullmatch(text.lower().strip()):
        yield f"{match[1]}x"
    yield from _close(text, names=("exempt",), also=(("all", "exempt"), ("full", "exempt")))


def ports(text: str) -> Iterator[str]:
    """Spell a range of ports."""
    if match := _PORTS.fullmatch(text.strip()):
        yield f"{match[1]}-{match[2]}"


def end(text: str) -> Iterator[str]:
    """Spell a date: whose year comes first, or of which only one part can be the month."""
    if match := _DATE.fullmatch(text.strip()):
        yield f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
    if match := _YEAR_LAST.fullmatch(text.strip()):
        one, other = sorted((int(match[1]), int(match[2])))
        if one <= _MONTHS < other or one == other:
            yield f"{match[3]}-{one:0>2}-{other:0>2}"


def prefix(text: str) -> Iterator[str]:
    """Spell a network: a mask as a length, stars as what they stand for, a range as its network."""
    spelt = text[:_LONGEST].strip()
    try:
        if match := _WILD.fullmatch(spelt):
            given = match[1].count(".")
            yield f"{match[1]}{'.'.join(['0'] * (4 - given))}/{8 * given}"
        elif "-" in spelt:
            first, _, last = (part.strip() for part in spelt.partition("-"))
            yield from map(str, _one_network(IPv4Address(first), IPv4Address(last)))
        elif "." in spelt.partition("/")[2]:
            yield str(ip_network(spelt, strict=False))
    except ValueError:
        return


def _one_network(first: IPv4Address, last: IPv4Address) -> list[object]:
    """Give the network from `first` to `last`, if that is one."""
    found: list[object] = list(summarize_address_range(first, last))
    return found if len(found) == 1 else []


def slug(text: str) -> Iterator[str]:
    """Spell a name without what may not stand in one."""
    if len(text) <= _LONGEST and text.isprintable() and text.isascii():
        yield re.sub("[^A-Za-z0-9._-]+", "-", text).strip("-._")


def domain(text: str) -> Iterator[str]:
    """Spell a domain that was written as an address of the web, with a port, or with stars."""
    if match := _OF_THE_WEB.fullmatch(text[: 4 * _LONGEST].lower()):
        yield match[1]


def width(text: str) -> Iterator[str]:
    """Spell how wide a source is, wider than a host in both families."""
    yield from _close(text, names=("host",), also=(("ip", "host"), ("address", "host")))
    bits = text.removeprefix("/")
    if _BITS.fullmatch(bits) and int(bits) in _IPV4_BITS:
        yield f"{{ipv4: {bits}, ipv6: 48}}"
    elif _BITS.fullmatch(bits) and int(bits) in _IPV6_BITS:
        yield f"{{ipv4: 24, ipv6: {bits}}}"


def version(text: str) -> Iterator[str]:
    """Spell the version."""
    yield text.strip().lower().removeprefix("v").removesuffix(".0")


def _bare(name: str) -> str:
    return re.sub("[-_ .]", "", name.casefold())
