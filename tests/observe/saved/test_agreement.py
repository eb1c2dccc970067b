"""Real sockets in every state: what netstat, ss and /proc print of them is read as sampled.

A text does not tell all. There is no interface beside a link-local address, so that
such addresses are compared without. Without -W netstat cuts the address of the one
source here that is too long for it; that line is counted as unread.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.model.address import AF_INET6, is_link_local, pack
from agent.model.sample import SOCKETS, Sample, State
from agent.observe.saved import Moment, Reason, read_moments, sample_of_saved
from agent.observe.sock_diag import SockDiag
from tests.observe.all_states import Server, half_open, make_all_states
from tests.range import Hosts, eventually, in_namespace, ip

pytestmark = pytest.mark.root

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PORTS = frozenset({22, 80})
LONG_HOST = 0x0000_1111_2222_3333_4444
CUT = {Reason.TRUNCATED: 1}
LOCALES = {
    "cs_CZ": ("UTF-8", "ISO-8859-2"),
    "de_DE": ("UTF-8", "ISO-8859-1"),
    "et_EE": ("UTF-8", "ISO-8859-15"),
    "fr_FR": ("UTF-8", "ISO-8859-1"),
    "ja_JP": ("UTF-8", "EUC-JP"),
    "pt_BR": ("UTF-8", "ISO-8859-1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Two hosts with sockets, of which the server has a long address among its sources."""

    hosts: Hosts
    long: str

    def printed(self, command: str, environment: Mapping[str, str] | None = None) -> bytes:
        """Give what a command prints in the server's namespace."""
        with in_namespace(self.hosts.server):
            return subprocess.check_output(
                command.split(), env={**os.environ, "LC_ALL": "C", **(environment or {})}
            )

    def sampled(self) -> Sample:
        """Give what the kernel tells, without interfaces."""
        with in_namespace(self.hosts.server):
            sample = SockDiag().read(NOW)
        tally: dict[tuple[int, int, int, bytes], int] = {}
        for (family, state, port, packed), count in sample.tallies[SOCKETS].items():
            is_zoned = family == AF_INET6 and is_link_local(packed)
            key = family, state, port, packed[:16] + bytes(4) if is_zoned else packed
            tally[key] = tally.get(key, 0) + count
        return Sample(
            taken_at=NOW,
            sockets=sample.sockets,
            states=sample.states,
            listening=sample.listening,
            tallies={SOCKETS: tally},
        )


@pytest.fixture
def sockets(hosts: Hosts) -> Iterator[Range]:
    """Give sockets in every state, of both families, mapped and link-local ones among them."""
    with ExitStack() as stack:
        server = Server(hosts, stack)
        make_all_states(server, [str(hosts.sources4[n]) for n in range(1, 9)], 80)
        make_all_states(server, [str(hosts.sources4[n]) for n in range(11, 19)], 22)
        make_all_states(server, [str(hosts.sources6[n]) for n in range(1, 9)], 80)
        half_open(server)
        long = str(hosts.sources6[LONG_HOST])
        server.pair(long)
        link_local(server)
        yield Range(hosts=hosts, long=long)


def link_local(server: Server) -> None:
    """Connect from a link-local address."""
    hosts = server.hosts
    ip("-n", hosts.server, "addr", "add", "fe80::1:1/64", "dev", hosts.server_link, "nodad")
    ip("-n", hosts.client, "addr", "add", "fe80::9:9/64", "dev", hosts.client_link, "nodad")
    server.pair_on_link("fe80::9:9", "fe80::1:1")


def read(*texts: bytes) -> Moment:
    """Read texts as one moment, each in a stream of its own."""
    (moment,) = read_moments((f"{number}", BytesIO(text)) for number, text in enumerate(texts))
    assert moment.lines + moment.others + moment.unread.count == sum(
        len(text.splitlines()) for text in texts
    )
    return moment


