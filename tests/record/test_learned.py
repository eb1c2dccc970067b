"""What is learned: written and read again, damaged, foreign, huge, and on a full disk."""

import json
import os
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.learned import Learned, Verified
from agent.record import learned as module
from agent.record.learned import (
    MOST_BYTES,
    NAME,
    Keeper,
    keep_learned,
    parse_learned,
    read_learned,
    render_learned,
)
from tests.builders import prefix

AT = datetime(2026, 11, 27, 3, 4, 5, tzinfo=UTC)
MUCH = Learned(
    clients={bytes(4): (0, 0), b"\xc0\0\2\1": (1_795_000_000, 1_795_000_900), bytes(16): (7, 8)},
    sessions={ip_address("192.0.2.1"): AT, ip_address("fe80::1%3"): AT},
    verified={
        ip_address("2001:db8::1"): Verified(
            entries=frozenset({"google", "all"}), at=AT, names=("crawl.googlebot.com",)
        )
    },
    hosts={"vpn.example.net": frozenset({prefix("192.0.2.7/32"), prefix("2001:db8::7/128")})},
    tried="0" * 64,
)
PAIRS = st.tuples(st.integers(0, 2**33), st.integers(0, 2**33))
KEYS = st.sampled_from([4, 16, 20]).flatmap(lambda width: st.binary(min_size=width, max_size=width))


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    keep_learned(tmp_path, MUCH)

    assert read_learned(tmp_path) == MUCH
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == [NAME]


@pytest.mark.root
def test_the_file_belongs_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)

    keep_learned(tmp_path, MUCH)

    assert (tmp_path / NAME).stat().st_uid == 12345


@given(st.dictionaries(KEYS, PAIRS, max_size=50))
def test_every_client_is_kept(clients: dict[bytes, tuple[int, int]]) -> None:
    assert parse_learned(render_learned(Learned(clients=clients))).clients == clients


@given(st.binary(max_size=300))
def test_a_foreign_file_is_nothing(content: bytes) -> None:
    assert parse_learned(content) == Learned()


@given(st.data())
def test_a_damaged_file_is_nothing(data: st.DataObject) -> None:
    content = bytearray(render_learned(MUCH))
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]

    assert parse_learned(bytes(content)) == Learned()


def signed(document: object, packed: bytes = b"") -> bytes:
    """Give a file whose checksum is right, whatever is in it."""
    rest = json.dumps(document).encode() + b"\n" + packed
    return b"abuse-agent learned 1 %08x\n%s" % (crc32(rest), rest)


SOUND = {
    "sessions": {},
    "verified": {},
    "hosts": {},
    "clients": {"4": 0, "16": 0, "20": 0},
    "tried": "",
}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"sessions": {"x": 1}}, id="no-address"),
        pytest.param({"sessions": {"192.0.2.1": "soon"}}, id="no-moment"),
        pytest.param({"sessions": {"192.0.2.1": 10**30}}, id="far-away"),
        pytest.param({"sessions": []}, id="a-list"),
        pytest.param({"verified": {"192.0.2.1": [1]}}, id="too-short"),
        pytest.param({"verified": {"192.0.2.1": 7}}, id="a-number"),
        pytest.param({"hosts": {"a.b": ["192.0.2.1/24"]}}, id="host-bits"),
        pytest.param({"clients": {"4": 1, "16": 0, "20": 0}}, id="clients-missing"),
        pytest.param({"clients": {"4": 10**9, "16": 0, "20": 0}}, id="too-many"),
        pytest.param({"clients": {"4": -1, "16": 0, "20": 0}}, id="fewer-than-none"),
        pytest.param({"clients": {"4": "1", "16": 0, "20": 0}}, id="text"),
        pytest.param({"clients": None}, id="none"),
    ],
)
def test_a_file_of_ours_with_nonsense_is_nothing(wrong: dict[str, object]) -> None:
    assert parse_learned(signed(SOUND)) == Learned()
    assert parse_learned(signed(SOUND | wrong, bytes(8))) == Learned()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"clients": {"4": 1, "16": 0, "20": 0}}, id="no-clients-at-all"),
        pytest.param({"clients": {"4": 2, "16": -2, "20": 0}}, id="as-many-as-less-than-none"),
        pytest.param({"sessions": {"192.0.2.1": 10**17}}, id="beyond-the-clock"),
        pytest.param({"sessions": {"192.0.2.1": 1e400}}, id="never"),
    ],
)
def test_nonsense_with_nothing_behind_it_is_nothing(wrong: dict[str, object]) -> None:
    assert parse_learned(signed(SOUND | wrong)) == Learned()


