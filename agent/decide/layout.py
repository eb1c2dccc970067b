"""What a firewall has to be prepared for, by what a policy's rules may ask."""

from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet, Layout
from agent.model.policy import SSH, SSH_PORT, Answer, Policy, Rule, Scope


def layout_of(policy: Policy) -> Layout:
    """Give the sets for every ban that rules of `policy`, or a person, could ask for.

    A person may ban from the host and from every service, so that all drops are there
    whatever the rules do.
    """
    drops = [
        BanSet(target=(Scope.SERVICE, one.name, Answer.DROP), ports=one.ports)
        for one in policy.services
    ]
    throttles = {_throttle(rule): None for rule in policy.rules if rule.rate is not None}
    named = next((one.ports for one in policy.services if one.name == SSH), None)
    return Layout(
        sets=(
            BanSet(target=HOST_AND_SSH_DROP),
            BanSet(target=HOST_DROP),
            *drops,
            *throttles,
        ),
        ssh=frozenset({SSH_PORT}) if named is None else named,
    )


def _throttle(rule: Rule) -> BanSet:
    """Give the set of a throttle: always of its service, whatever the rule's scope is."""
    return BanSet(
        target=(Scope.SERVICE, rule.service.name, Answer.THROTTLE),
        ports=rule.service.ports,
        rate=rule.rate,
        per=rule.per,
    )
