"""Whatever bytes come: nothing raises, every line is counted once, memory stays bounded."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UnreadableError
from agent.model.address import Address, pack
from agent.model.sample import State
from agent.observe.inet_diag import Raw
from agent.observe.saved import Moment, Reason, read_moments, tallying
from agent.observe.saved.states import OF_NETSTAT

HEAD = b"Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
ROW = b"tcp        0      0 192.0.2.1:80            198.51.100.7:40000      ESTABLISHED\n"
SS_NAMES = {
    State.ESTABLISHED: "ESTAB",
    State.FIN_WAIT1: "FIN-WAIT-1",
    State.FIN_WAIT2: "FIN-WAIT-2",
    State.CLOSE: "UNCONN",
}
WORDS = (
    *b"tcp tcp6 udp unix ESTAB ESTABLISHED TIME-WAIT LISTEN 0 7 12: sl".split(),
    *b"Proto Recv-Q Netid State".split(),
    *b"192.0.2.1:80 198.51.100.7:40000 [::1]:80 *:* :::80 2001:db8:1:2::3:7:40000".split(),
    *b"2001:db8:1:2:3:4:5:6:40000 0100007F:0050 01 Local Peer remote_address drops".split(),
    b"00000000000000000000000001000000:0050",
    b"00000000:00000000",
)
BLANKS = (b" ", b"  ", b"\t", b"\r", b"\0", b"")


class Slow:
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        self._file, self._step = BytesIO(content), step

    def read1(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._step))


def lines_of_words() -> st.SearchStrategy[bytes]:
    """Give lines that are nearly rows and headers."""
    parts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(BLANKS)), max_size=9)
    return parts.map(lambda each: b"".join(word + blank for word, blank in each) + b"\n")


def moments_of(content: bytes, step: int = 1 << 20) -> list[Moment]:
    """Read a text; nothing when none of it can be read."""
    try:
        return list(read_moments([("a", Slow(content, step))]))
    except UnreadableError:
        return []


def checked(content: bytes, step: int) -> None:
    """Read at once and in small pieces, which must not differ, and add up the lines."""
    moments = moments_of(content)
    assert moments == moments_of(content, step)
    total = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    if moments:
        assert total == sum(one.lines + one.others + one.unread.count for one in moments)
    for one in moments:
        assert sum(one.raw.values()) == one.lines
        assert sum(one.unread.reasons.values()) == one.unread.count
        assert all(example.text.isprintable() for example in one.unread.examples)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes(content: bytes, step: int) -> None:
    checked(content, step)
    checked(HEAD + ROW + content + b"\n" + ROW, step)


@given(st.lists(lines_of_words(), max_size=25), st.integers(1, 200))
def test_lines_that_are_nearly_rows(lines: list[bytes], step: int) -> None:
    checked(b"".join(lines), step)
    checked(HEAD + ROW + b"".join(lines) + ROW, step)


def hosts() -> st.SearchStrategy[Address]:
    """Give addresses of both families; of some there are several sockets."""
    few: list[Address] = [IPv4Address("198.51.100.7"), IPv6Address("2001:db8::7")]
    return st.one_of(st.sampled_from(few), st.ip_addresses())


Socket = tuple[Address, int, int, State]
PORTS = st.sampled_from([22, 80, 443])
CONNECTED = st.sampled_from([state for state in State if state is not State.LISTEN])
SOCKETS = st.lists(st.tuples(hosts(), st.integers(1, 65_535), PORTS, CONNECTED), max_size=30)


def expected(sockets: list[Socket]) -> Raw:
    """Count as the kernel would."""
    found: Raw = Counter()
    for host, _, port, state in sockets:
        family, packed = pack(host)
        found[family, int(state), port, packed] += 1
    return found


def own(host: Address) -> str:
    """Give this end's address."""
    return "192.0.2.1" if host.version == 4 else "2001:db8::1"


def as_netstat(state: Callable[[State], bytes]) -> Callable[[Socket], bytes]:
    """Write as ``netstat -nW``, in the language that names states so."""

    def written(one: Socket) -> bytes:
        host, remote, port, of = one
        kind = "tcp" if host.version == 4 else "tcp6"
        cells = f"{f'{own(host)}:{port}':23} {f'{host}:{remote}':23}"
        return f"{kind:4}  {0:6} {3:6} {cells} ".encode() + state(of).ljust(11) + b"\n"

    return written