def test_the_name_of_an_interface_is_left_out() -> None:
    """It would break each cycle, and no firewall takes it."""
    zoned = {"sessions": {"fe80::1%eth0": 1}, "hosts": {"a.b": ["fe80::1%eth0"]}}

    learned = parse_learned(signed(SOUND | zoned))

    assert set(learned.sessions) == {ip_address("fe80::1")}
    assert learned.hosts == {"a.b": {ip_network("fe80::1/128")}}


def test_clients_with_numbers_that_make_no_sense_are_left_out() -> None:
    clients = {bytes(4): (2**50, 1), b"\1\2\3\4": (1, 2**50), b"\4\3\2\1": (2, 1)}

    assert parse_learned(render_learned(Learned(clients=clients))).clients == {b"\4\3\2\1": (2, 1)}


def test_of_too_many_clients_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CLIENTS", 2)

    assert len(parse_learned(render_learned(MUCH)).clients) == 2


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.with_name("other").write_bytes(render_learned(MUCH))
    path.symlink_to(path.with_name("other"))


def huge(path: Path) -> None:
    path.write_bytes(render_learned(MUCH) + bytes(MOST_BYTES))


@pytest.mark.parametrize("make", [pipe, folder, link, huge, lambda _path: None])
def test_what_is_no_file_of_ours_is_nothing(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / NAME)

    assert read_learned(tmp_path) == Learned()


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("dear")
    (tmp_path / f"{NAME}.new").symlink_to(victim)

    keep_learned(tmp_path, MUCH)

    assert victim.read_text() == "dear"
    assert read_learned(tmp_path) == MUCH


def test_where_nothing_can_be_written_the_last_stays(tmp_path: Path) -> None:
    keep_learned(tmp_path, MUCH)
    (tmp_path / f"{NAME}.new").mkdir()

    keep_learned(tmp_path, Learned())
    keep_learned(tmp_path / "missing", Learned())

    assert read_learned(tmp_path) == MUCH


def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10)

    keep_learned(tmp_path, MUCH)

    assert list(tmp_path.iterdir()) == []


def test_a_keeper_writes_beside_whoever_calls_it(tmp_path: Path) -> None:
    clients = dict(MUCH.clients)
    keeper = Keeper(tmp_path)

    keeper(Learned(clients=clients))
    clients.clear()
    end = time.monotonic() + 5
    while not (tmp_path / NAME).exists() and time.monotonic() < end:
        time.sleep(0.01)

    assert read_learned(tmp_path).clients == MUCH.clients


def test_a_keeper_whose_disk_hangs_keeps_the_newest_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def hang(_folder: Path, learned: Learned) -> None:
        written.append(len(learned.clients))
        time.sleep(0.3)

    monkeypatch.setattr(module, "keep_learned", hang)
    keeper = Keeper(tmp_path)
    start = time.monotonic()

    for count in range(5):
        keeper(Learned(clients={bytes([number] * 4): (1, 1) for number in range(count)}))

    assert time.monotonic() - start < 0.25
    time.sleep(0.9)
    assert len(written) <= 2
    assert written[-1] == 4


def test_a_keeper_goes_on_after_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[object] = []
    monkeypatch.setattr("threading.excepthook", ended.append)
    keeper = Keeper(tmp_path)

    keeper(Learned(clients={b"a key of no width": (1, 1)}))
    end = time.monotonic() + 5
    while not ended and time.monotonic() < end:
        time.sleep(0.01)
    keeper(MUCH)
    while not (tmp_path / NAME).exists() and time.monotonic() < end:
        time.sleep(0.01)

    assert read_learned(tmp_path) == MUCH
