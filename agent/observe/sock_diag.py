"""Sockets by the kernel's own table dump: the default reader.

It needs no capability and sees the sockets of every user in this process's
network namespace, half-open ones included.

Source: sock_diag(7).
"""

from datetime import datetime

from agent.kernel.ask import OverrunError, ask
from agent.model.sample import Sample
from agent.observe.aside import aside
from agent.observe.inet_diag import REQUEST, Dump, Raw, may_end
from agent.observe.tally import sample_of

_NETLINK_SOCK_DIAG = 4
_TRIES = 3


class SockDiag:
    """The `SocketReader` of NETLINK_SOCK_DIAG."""

    name = "sock_diag"

    def read(self, now: datetime) -> Sample:
        """Count the sockets of this moment.

        Raises:
            RefusedError: The kernel has no sock_diag, or not for us.
            ObserveError: The answer did not come, or can't be read.
        """
        return sample_of(read_raw(), now)


def read_raw() -> Raw:
    """Count the sockets as the kernel tells them.

    Raises:
        RefusedError: The kernel has no sock_diag, or not for us.
        ObserveError: The answer did not come, or can't be read.
    """
    for _ in range(_TRIES - 1):
        try:
            dump = _dump()
        except OverrunError:
            continue
        if not dump.interrupted:
            return dump.raw
    # The last one is good enough though interrupted: a few sockets may be in it twice or
    # not at all, and whoever opens sockets all the time must not blind the agent.
    return _dump().raw


def _dump() -> Dump:
    dump = Dump()
    with aside(dump.take, may_end) as take:
        ask(_NETLINK_SOCK_DIAG, REQUEST, take)
    return dump