def less(sample: Sample, without: frozenset[State], long: str = "") -> Sample:
    """Give a sample without some states, and without the source whose address was cut."""
    key = pack(ip_address(long)) if long else None
    gone = 1 if long else 0
    states = {
        state: count - (gone if state is State.ESTABLISHED else 0)
        for state, count in sample.states.items()
        if state not in without
    }
    return Sample(
        taken_at=NOW,
        sockets=sum(states.values()),
        states=states,
        listening=sample.listening,
        tallies={
            SOCKETS: {
                one: count
                for one, count in sample.tallies[SOCKETS].items()
                if one[1] not in without and (one[0], one[3]) != key
            }
        },
    )


LISTENING = frozenset({State.LISTEN})
ALL_BUT_ESTABLISHED = frozenset(State) - {State.ESTABLISHED}


@pytest.mark.parametrize(
    ("command", "without", "is_cut"),
    [
        ("netstat -n", LISTENING, True),
        ("netstat -nt", LISTENING, True),
        ("netstat -ant", frozenset(), True),
        ("netstat -an", frozenset(), True),
        ("netstat -antpeo", frozenset(), True),
        ("netstat -antW", frozenset(), False),
        ("netstat -anW", frozenset(), False),
        ("ss -tan", frozenset(), False),
        ("ss -tanH", frozenset(), False),
        ("ss -an", frozenset(), False),
        ("ss -tanoeip", frozenset(), False),
        ("ss -tanoeimO", frozenset(), False),
        ("ss -tn state established", ALL_BUT_ESTABLISHED, False),
        ("ss -tnHp state established", ALL_BUT_ESTABLISHED, False),
        ("ss -n state established", ALL_BUT_ESTABLISHED, False),
        ("cat /proc/net/tcp /proc/net/tcp6", frozenset(), False),
    ],
)
def test_what_is_printed_counts_as_sampled(
    sockets: Range, command: str, without: frozenset[State], is_cut: bool
) -> None:
    def agree() -> bool:
        expected = less(sockets.sampled(), without, sockets.long if is_cut else "")
        moment = read(sockets.printed(command))
        return (
            moment.unread.reasons == (CUT if is_cut else {})
            and sample_of_saved(moment, PORTS, NOW) == expected
        )

    assert eventually(agree)


def test_the_two_files_of_proc_are_one_moment(sockets: Range) -> None:
    def agree() -> bool:
        texts = [sockets.printed(f"cat /proc/net/{name}") for name in ("tcp", "tcp6")]
        return sample_of_saved(read(*texts), PORTS, NOW) == sockets.sampled()

    assert eventually(agree)


def test_own_addresses_are_the_servers(sockets: Range) -> None:
    hosts = sockets.hosts
    moment = read(sockets.printed("ss -tan"))

    assert {hosts.server4, hosts.server6, "fe80::1:1"} == {str(one) for one in moment.own}


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the locales that net-tools is translated for."""
    folder = tmp_path_factory.mktemp("locales")
    if not Path("/usr/share/i18n/locales/cs_CZ").exists():
        pytest.skip("no sources of locales here: apt-get install locales")
    for name, character_sets in LOCALES.items():
        for character_set in character_sets:
            target = folder / f"{name}.{character_set}"
            subprocess.run(
                ["localedef", "-c", "-i", name, "-f", character_set, target],
                check=False,
                capture_output=True,
            )
            assert (target / "LC_CTYPE").exists()
    return folder


def test_every_language_is_read(sockets: Range, locales: Path) -> None:
    assert eventually(lambda: read(sockets.printed("netstat -antW")).raw == read_raw(sockets))
    expected = read_raw(sockets)
    titles = set()
    for locale in sorted(path.name for path in locales.iterdir()):
        environment = {"LOCPATH": str(locales), "LC_ALL": locale}
        for command in ("netstat -antW", "netstat -anW"):
            text = sockets.printed(command, environment)
            titles.add(text.splitlines()[0])
            moment = read(text)
            assert (locale, moment.unread.examples) == (locale, ())
            assert moment.raw == expected, locale
    assert len(titles) > len(LOCALES)


def read_raw(sockets: Range) -> Mapping[tuple[int, int, int, bytes], int]:
    """Give what ss tells."""
    return read(sockets.printed("ss -tan")).raw
