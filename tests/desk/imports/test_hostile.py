"""Whatever a peer's files hold, the policy is right and has nothing of theirs but values."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.desk.imports import listed
from agent.desk.imports.importing import PEERS, imported
from agent.errors import InputError, UnreadableError
from agent.identify.ranges import MOST_PREFIXES
from agent.policy.files import LARGEST_BYTES
from tests.desk.imports.peers import (
    CSF_CONF,
    DDOS_CONF,
    JAIL_CONF,
    csf,
    deflate,
    fail2ban,
    parsed,
    policy_of,
    prefixes_of,
    text_of,
    written,
)

FILES = {
    "ddos-deflate": ("ddos.conf", "ignore.ip.list", "ignore.host.list"),
    "csf": ("csf.conf", "csf.allow", "csf.ignore", "csf.rignore", "csf.dyndns", "csf.deny"),
    "fail2ban": ("jail.conf", "jail.local", "jail.d/a.local"),
}
PIECES = st.sampled_from(
    [
        *DDOS_CONF.split("\n"),
        *CSF_CONF.split("\n"),
        *JAIL_CONF.split("\n"),
        *("Include /etc/csf/csf.allow", "tcp|in|d=22|s=1.2.3.4", "tcp|in|d=1_65535,9|s=::/0"),
        *("0.0.0.0/0", "::/0", "198.51.100.7/8 # x", "1.1.1.1-255.255.255.255", "2001:db8::"),
        *("vpn.example.net", ".googlebot.com", "com", "ignoreip = %(a)s ::1", "a = %(b)s%(a)s"),
        *('CT_LIMIT = "9"', 'CT_PORTS = "1,3,5,22"', 'CT_STATES = "SYN_RECV"', "[b]\nport=0:1"),
        *("ENABLE_PORTS=true", 'PORT_CONNECTIONS="1:1:1 9-5:1:1 22:0:9"', "KILL=0", 'X="\n"'),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=12).map("\n".join)
BREAKING = (
    "x\nrules: []",
    "x\r- name: y",
    "x\u2028rules:",
    "x\x85rules:",
    "x\x00\x1b[2J",
    "'\"#: {}[]&*!|>%@`",
    "\ud800\u202e",
    "x" * 5_000,
    "\N{GRINNING FACE}\ufeff\ufffe",
)


@given(peer=st.sampled_from(sorted(FILES)), texts=st.lists(TEXTS, min_size=6, max_size=6))
def test_any_files_give_a_policy_that_is_right_or_a_clear_error(
    peer: str, texts: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(FILES[peer], texts, strict=False):
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = tried(peer, Path(folder))
    assert found.isprintable() or parsed(found).rules
    assert found.replace("\n", "").isprintable()


@given(peer=st.sampled_from(sorted(FILES)), raw=st.binary(max_size=200))
def test_any_bytes_of_a_file_alone_give_a_policy_or_a_clear_error(peer: str, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(raw)
        found = tried(peer, path)
    assert found.replace("\n", "").isprintable()


def tried(peer: str, path: Path) -> str:
    """Give the text of the policy, which has several lines, or the line of an error."""
    try:
        return imported(peer, [path], Path("my.yaml")).text
    except (InputError, UnreadableError) as error:
        return str(error)


@given(st.text(max_size=80))
@example(BREAKING[0])
@example(BREAKING[4])
def test_no_remark_of_a_line_leaves_its_comment(remark: str) -> None:
    remark = remark.replace("\n", " ").replace("\r", " ")
    with tempfile.TemporaryDirectory() as folder:
        lists = Path(folder) / "office.allow"
        lists.write_bytes(f"198.51.100.7 # {remark}\n".encode("utf-8", "surrogatepass"))
        policy = policy_of("csf", lists)
    assert prefixes_of(policy)["csf-allow"] == ["198.51.100.7/32"]
    assert len(policy.allowlist) == 2


@pytest.mark.parametrize("text", BREAKING)
@pytest.mark.parametrize("peer", sorted(PEERS))
def test_no_value_of_a_setting_and_no_word_of_a_list_becomes_a_key(
    tmp_path: Path, peer: str, text: str
) -> None:
    raw = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    folder = {
        "ddos-deflate": lambda: deflate(tmp_path, DDOS_CONF),
        "csf": lambda: csf(tmp_path, CT_LIMIT="300"),
        "fail2ban": lambda: fail2ban(tmp_path),
    }[peer]()
    before = policy_of(peer, folder)
    for name, setting in {
        "ddos.conf": f'FIREWALL="{raw}"\nEMAIL_TO={raw}\nBAN_PERIOD="6{raw}"\n{raw}=3\n',
        "ignore.ip.list": f"{raw}\n",
        "ignore.host.list": f"{raw}\n",
        "csf.conf": f'CT_BLOCK_TIME = "{raw}"\nCT_STATES = "{raw}"\n{raw} = "1"\n',
        "csf.allow": f"{raw}\ntcp|in|d={raw}|s={raw}\nInclude {raw}\n",
        "csf.rignore": f".{raw}\n",
        "jail.conf": f"[{raw}]\nenabled = 1\nport = 80\nignoreip = {raw} 198.51.100.1\n",
    }.items():
        path = folder / name
        if path.exists():
            with path.open("a", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(setting)

    policy = policy_of(peer, folder)

    assert [rule.name for rule in policy.rules] == [rule.name for rule in before.rules]
    assert [one.limit for one in policy.rules] == [one.limit for one in before.rules]
    known = {entry.name for entry in before.allowlist}
    new = [entry for entry in policy.allowlist if entry.name not in known]
    assert all(entry.name.startswith("fail2ban-1-") for entry in new)
    assert text_of(peer, folder).replace("\n", "").isprintable()


@pytest.mark.parametrize("line", ["nonsense {}", "198.51.100.7 {}", "; {} = {}", "[x{}]\nb = {}"])
@pytest.mark.parametrize("peer", sorted(PEERS))
def test_ten_thousands_of_lines_are_told_in_a_page(tmp_path: Path, peer: str, line: str) -> None:
    many = "".join(f"{line}\n".format(one, one) for one in range(30_000))
    folder = written(
        tmp_path,
        {
            "ddos.conf": DDOS_CONF + many,
            "ignore.ip.list": many,
            "csf.conf": CSF_CONF + many,
            "csf.allow": many,
            "jail.conf": JAIL_CONF + many,
        },
    )

    text = text_of(peer, folder)

    assert len(text) < LARGEST_BYTES / 4
    assert parsed(text).rules


def test_more_networks_than_a_range_file_holds_are_refused(tmp_path: Path) -> None:
    every = "".join(f"198.{one >> 15}.{one >> 7 & 255}.{one * 2 & 255}\n" for one in range(60_000))

    with pytest.raises(UnreadableError, match=f"more than a range file holds .{MOST_PREFIXES:,}"):
        text_of("csf", written(tmp_path, {"csf.allow": every}))


def test_more_networks_than_anybody_trusts_are_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed, "MOST_LISTED", 1_000)
    every = "".join(f"2001:db8:{one >> 8:x}:{one & 255:x}::/64\n" for one in range(1_001))

    with pytest.raises(UnreadableError, match=r"csf.allow:1001: more than 1,000 networks"):
        text_of("csf", written(tmp_path, {"csf.allow": every}))


def test_much_of_the_internet_stays_in_the_policy_and_the_rest_goes_to_a_file(
    tmp_path: Path,
) -> None:
    every = "".join(f"198.51.{one >> 7}.{one * 2 & 255}\n" for one in range(2_000))
    folder = written(tmp_path, {"csf.allow": f"64.0.0.0/3\n{every}"})

    found = imported("csf", [folder], tmp_path / "my.yaml")

    entry = parsed(found.text).allowlist[-1]
    assert [str(one) for one in entry.prefixes] == ["64.0.0.0/3"]
    assert entry.ranges == ("/my.csf-allow.txt",)
    assert found.ranges["my.csf-allow.txt"].count("\n") == 2_001


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ddos.conf"
    with path.open("wb") as stream:
        stream.truncate(33 * 1024 * 1024)

    with pytest.raises(UnreadableError, match="larger than 32 MiB"):
        text_of("ddos-deflate", tmp_path)
