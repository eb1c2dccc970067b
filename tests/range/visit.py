"""The program that comes again and again: one new connection of each source each time.

Its one argument is the order, as JSON. It says ``0 0`` when it begins, and for each line it
is sent how many visits went well by then, and how many did not: they failed, took too long,
or lost a packet, so that it had to be sent again. A busy machine alone loses nobody. It ends,
and ends its visits, when its stdin is closed.

Source: include/uapi/linux/tcp.h, struct tcp_info (tcpi_total_retrans).
"""

import errno
import json
import select
import socket
import sys
import time
from typing import Any

_BIND_ADDRESS_NO_PORT = 24
_REQUEST = b"GET / HTTP/1.0\r\n\r\n"
_PIECE = 65_536
_CONNECTING, _ASKING = range(2)
_TOTAL_RETRANS = slice(100, 104)


class Visits:
    """Everybody who is on a visit now, and what became of the earlier ones.

    Attributes:
        made: Visits that went well.
        lost: The others.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.made = self.lost = 0
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._out: dict[int, tuple[socket.socket, int, float]] = {}

    def begin(self, now: float) -> None:
        """Send everybody out."""
        for source in self.order["sources"]:
            sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
            sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
            sock.settimeout(0)
            refused = sock.connect_ex(tuple(self.order["to"])) not in {0, errno.EINPROGRESS}
            self._poll.register(sock, select.POLLOUT)
            self._out[sock.fileno()] = (sock, _CONNECTING, now + self.order["within_s"])
            if refused:
                self._end(sock.fileno(), made=False)

    def wait(self, left_s: float) -> bool:
        """Go on with whoever can, for so long at most; false once stdin is closed."""
        for number, _ in self._poll.poll(max(0, left_s) * 1000):
            if number == sys.stdin.fileno():
                if not sys.stdin.readline():
                    return False
                hurt = sum(is_hurt(sock) for sock, _, _ in self._out.values())
                say(f"{self.made} {self.lost + hurt}")
            else:
                self._go_on(number)
        return True

    def give_up(self, now: float) -> None:
        """Count those as lost who have been away for too long."""
        for number in [number for number, one in self._out.items() if one[2] <= now]:
            self._end(number, made=False)

    def _go_on(self, number: int) -> None:
        sock, stage, until = self._out[number]
        try:
            if stage == _CONNECTING:
                if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self._end(number, made=False)
                elif self.order["asks"]:
                    sock.send(_REQUEST)
                    self._poll.modify(sock, select.POLLIN)
                    self._out[number] = (sock, _ASKING, until)
                else:
                    self._end(number, made=True)
            elif not sock.recv(_PIECE):
                self._end(number, made=True)
        except OSError:
            self._end(number, made=False)

    def _end(self, number: int, *, made: bool) -> None:
        sock, _, _ = self._out.pop(number)
        self._poll.unregister(sock)
        made = made and not is_hurt(sock)
        sock.close()
        self.made, self.lost = self.made + made, self.lost + (not made)


def is_hurt(sock: socket.socket) -> bool:
    """Whether a packet of this end had to be sent again."""
    told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOTAL_RETRANS.stop)
    return any(told[_TOTAL_RETRANS])


def main() -> None:
    """Visit until told to end."""
    order = json.loads(sys.argv[1])
    visits = Visits(order)
    say("0 0")
    due = time.monotonic()
    while True:
        now = time.monotonic()
        visits.give_up(now)
        if now >= due:
            visits.begin(now)
            due = now + order["every_s"]
        if not visits.wait(due - now):
            return


def say(text: str) -> None:
    """Answer."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
