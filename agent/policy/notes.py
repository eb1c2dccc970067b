"""What of a policy is right and will surprise all the same. Pure."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from agent.model.address import Prefix, covers
from agent.model.policy import TRUSTED_PROXIES, AllowEntry, Kind

WIDE = {4: 8, 6: 16}
"""A shorter prefix, by IP version, is much of the internet."""

_PRIVATE = ip_network("fc00::/7")


def notes_of(allowlist: Iterable[AllowEntry]) -> Iterator[str]:
    """Tell it of allowlist entries, a line each, beginning with ``file:line``."""
    for entry in allowlist:
        if entry.kind is Kind.INFRASTRUCTURE and entry.patience is not None:
            yield (
                f"{entry.declared_at}: {entry.name} is infrastructure with {entry.patience}x: "
                "it is judged and can be banned; write grants: exempt if it must never be"
            )
        wide = [one for one in entry.prefixes if entry.patience is None and _is_wide(one)]
        if wide:
            yield (
                f"{entry.declared_at}: {entry.name} exempts {', '.join(map(str, wide))}: that is "
                "much of the internet, and nobody there is ever banned; list what you mean"
            )
        if entry.name == TRUSTED_PROXIES and not entry.services:
            yield (
                f"{entry.declared_at}: trusted_proxies are exempt from every service, ssh too: "
                "write services: [web] if it is web clients that they bring"
            )


def _is_wide(prefix: Prefix) -> bool:
    return prefix.prefixlen < WIDE[prefix.version] and not covers(_PRIVATE, prefix)
