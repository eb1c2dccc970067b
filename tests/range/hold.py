"""The program that serves or connects, and holds its sockets until its stdin is closed.

Its one argument is the order, as JSON. It says a number and a line feed when it is
ready, and again for each line it is sent: how many connections are open.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Iterable
from typing import Any

_BIND_ADDRESS_NO_PORT = 24
"""So that the port is chosen by connect(), which knows the other end: else 28,000 are all."""

_PIECE = 4096


def main() -> None:
    """Do what the order says."""
    order = json.loads(sys.argv[1])
    serve(order) if order["do"] == "serve" else connect(order)


def serve(order: dict[str, Any]) -> None:
    """Accept and hold; where the order says so, close what the other end has closed."""
    family = socket.AF_INET6 if ":" in order["address"] else socket.AF_INET
    listener = socket.create_server(
        (order["address"], order["port"]),
        family=family,
        backlog=order["backlog"],
        dualstack_ipv6=family == socket.AF_INET6,
    )
    held: dict[int, socket.socket] = {}
    poll = select.epoll()
    poll.register(sys.stdin, select.EPOLLIN)
    poll.register(listener, select.EPOLLIN)
    say(0)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                sock = listener.accept()[0]
                held[sock.fileno()] = sock
                if order["closes"]:
                    poll.register(sock, select.EPOLLIN)
            elif number != sys.stdin.fileno():
                if not is_open(held[number]) or not held[number].recv(_PIECE):
                    held.pop(number).close()
            elif not sys.stdin.readline():
                return
            else:
                say(count(held.values()))


def connect(order: dict[str, Any]) -> None:
    """Connect from every source at once, and hold what is connected in time."""
    to = tuple(order["to"])
    waiting = [begin(source, to) for source in order["sources"] for _ in range(order["each"])]
    until = time.monotonic() + order["within_s"]
    poll = select.poll()
    by_number = {sock.fileno(): sock for sock in waiting}
    for number in by_number:
        poll.register(number, select.POLLOUT)
    held = []
    while by_number and (left := until - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            poll.unregister(number)
            sock = by_number.pop(number)
            if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) and is_open(sock):
                held.append(sock)
    for sock in by_number.values():
        sock.close()
    say(len(held))
    while sys.stdin.readline():
        say(count(held))


def begin(source: str, to: tuple[str, int]) -> socket.socket:
    """Begin to connect."""
    sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    sock.bind((source, 0))
    sock.settimeout(0)
    sock.connect_ex(to)
    return sock


def count(held: Iterable[socket.socket]) -> int:
    """How many of them the other end has neither closed nor reset."""
    return sum(map(is_open, held))


def is_open(sock: socket.socket) -> bool:
    """Whether nothing has ended this connection, as far as this end knows."""
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


def say(number: int) -> None:
    """Answer."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
