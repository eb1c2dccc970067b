"""Who belongs to a policy's entries, without asking anybody."""

from agent.model.inputs import Found
from agent.model.learned import Learned
from agent.model.policy import Policy


def found_of(policy: Policy, learned: Learned) -> Found:
    """Give what range files say, and what was learned about hosts and names."""
    return {}
