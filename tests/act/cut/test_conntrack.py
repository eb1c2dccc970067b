"""Flows from recorded and broken tables, and in a namespace that redirects."""

import errno
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.act.cut import conntrack
from agent.act.cut.conntrack import REQUEST, Flows, remove_flows
from agent.act.cut.reach import Reaches
from agent.act.cut.removal import Removal
from agent.errors import ObserveError, RefusedError
from agent.model.ban import Ban
from agent.model.policy import Scope, Service
from tests.act.cut.recorded_flows import DUMP
from tests.builders import SSH, ban, prefix
from tests.range import Hosts, connect, forge_syns, in_namespace, serve

BYTES = bytes.fromhex(DUMP)
END = BYTES[-20:]
TCP, UDP, TCP6 = BYTES[:212], BYTES[212:376], BYTES[376:636]
SSH_PORTS = frozenset({22})
BAD = "198.18.0.1/32"
BAD6 = "2001:db8:18::/64"
ASKED = Service(name="asked", ports=frozenset({8000}))

REDIRECT = """
table inet t {
  chain pre {
    type nat hook prerouting priority dstnat
    tcp dport 8000 redirect to :80
    tcp dport 2222 redirect to :22
  }
}
"""


def reaches(*bans: Ban, allowed: tuple[str, ...] = (), ssh: frozenset[int] = SSH_PORTS) -> Reaches:
    return Reaches(bans, [prefix(text) for text in allowed], ssh)


def host(source: str = BAD, **changes: object) -> Ban:
    return ban(source, **{"scope": Scope.HOST, **changes})


def order(row: bytes, id_at: int) -> bytes:
    """The order to remove an entry: its family, its first tuple, its id."""
    (length,) = struct.unpack_from("=H", row, 20)
    return row[16 : 20 + length] + row[id_at : id_at + 8]


def test_the_request_is_for_both_families() -> None:
    assert struct.pack("=IHHIIBBH", 20, 0x101, 0x301, 1, 0, 0, 0, 0) == REQUEST


@pytest.mark.parametrize(
    ("bans", "expected"),
    [
        pytest.param([ban(BAD)], [TCP], id="service: its TCP, by the port of the socket"),
        pytest.param([ban(BAD, service=ASKED)], [], id="service: not by the port asked for"),
        pytest.param([ban(BAD, service=SSH)], [], id="another service"),
        pytest.param([ban("198.18.0.2/32")], [], id="another source"),
        pytest.param([ban("198.18.0.0/24")], [TCP], id="a prefix"),
        pytest.param([ban(BAD6)], [TCP6], id="IPv6"),
        pytest.param([host()], [TCP, UDP], id="host: every protocol"),
        pytest.param([host(), ban(BAD6)], [TCP, UDP, TCP6], id="several"),
        pytest.param([ban("10.99.0.1/32"), host("10.99.0.1/32")], [], id="the far end"),
    ],
)
def test_recorded_flows_are_found_by_who_began_them(bans: list[Ban], expected: list[bytes]) -> None:
    flows = Flows(reaches(*bans))

    assert flows.take(BYTES)

    assert flows.orders == [order(one, one.index(b"\x08\0\x0c\0")) for one in expected]


@pytest.mark.parametrize("port", [8000, 80], ids=["asked for", "of the socket"])
def test_a_ban_of_the_host_leaves_ssh_by_either_of_its_ports(port: int) -> None:
    flows = Flows(reaches(host(), ssh=frozenset({port})))

    flows.take(TCP)

    assert flows.orders == []


def test_a_ban_of_the_host_about_ssh_leaves_nothing() -> None:
    flows = Flows(reaches(host(service=SSH), ssh=frozenset({80})))

    flows.take(TCP)

    assert len(flows.orders) == 1


def test_the_allowed_inside_a_banned_prefix_keep_theirs() -> None:
    flows = Flows(reaches(host("198.18.0.0/24"), ban(BAD6), allowed=(BAD, "::/0")))

    flows.take(BYTES)

    assert flows.orders == []


def test_the_zone_of_a_flow_is_in_the_order() -> None:
    zone = struct.pack("=HH2sxx", 6, 18, b"\0\7")
    flows = Flows(reaches(ban(BAD)))

    flows.take(struct.pack("=I", len(TCP) + len(zone)) + TCP[4:] + zone)

    assert flows.orders == [order(TCP, TCP.index(b"\x08\0\x0c\0")) + zone]


def test_a_table_cut_off_anywhere_is_whole_entries_or_an_error() -> None:
    whole = {0, 212, 376, 636}
    for end in range(len(BYTES)):
        flows = Flows(reaches(host("0.0.0.0/0"), host("::/0")))
        if end in whole:
            assert not flows.take(BYTES[:end])
        else:
            with pytest.raises(ObserveError):
                flows.take(BYTES[:end])


