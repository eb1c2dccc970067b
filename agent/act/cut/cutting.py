"""The cut: what a banned source holds is taken from it, for nothing of it to outlive the ban.

Otherwise its connections would stand until they time out, and be counted again when the
ban is over. A throttle cuts nothing: it is about new connections.

Cut are the inbound sockets of this network namespace within the scope of the bans, and
the flows that the kernel tracks there, forwarded ones too. What stands ahead of the bans
in the kernel, the allow set, is left alone; so is what this machine began itself.

A connection of Multipath TCP loses all of its paths at once, but its process hears of it
only when the kernel gives it up: after a minute, by net.mptcp.close_timeout.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.act import privilege
from agent.act.cut.conntrack import remove_flows
from agent.act.cut.reach import Reaches
from agent.act.cut.removal import Removal
from agent.act.cut.sockets import destroy_sockets
from agent.errors import FirewallError, ObserveError, RefusedError
from agent.model.address import Prefix
from agent.model.ban import Ban


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a cut came to.

    Attributes:
        sockets: Destroyed.
        flows: Entries of conntrack that were removed.
        left: Sockets and flows that could not be. What an older kernel keeps of closed
            connections is not counted: it ends within a minute.
        failure: Why something is left or was not looked at, in a sentence; None for neither.
    """

    sockets: int = 0
    flows: int = 0
    left: int = 0
    failure: str | None = None


def cut(bans: Sequence[Ban], allowed: frozenset[Prefix], ssh: frozenset[int]) -> Cut:
    """Destroy what the sources of `bans` hold, within each ban's scope.

    Sockets go first: the resets that this sends need the flows to be translated.

    Args:
        bans: In force, so that nothing new comes; those that do not drop are passed over.
        allowed: What the firewall's allow set holds.
        ssh: The ports that a ban of the host leaves open unless it is about ssh.

    Raises:
        PrivilegeError: This process may not; it names the capability.
        FirewallError: The kernel does not tell of its sockets.
    """
    reaches = Reaches(bans, allowed, ssh)
    if reaches.is_empty:
        return Cut()
    try:
        sockets = _unless_unread(destroy_sockets, reaches)
    except RefusedError as error:
        raise FirewallError(str(error)) from error
    try:
        flows = _unless_unread(remove_flows, reaches)
    except RefusedError as error:
        privilege.demand("CAP_NET_ADMIN")
        flows = Removal(failure=str(error))
    failures = [one.failure for one in (sockets, flows) if one.failure]
    return Cut(
        sockets=sockets.removed,
        flows=flows.removed,
        left=sockets.left + flows.left,
        failure="; ".join(failures) or None,
    )


def _unless_unread(remove: Callable[[Reaches], Removal], reaches: Reaches) -> Removal:
    """Have these removed; a table that can't be read this time is a failure to be told."""
    try:
        return remove(reaches)
    except RefusedError:
        raise
    except ObserveError as error:
        return Removal(failure=str(error))
