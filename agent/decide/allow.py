"""The kernel's allow set, as it has to be before anything is banned."""

from datetime import datetime

from agent.decide.grants import prefixes_of
from agent.model.address import Prefix, collapsed
from agent.model.inputs import Spared
from agent.model.policy import Policy


def allow_set(policy: Policy, spared: Spared, now: datetime) -> frozenset[Prefix]:
    """Give what must pass whatever is banned: guards and full exemptions for all services.

    An entry for some services only, or with patience, is judged and so is not in
    here; nor is a guard for ssh alone. No two overlap.
    """
    return collapsed(
        (
            *(guard.prefix for guard in spared.surroundings.guards if not guard.only_ssh),
            *(
                prefix
                for entry in policy.allowlist
                if entry.patience is None and not entry.services
                if entry.until is None or now < entry.until
                for prefix in prefixes_of(entry, spared)
            ),
        )
    )
