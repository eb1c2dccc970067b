"""What the sets that hold a ban have stopped. Pure.

The kernel counts packets by rule, and a rule looks into a set: a figure is that of everybody
in the sets of one treatment, never of one source.
"""

from collections.abc import Iterable

from agent.act.ipset.names import set_name
from agent.act.nftables.names import read_name
from agent.model.ban import Target
from agent.model.inspection import Traffic
from agent.model.layout import Layout


def stopped(
    traffic: Iterable[Traffic], target: Target, version: int, layout: Layout
) -> tuple[Traffic, ...]:
    """Give the sets for a target, as `Firewall.inspect` of either firewall names them.

    Args:
        traffic: Of all sets.
        target: What the bans cover, and how.
        version: Of IP.
        layout: Of the policy in force.
    """
    named = {set_name(one, version) for one in layout.sets if one.target == target}
    return tuple(one for one in traffic if one.name in named or _is(one.name, target, version))


def _is(name: str, target: Target, version: int) -> bool:
    found = read_name(name)
    return found is not None and found[0][0] == target and found[1].version == version
