"""Sockets by psutil: the reader for where netlink is refused, as in some sandboxes.

Limits: some 25 times slower, for it reads the text of /proc/net/tcp and tcp6 and makes
an object of each socket; no interface index, so that one link-local address on two
links is one source; on a busy machine the two files are two different moments.

Source: https://psutil.readthedocs.io/ (net_connections), proc_net_tcp(5).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Protocol

from agent.errors import ObserveError, RefusedError
from agent.model.address import PACKED_BYTES, pack
from agent.model.sample import Sample, State
from agent.observe.inet_diag import Raw
from agent.observe.tally import sample_of

_STATES = {state.name: int(state) for state in State}
"""psutil's names are netstat's, and so ours; others, such as NONE, count nowhere."""

_NO_PEER = bytes(PACKED_BYTES)


class _Connection(Protocol):
    """What is used of ``psutil._common.sconn``."""

    @property
    def family(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def laddr(self) -> Any: ...  # noqa: ANN401 - psutil: (ip, port), or () for none
    @property
    def raddr(self) -> Any: ...  # noqa: ANN401 - ditto


class PsutilTable:
    """The `SocketReader` that reads /proc through psutil."""

    name = "psutil"

    def read(self, now: datetime) -> Sample:
        """Count the sockets of this moment.

        Raises:
            RefusedError: /proc may not be read.
            ObserveError: /proc can't be read, or not understood.
        """
        return sample_of(count(_connections()), now)


def count(connections: Iterable[_Connection]) -> Raw:
    """Count what psutil found as the kernel's dump would have told it."""
    return Counter(_key(each) for each in connections if each.laddr and each.status in _STATES)


def _key(each: _Connection) -> tuple[int, int, int, bytes]:
    state, port = _STATES[each.status], int(each.laddr[1])
    if not each.raddr:
        return int(each.family), state, port, _NO_PEER
    family, packed = pack(ip_address(each.raddr[0]))
    return family, state, port, packed


def _connections() -> Iterable[_Connection]:
    import psutil  # noqa: PLC0415 - 12 MB that the default reader does without

    try:
        return psutil.net_connections(kind="tcp")
    except (PermissionError, psutil.AccessDenied) as error:
        raise RefusedError(f"psutil: {error}") from error
    except (OSError, RuntimeError, ValueError, psutil.Error) as error:
        raise ObserveError(f"psutil: {error}") from error