def in_czech(state: State) -> bytes:
    """Give the name of a state in Czech, or in English where there is none."""
    names = {number: name for name, number in OF_NETSTAT.items() if name.startswith(b"\xc3")}
    return names.get(int(state), state.name.encode())


def cell(host: object, port: int) -> str:
    """Write as ss does."""
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def as_ss(one: Socket) -> bytes:
    """Write as ``ss -tan``."""
    host, remote, port, state = one
    name = SS_NAMES.get(state, state.name.replace("_", "-"))
    return f"{name:10} 0      0   {cell(own(host), port):>30} {cell(host, remote)}   \n".encode()


def as_proc(one: Socket) -> bytes:
    """Write as /proc/net/tcp and tcp6."""
    host, remote, port, state = one
    packed = [IPv4Address("192.0.2.1"), host] if host.version == 4 else [IPv6Address(1), host]
    here, there = (
        b"".join(each.packed[at : at + 4][::-1] for at in range(0, len(each.packed), 4))
        for each in packed
    )
    cells = f"{here.hex().upper()}:{port:04X} {there.hex().upper()}:{remote:04X}"
    return f"   1: {cells} {state:02X} 00000000:00000000 00:00000000 00000000 0\n".encode()


@given(SOCKETS, st.integers(1, 300))
def test_a_table_in_each_form_gives_back_its_counts(sockets: list[Socket], step: int) -> None:
    for written in (
        as_netstat(lambda state: state.name.encode()),
        as_netstat(in_czech),
        as_ss,
        as_proc,
    ):
        # The address of the first row is so long that netstat must have been called with -W.
        long = (IPv6Address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 40_000, 22, State.CLOSING)
        table = [long, *sockets, long]
        (moment,) = moments_of(b"".join(map(written, table)), step)

        assert moment.raw == expected(table)
        assert moment.unread.count == moment.others == 0


class Endless:
    """A stream of many lines that are all different."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def read1(self, size: int, /) -> bytes:
        return b"".join(islice(self._lines, size // 1_000))


def peak_of(lines: Iterator[bytes]) -> tuple[Moment, int]:
    """Read one moment, and give what was held at most meanwhile, in bytes."""
    tracemalloc.start()
    try:
        (moment,) = read_moments([("a", Endless(lines))])
        return moment, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_junk_that_is_never_the_same_is_not_kept() -> None:
    junk = (b"%0150d what is this\n" % number for number in range(50_000))
    moment, peak = peak_of(line for each in (iter([ROW]), junk) for line in each)

    assert moment.unread.reasons == {Reason.JUNK: 50_000}
    assert len(moment.unread.examples) == 2
    assert peak < 3_000_000


def test_a_line_of_100_mb_is_one_line_that_is_not_kept() -> None:
    line = (b"tcp 0 0" + b"\x1b" * 200 for _ in range(500_000))
    moment, peak = peak_of(
        part for each in (iter([ROW]), line, iter([b"\n", ROW])) for part in each
    )

    assert (moment.lines, moment.unread.reasons) == (2, {Reason.LONG: 1})
    assert "\x1b" not in moment.unread.examples[0].text
    assert peak < 3_000_000


def test_rows_with_long_tails_are_counted_and_not_kept() -> None:
    tails = (ROW[:-1] + b" %d/%s\n" % (number, b"x" * 2_000) for number in range(20_000))
    moment, peak = peak_of(tails)

    assert (moment.lines, len(moment.raw)) == (20_000, 1)
    assert peak < 3_000_000

    interfaces = (b"ESTAB 0 0 192.0.2.1%%%d%s:80 " % (n, b"e" * 2_000) for n in range(20_000))
    moment, peak = peak_of(
        part
        for each in (iter([ROW]), (one + b"198.51.100.7:9\n" for one in interfaces))
        for part in each
    )
    assert moment.unread.reasons == {Reason.ADDRESS: 20_000}
    assert peak < 3_000_000


@pytest.mark.parametrize("most", [5, 40])
def test_more_sockets_than_can_be_held_are_told(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(tallying, "MOST_SOCKETS", most)
    monkeypatch.setattr(tallying, "MOST_KEYS", 10)
    rows = (ROW.replace(b"100.7", b"100.%d" % (number % 50)) for number in islice(count(), 150))
    (moment,) = moments_of(b"".join(rows), 700)

    assert len(moment.raw) == most
    assert moment.lines == 3 * most
    assert moment.unread.reasons == {Reason.FULL: 150 - 3 * most}
