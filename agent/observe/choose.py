"""Which reader of sockets this machine allows."""

from datetime import datetime

from agent.errors import RefusedError
from agent.model.sample import Sample
from agent.observe.interface import SocketReader
from agent.observe.psutil_table import PsutilTable
from agent.observe.sock_diag import SockDiag, read_raw


def read_sample(now: datetime) -> Sample:
    """Read the sockets once, by the fastest reader that the kernel does not refuse.

    Raises:
        ObserveError: The kernel neither answers nor refuses.
    """
    try:
        return SockDiag().read(now)
    except RefusedError:
        return PsutilTable().read(now)


def open_reader() -> SocketReader:
    """Give the fastest reader that the kernel does not refuse; sockets are read to find out.

    Raises:
        ObserveError: The kernel neither answers nor refuses.
    """
    try:
        read_raw()
    except RefusedError:
        return PsutilTable()
    return SockDiag()
