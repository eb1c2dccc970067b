"""What of a policy is right and will surprise, as far as the policy alone tells. Pure.

Each part tells only what is certain: a warning that is wrong once is not read twice.
"""

from collections.abc import Iterator
from datetime import datetime

from agent.model.caution import Caution
from agent.model.policy import Policy
from agent.policy.cautions.ends import end_cautions
from agent.policy.cautions.idle import idle_cautions
from agent.policy.cautions.needless import needless_cautions
from agent.policy.cautions.parties import party_cautions
from agent.policy.cautions.shadow import shadow_cautions

__all__ = ["party_cautions", "policy_cautions"]


def policy_cautions(policy: Policy, now: datetime) -> Iterator[Caution]:
    """Give them all; entries that have ended by `now` count for nothing."""
    yield from party_cautions(policy.allowlist)
    yield from end_cautions(policy.allowlist, now)
    yield from needless_cautions(policy, now)
    yield from idle_cautions(policy, now)
    yield from shadow_cautions(policy)
