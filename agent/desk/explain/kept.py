"""What the firewall, read back, holds for one source."""

from dataclasses import dataclass, field

from agent.act.choose import open_firewall
from agent.act.privilege import demand
from agent.act.stopped import stopped
from agent.decide import layout_of
from agent.desk.explain.values import Kept
from agent.desk.site import firewall_of
from agent.desk.where import Where
from agent.model.address import Prefix, overlaps
from agent.model.ban import Installed
from agent.model.policy import Policy
from agent.record.locks import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """The firewall, as far as a judgement and a reader need it.

    Attributes:
        kept: What is about the source.
        near: What is about its neighbourhood.
    """

    kept: Kept
    near: Installed = field(default_factory=Installed)


def read_kept(
    where: Where, agent: Agent | None, policy: Policy, prefixes: tuple[Prefix, Prefix]
) -> ReadBack:
    """Read the firewall back; nothing is changed.

    Args:
        where: Which one.
        agent: The running one.
        policy: In force.
        prefixes: The source, and its neighbourhood.

    Raises:
        BusyError: Another firewall was asked for than the running agent uses.
        FirewallError: It is not there, or not for this process.
    """
    demand("CAP_NET_ADMIN")
    prefix, wide = prefixes
    firewall, layout = open_firewall(firewall_of(where, agent)), layout_of(policy)
    firewall.missing(layout)
    installed = firewall.installed(where.now)
    near = Installed(
        bans=tuple(one for one in installed.bans if overlaps(one.source.prefix, wide)),
        allowed=frozenset(one for one in installed.allowed if overlaps(one, wide)),
    )
    bans = tuple(one for one in near.bans if overlaps(one.source.prefix, prefix))
    traffic = firewall.inspect().traffic if bans else ()
    return ReadBack(
        kept=Kept(
            firewall=firewall.name,
            bans=bans,
            allowed=tuple(one for one in near.allowed if overlaps(one, prefix)),
            traffic=tuple(
                dict.fromkeys(
                    one
                    for ban in bans
                    for one in stopped(traffic, ban.target, prefix.version, layout)
                )
            ),
        ),
        near=near,
    )
