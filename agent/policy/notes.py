"""What of a policy is told at the start of a run. Pure."""

from collections.abc import Iterable, Iterator

from agent.model.policy import AllowEntry
from agent.policy.cautions import party_cautions


def notes_of(allowlist: Iterable[AllowEntry]) -> Iterator[str]:
    """Tell what of allowlist entries will surprise, a line each, beginning with ``file:line``."""
    for entry in allowlist:
        for caution in party_cautions([entry]):
            yield f"{entry.declared_at}: {caution.problem}"
