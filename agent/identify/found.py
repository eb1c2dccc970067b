"""Who belongs to a policy's entries, without asking anybody."""

from agent.errors import Fault
from agent.identify.confirm import above
from agent.identify.range_files import read_ranges
from agent.model.address import Prefix, Source
from agent.model.inputs import Found
from agent.model.learned import Learned
from agent.model.policy import AllowEntry, Policy


def found_of(policy: Policy, learned: Learned) -> Found:
    """Give what range files say, and what was learned about hosts and names."""
    return {
        entry.name: frozenset().union(
            *map(_in_file, entry.ranges),
            *(learned.hosts.get(host, frozenset()) for host in entry.hosts),
            _by_name(entry, learned),
        )
        for entry in policy.allowlist
        if entry.must_be_asked
    }


def _in_file(path: str) -> frozenset[Prefix]:
    found = read_ranges(path)
    return frozenset() if isinstance(found, Fault) else found.prefixes


def _by_name(entry: AllowEntry, learned: Learned) -> frozenset[Prefix]:
    return frozenset(
        Source.of(address).prefix
        for address, verified in learned.verified.items()
        if any(one in entry.names for name in verified.names for one in above(name))
    )
