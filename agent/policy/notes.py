"""What of a policy is right and will surprise all the same. Pure."""

from collections.abc import Iterable, Iterator

from agent.model.policy import TRUSTED_PROXIES, AllowEntry, Kind


def notes_of(allowlist: Iterable[AllowEntry]) -> Iterator[str]:
    """Tell it of allowlist entries, a line each, beginning with ``file:line``."""
    for entry in allowlist:
        if entry.kind is Kind.INFRASTRUCTURE and entry.patience is not None:
            yield (
                f"{entry.declared_at}: {entry.name} is infrastructure with {entry.patience}x: "
                "it is judged and can be banned; write grants: exempt if it must never be"
            )
        if entry.name == TRUSTED_PROXIES and not entry.services:
            yield (
                f"{entry.declared_at}: trusted_proxies are exempt from every service, ssh too: "
                "write services: [web] if it is web clients that they bring"
            )