def test_an_entry_cut_short_is_an_error_or_has_all_that_is_needed() -> None:
    for end in range(16, len(TCP), 4):
        short = struct.pack("=I", end) + TCP[4:end]
        flows = Flows(reaches(ban(BAD), host("0.0.0.0/0")))
        try:
            flows.take(short)
        except ObserveError:
            continue
        assert len(flows.orders) <= 1


@pytest.mark.parametrize("at", [22, 26, 28, 30], ids=["tuple", "addresses", "length", "kind"])
def test_an_entry_that_begins_otherwise_is_not_guessed_at(at: int) -> None:
    other = TCP[:at] + b"\x09" + TCP[at + 1 :]

    with pytest.raises(ObserveError, match="does not begin with its source"):
        Flows(reaches(ban(BAD))).take(other)


def test_a_refusal_says_so() -> None:
    refusal = struct.pack("=IHHIIi16x", 36, 2, 0, 1, 0, -errno.EPERM)

    with pytest.raises(RefusedError):
        Flows(reaches(ban(BAD))).take(refusal)


def test_a_huge_table_is_not_walked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conntrack, "_MOST_SEEN", 4)
    monkeypatch.setattr(conntrack, "_MOST_REMOVED", 2)
    flows = Flows(reaches(ban(BAD)))

    assert [flows.take(TCP * 3), flows.take(TCP * 2)] == [False, True]

    assert flows.is_cut_short
    assert (len(flows.orders), flows.left) == (2, 3)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 635), st.binary(min_size=1, max_size=4)), max_size=6))
def test_any_bytes_give_flows_or_an_error(changes: list[tuple[int, bytes]]) -> None:
    text = bytearray(BYTES)
    for at, put in changes:
        text[at : at + len(put)] = put
    flows = Flows(reaches(host("0.0.0.0/0"), host("::/0")))
    try:
        flows.take(bytes(text))
    except ObserveError:
        return
    assert len(flows.orders) <= 3


@pytest.mark.parametrize("text", [None, "0\n", "", "many"], ids=["none", "zero", "empty", "odd"])
def test_where_nothing_is_tracked_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    count = tmp_path / "count"
    if text is not None:
        count.write_text(text)
    monkeypatch.setattr(conntrack, "ask", None)

    assert remove_flows(reaches(ban(BAD)), count) == Removal()


def tracked(namespace: str) -> list[str]:
    """Give protocol, source and port of what is tracked."""
    with in_namespace(namespace):
        lines = [
            line
            for family in ("ipv4", "ipv6")
            for line in subprocess.run(
                ["conntrack", "-L", "-f", family], capture_output=True, text=True, check=True
            ).stdout.splitlines()
        ]
    rows = [line.split() for line in lines]
    return sorted({f"{row[0]} {_one(row, 'src=')} {_one(row, 'dport=')}" for row in rows})


def _one(words: list[str], name: str) -> str:
    return next(word.removeprefix(name) for word in words if word.startswith(name))


@pytest.fixture
def redirecting(hosts: Hosts) -> Hosts:
    """Have the server track its connections, and redirect some."""
    with in_namespace(hosts.server):
        subprocess.run(["nft", "-f", "-"], input=REDIRECT, text=True, check=True)
    return hosts


def removed_by(hosts: Hosts, *bans: Ban) -> Removal:
    with in_namespace(hosts.server):
        return remove_flows(reaches(*bans))


@pytest.mark.root
def test_flows_of_the_banned_go_and_those_of_others_stay(redirecting: Hosts) -> None:
    hosts, bad, good = redirecting, "198.18.0.1", "198.18.0.2"
    to, asked = (hosts.server4, 80), (hosts.server4, 8000)
    with (
        serve(hosts.server, 80),
        connect(hosts.client, [bad, good], asked, each=1) as clients,
        connect(hosts.client, ["2001:db8:18::1"], (hosts.server6, 80)),
    ):
        assert clients.connected == 2
        forge_syns(hosts.client, [bad], to)
        say(hosts, bad)
        assert len(tracked(hosts.server)) == 5

        assert removed_by(hosts, ban(BAD)) == Removal(removed=2)
        assert tracked(hosts.server) == [
            "tcp 198.18.0.2 8000",
            "tcp 2001:db8:18::1 80",
            "udp 198.18.0.1 53",
        ]

        assert removed_by(hosts, host(), ban(BAD6)) == Removal(removed=2)
        assert tracked(hosts.server) == ["tcp 198.18.0.2 8000"]
        assert removed_by(hosts, host(), ban(BAD6)) == Removal()


@pytest.mark.root
def test_ssh_behind_a_redirect_stays(redirecting: Hosts) -> None:
    hosts = redirecting
    with (
        serve(hosts.server, 22),
        connect(hosts.client, ["198.18.0.1"], (hosts.server4, 2222)) as client,
    ):
        assert removed_by(hosts, host()) == Removal()
        assert client.still_open() == 1

        assert removed_by(hosts, host(service=SSH)) == Removal(removed=1)


def say(hosts: Hosts, source: str) -> None:
    """Send a datagram to the server."""
    with in_namespace(hosts.client), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.sendto(b"?", (hosts.server4, 53))
