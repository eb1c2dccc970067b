"""The kernel's allow set, as it has to be before anything is banned."""

from datetime import datetime

from agent.model.address import Prefix, collapsed
from agent.model.inputs import Surroundings
from agent.model.policy import Policy


def allow_set(policy: Policy, surroundings: Surroundings, now: datetime) -> frozenset[Prefix]:
    """Give what must pass whatever is banned: guards and full exemptions for all services.

    An entry for some services only, or with patience, is judged and so is not in
    here; nor are sources that are known by name only. No two overlap.
    """
    return collapsed(
        (
            *(guard.prefix for guard in surroundings.guards),
            *(
                prefix
                for entry in policy.allowlist
                if entry.patience is None and not entry.services
                if entry.until is None or now < entry.until
                for prefix in entry.prefixes
            ),
        )
    )
