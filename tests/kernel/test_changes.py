"""The kernel is heard, whatever it says and however much, and nothing ever waits."""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.kernel import changes as module
from agent.kernel.changes import MOST_AT_ONCE, Changes
from tests.range import in_namespace, ip


@pytest.fixture
def changes() -> Iterator[Changes]:
    with closing(Changes()) as made:
        yield made


@pytest.fixture
def there(namespace: str, changes: Changes) -> Changes:
    """Give what listens in the test's own namespace."""
    with in_namespace(namespace):
        changes.listen()
    assert not changes.is_deaf
    return changes


def test_who_does_not_listen_hears_nothing(changes: Changes) -> None:
    assert (changes.heard(), changes.is_deaf) == (False, True)


def test_nothing_is_heard_where_nothing_happens(changes: Changes) -> None:
    changes.listen()
    changes.heard()

    assert not changes.is_deaf


@pytest.mark.root
@pytest.mark.parametrize(
    "words",
    [
        "addr add 192.0.2.7/32 dev lo",
        "addr add 2001:db8::7/128 dev lo",
        "route add 198.51.100.0/24 dev lo",
        "-6 route add 2001:db8:7::/48 dev lo",
    ],
)
def test_each_kind_of_change_is_heard_once(there: Changes, namespace: str, words: str) -> None:
    assert not there.heard()
    ip("-n", namespace, *words.split())

    assert there.heard()
    assert not there.heard()


@pytest.mark.root
def test_what_is_none_of_these_is_not_heard(there: Changes, namespace: str) -> None:
    there.heard()
    ip("-n", namespace, "link", "set", "lo", "mtu", "9000")

    assert not there.heard()


@pytest.mark.root
def test_a_flood_is_a_change_and_costs_no_more_than_its_bound(
    there: Changes, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 10)
    for number in range(25):
        ip("-n", namespace, "addr", "add", f"192.0.2.{number}/32", "dev", "lo")

    heard = [there.heard() for _ in range(20)]

    assert heard[:3] == [True, True, True]
    assert not heard[-1]
    assert MOST_AT_ONCE >= 100


@pytest.mark.root
def test_what_overran_the_buffer_is_a_change_too(namespace: str) -> None:
    with in_namespace(namespace), closing(Changes()) as small:
        small.listen()
        assert small.ear
        small.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        for number in range(40):
            ip("addr", "add", f"192.0.2.{number}/32", "dev", "lo")

        assert small.heard()
        while small.heard():
            pass
        ip("addr", "add", "192.0.2.100/32", "dev", "lo")
        assert (small.heard(), small.is_deaf) == (True, False)


def test_who_is_refused_is_deaf_and_no_worse(changes: Changes) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        changes.listen()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (changes.is_deaf, changes.heard()) == (True, False)

    changes.listen()
    assert not changes.is_deaf


def test_a_socket_that_broke_is_left_and_made_anew(changes: Changes) -> None:
    changes.listen()
    assert changes.ear
    os.close(changes.ear.detach())

    assert changes.heard()
    assert changes.is_deaf
    changes.listen()
    assert not changes.is_deaf


@pytest.mark.root
def test_no_other_process_can_wake_us(there: Changes, namespace: str) -> None:
    there.heard()
    assert there.ear
    with in_namespace(namespace), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as other:
        port, _ = there.ear.getsockname()
        with pytest.raises(OSError, match="refused"):
            other.sendto(bytes(16), (port, 0))

    assert not there.heard()
