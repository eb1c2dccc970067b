"""Many orders to the kernel over netlink, and what became of each."""

import socket
from collections.abc import Iterable
from itertools import islice

from agent.errors import ObserveError
from agent.kernel.ask import chunks, connected
from agent.kernel.netlink import acknowledgements, order

_AT_ONCE = 64
"""Orders in one send. Their answers, of up to 1.5 KB each with all that the kernel counts,
stay in a receive buffer of the usual 208 KB until they are read: none is lost."""


def tell(protocol: int, kind: int, bodies: Iterable[bytes]) -> list[int]:
    """Send one order with each of `bodies`, and give their errnos in that order, 0 for done.

    Args:
        protocol: Of netlink, as ``NETLINK_NETFILTER``.
        kind: The type of all the messages.
        bodies: What each says after its header; taken a few at a time.

    Raises:
        RefusedError: The kernel does not speak with us.
        OverrunError: Answers were lost: some orders were carried out, nobody knows which.
        ObserveError: Answers did not come within two seconds, or can't be read.
    """
    numbers: list[int] = []
    rest = iter(bodies)
    with connected(protocol) as netlink:
        while some := list(islice(rest, _AT_ONCE)):
            begin = len(numbers)
            orders = (order(kind, body, at) for at, body in enumerate(some, begin))
            netlink.send(b"".join(orders))
            numbers += _answers(netlink, range(begin, begin + len(some)))
    return numbers


def _answers(netlink: socket.socket, wanted: range) -> list[int]:
    """Read until each of these sequences is answered; give the errnos in their order."""
    numbers: dict[int, int] = {}
    for chunk in chunks(netlink):
        for sequence, number in acknowledgements(chunk):
            if sequence not in wanted or sequence in numbers:
                raise ObserveError(f"netlink: an answer to order {sequence} out of turn")
            numbers[sequence] = number
        if len(numbers) == len(wanted):
            break
    return [numbers[at] for at in wanted]
