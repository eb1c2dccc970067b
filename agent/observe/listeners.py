"""What waits at the listening sockets of this network namespace.

A row of the dump is the payload of a netlink message; of a listening socket it says::

    offset 4   local port 2, big-endian
           56  finished handshakes that nobody has accepted 4 | the backlog 4

Source: include/uapi/linux/inet_diag.h (``idiag_rqueue``, ``idiag_wqueue``),
net/ipv4/tcp_diag.c, tcp_diag_get_info(). A dump of this state alone never touches the
table of connections: it takes some 0.1 ms, however many there are.
"""

from collections.abc import Iterable
from struct import Struct

from agent.errors import ObserveError
from agent.kernel.ask import ask
from agent.kernel.netlink import request
from agent.model.inputs import Listeners, Queue
from agent.model.sample import State
from agent.observe.inet_diag import TCPDIAG_GETSOCK, rows

_NETLINK_SOCK_DIAG = 4
_PORT, _QUEUE = Struct(">4xH"), Struct("=56xII")

REQUEST = request(
    TCPDIAG_GETSOCK, Struct("=BBBB48sII").pack(0, 0, 0, 0, bytes(48), 1 << State.LISTEN, 0)
)
"""``struct inet_diag_req`` with the family 0: both families in one walk."""


def read_listeners() -> Listeners:
    """Read the queues of this moment; empty where the kernel does not tell of them."""
    told: list[tuple[int, int, int]] = []

    def take(chunk: bytes) -> bool:
        found, is_last = parse_rows(chunk)
        told.extend(found)
        return is_last

    try:
        ask(_NETLINK_SOCK_DIAG, REQUEST, take)
    except ObserveError:
        return {}
    return queues_of(told)


def parse_rows(chunk: bytes) -> tuple[list[tuple[int, int, int]], bool]:
    """Give of each row in a chunk the port, what waits and the backlog, and whether it ends there.

    Raises:
        RefusedError: The kernel says that it won't tell.
        ObserveError: The kernel says that it failed, or the chunk is malformed.
    """
    found: list[tuple[int, int, int]] = []
    for payload in rows(chunk):
        if payload is None:
            return found, True
        found.append((*_PORT.unpack_from(payload), *_QUEUE.unpack_from(payload)))
    return found, False


def queues_of(rows: Iterable[tuple[int, int, int]]) -> Listeners:
    """Add up the sockets of each port: the families may have one each, or workers share it."""
    found: dict[int, Queue] = {}
    for port, waiting, backlog in rows:
        one = found.get(port)
        found[port] = Queue(
            waiting=waiting + (one.waiting if one else 0),
            backlog=backlog + (one.backlog if one else 0),
            smallest=min(backlog, one.smallest) if one else backlog,
            full=_kept_when_full(waiting, backlog) + (one.full if one else 0),
        )
    return found


def _kept_when_full(waiting: int, backlog: int) -> int:
    """Give how many half-open connections a socket keeps, if what waits nearly fills its backlog.

    A queue is full once there is one more in it than the backlog says, and it is
    seldom seen at that: the application takes one now and then.
    Source: include/net/sock.h, sk_acceptq_is_full(); inet_csk_reqsk_queue_is_full().
    """
    return backlog + 1 if waiting and waiting * 4 >= backlog * 3 else 0
