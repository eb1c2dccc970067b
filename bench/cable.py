"""Two namespaces on a cable, and clients and servers to load it with.

Segments are as small on this cable as on a wire: two ends of a veth would otherwise pass
64 KB at a time, and a firewall would be asked once for forty-five packets.
"""

import ctypes
import fcntl
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from struct import pack

from bench.rooms import inside, path_of

CONNECTIONS = 2_000
"""Opened and closed one after the other, to see how many there are in a second."""

_FLOW_PORT, _ACCEPT_PORT = 443, 80
_SECONDS = 1
_PATIENCE_S = 10.0
_SIOCETHTOOL = 0x8946
_SET_TSO, _SET_GSO, _SET_GRO = 0x1F, 0x24, 0x2C
_ACCEPT = """\
import socket
listener = socket.create_server(("", 80), backlog=1024)
while True:
    listener.accept()[0].close()
"""


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable from this namespace to a server's, both reachable.

    Attributes:
        number: Of the cable, below 255.
    """

    number: int

    @property
    def server(self) -> str:
        """The server's address."""
        return f"10.{self.number}.0.1"

    def set_offload(self, there: int, *, is_on: bool) -> None:
        """Have both ends pass large pieces, or packets only."""
        _set_offload(f"c{self.number}", is_on=is_on)
        with inside(there):
            _set_offload("s0", is_on=is_on)

    def throughput(self, at_most: str) -> float:
        """Give the Gbit/s of one TCP flow to the server; `at_most` as iperf3 writes it."""
        command = ["iperf3", "-J", "-c", self.server, "-p", str(_FLOW_PORT), "-b", at_most]
        command += ["-t", str(_SECONDS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        bits: float = json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]
        return bits / 1e9

    def connections(self) -> float:
        """Give how many connections a second can be opened, one after the other."""
        start = time.perf_counter()
        for _ in range(CONNECTIONS):
            with socket.create_connection((self.server, _ACCEPT_PORT), timeout=_PATIENCE_S) as one:
                # Ended by a reset: no TIME_WAIT takes the port from the next round.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        return CONNECTIONS / (time.perf_counter() - start)


@contextmanager
def cable(number: int, there: int) -> Iterator[Cable]:
    """Lay a cable from this namespace to another one, and serve at its far end.

    Args:
        number: Another one for each.
        there: The server's namespace.

    Raises:
        RuntimeError: The server does not answer.
    """
    near, far = f"10.{number}.0.2", f"10.{number}.0.1"
    _ip(
        f"link add c{number} type veth peer name s0 netns {path_of(there)}",
        f"addr add {near}/24 dev c{number}",
        f"link set c{number} up",
    )
    with inside(there):
        _ip(f"addr add {far}/24 dev s0", "link set s0 up")
        quiet = subprocess.DEVNULL
        servers = [
            subprocess.Popen(["iperf3", "-s", "-p", str(_FLOW_PORT)], stdout=quiet, stderr=quiet),
            subprocess.Popen([sys.executable, "-c", _ACCEPT]),
        ]
    try:
        for port in (_FLOW_PORT, _ACCEPT_PORT):
            _wait(far, port)
        yield Cable(number)
    finally:
        for one in servers:
            one.terminate()
            one.wait()


def _wait(address: str, port: int) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nobody answers at {address} port {port}")


def _ip(*lines: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def _set_offload(interface: str, *, is_on: bool) -> None:
    """Source: ethtool(8), include/uapi/linux/ethtool.h."""
    with socket.socket() as any_socket:
        for command in (_SET_TSO, _SET_GSO, _SET_GRO):
            value = ctypes.create_string_buffer(pack("II", command, int(is_on)))
            request = pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
