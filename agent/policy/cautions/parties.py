"""Entries whose grant is not what one might think."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from agent.model.address import Prefix, collapsed, covers
from agent.model.caution import Caution
from agent.model.policy import TRUSTED_PROXIES, AllowEntry, Kind
from agent.policy.words import listed

WIDE = {4: 8, 6: 16}
"""A shorter prefix, by IP version, is much of the internet.

No single owner has more: registries gave out IPv4 by the /8 at most. Of IPv6 they hold
/12s themselves, each for a continent, and what they give out of those is no wider than /16.
"""

_PRIVATE = ip_network("fc00::/7")
_MOST_NAMED = 3


def party_cautions(allowlist: Iterable[AllowEntry]) -> Iterator[Caution]:
    """Tell of infrastructure that is judged, of much of the internet, of proxies and ssh."""
    for entry in allowlist:
        if entry.kind is Kind.INFRASTRUCTURE and entry.patience is not None:
            yield Caution(
                kind="infrastructure",
                about=(*about(entry), "grants"),
                problem=f"{entry.name} is infrastructure with {entry.patience}x: it is judged and "
                "can be banned; write grants: exempt if it must never be",
            )
        yield from _wide(entry)
        if entry.name == TRUSTED_PROXIES and not entry.services:
            yield Caution(
                kind="proxies",
                about=about(entry),
                problem="trusted_proxies are exempt from every service, ssh too: write "
                "services: [web] if it is web clients that they bring",
            )


def about(entry: AllowEntry) -> tuple[str, ...]:
    """Give where an entry stands, as cautions have it."""
    return (TRUSTED_PROXIES,) if entry.name == TRUSTED_PROXIES else ("allowlist", entry.name)


def _wide(entry: AllowEntry) -> Iterator[Caution]:
    """Tell of what is too wide, be it of several neighbours that are so together."""
    wide = sorted(filter(_is_wide, collapsed(entry.prefixes)), key=str)
    if not wide:
        return
    alone = [number for number, one in enumerate(entry.prefixes) if _is_wide(one)]
    names = listed([*map(str, wide[:_MOST_NAMED]), *(["more"] if wide[_MOST_NAMED:] else [])])
    first = f"{entry.name} exempts {names}: that is much of the internet, and nobody there is ever"
    if entry.patience is not None:
        first = (
            f"{entry.name} has {entry.patience}x for {names}: that is much of the internet, and "
            "each limit is so much higher there for everybody"
        )
    yield Caution(
        kind="wide",
        about=(*about(entry), "prefixes", *alone[:1]),
        problem=f"{first}{' banned' if entry.patience is None else ''}; list what you mean",
    )


def _is_wide(prefix: Prefix) -> bool:
    return prefix.prefixlen < WIDE[prefix.version] and not covers(_PRIVATE, prefix)
