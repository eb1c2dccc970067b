"""An imported limit judges: by a saved listing, as an operator tries it on the first day."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cli.group import main
from agent.desk.imports.states import COUNTED
from tests.desk.imports.peers import csf, deflate, fail2ban
from tests.scenarios.witness import BANS_FROM, CSF, DDOS_DEFLATE

BAD, BELOW, LISTED = "198.51.100.7", "198.51.100.8", "203.0.113.9"
HEAD = (
    "Active Internet connections (servers and established)\n"
    "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n"
    "tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN\n"
    "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\n"
    "tcp        0      0 0.0.0.0:8443            0.0.0.0:*               LISTEN\n"
)


def rows(source: str, port: int, state: str, count: int, first: int = 20_000) -> str:
    """Give the lines of netstat for so many connections."""
    return "".join(
        f"tcp        0      0 192.0.2.1:{port:<14} {source}:{first + one:<9} {state}\n"
        for one in range(count)
    )


def bans(folder: Path, peer: str, configured: Path, listing: str) -> dict[str, tuple[str, float]]:
    """Give whom the imported policy would ban: by which rule, and for how many seconds."""
    policy, saved = folder / "my.yaml", folder / "saved.txt"
    saved.write_text(HEAD + listing)
    run("import", peer, configured, "--output", policy, "--force")
    replayed = run("replay", "--policy", policy, "--assume-sustained", "--json", saved)
    found: list[dict[str, Any]] = json.loads(replayed)["replay"]["bans"]
    return {one["source"]: (one["rule"], one["for_s"]) for one in found}


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_whom_ddos_deflate_bans_at_150_is_banned_at_150(tmp_path: Path) -> None:
    listing = (
        rows(BAD, 80, "ESTABLISHED", 100)
        + rows(BAD, 8443, "TIME_WAIT", 50)
        + rows(BELOW, 80, "ESTABLISHED", 149)
        + rows(BELOW, 80, "SYN_RECV", 500)
        + rows(LISTED, 80, "ESTABLISHED", 999)
        + rows("10.1.2.3", 80, "ESTABLISHED", 999)
    )
    configured = deflate(tmp_path / "ddos", ips=f"{LISTED}\n10.0.0.0/8\n")

    assert bans(tmp_path, "ddos-deflate", configured, listing) == {BAD: ("connections", 600.0)}


def test_whom_csf_bans_above_300_is_banned_above_300(tmp_path: Path) -> None:
    listing = (
        rows(BAD, 80, "ESTABLISHED", 301)
        + rows(BELOW, 80, "ESTABLISHED", 300)
        + rows(BELOW, 22, "ESTABLISHED", 300)
        + rows(LISTED, 22, "ESTABLISHED", 301)
        + rows("203.0.113.10", 80, "TIME_WAIT", 400)
    )
    allow = {"csf.allow": f"tcp|in|d=22|s={LISTED}\n"}
    settings = {"CT_LIMIT": "300", "CT_SKIP_TIME_WAIT": "1"}

    found = bans(tmp_path, "csf", csf(tmp_path / "csf", allow, **settings), listing)

    assert found == {BAD: ("connections", 1800.0)}


def test_what_is_imported_of_fail2ban_spares_whom_it_ignores(tmp_path: Path) -> None:
    listing = rows(BAD, 22, "ESTABLISHED", 201) + rows(LISTED, 22, "ESTABLISHED", 999)
    configured = fail2ban(tmp_path / "f", local=f"[DEFAULT]\nignoreip = {LISTED}\n")

    assert bans(tmp_path, "fail2ban", configured, listing) == {BAD: ("ssh-connections", 600.0)}


@pytest.mark.parametrize(("port", "rule"), [(80, "connections"), (22, "ssh-connections")])
def test_each_half_of_the_machine_is_judged(tmp_path: Path, port: int, rule: str) -> None:
    listing = rows(BAD, port, "ESTABLISHED", 150)

    found = bans(tmp_path, "ddos-deflate", deflate(tmp_path / "ddos"), listing)

    assert found == {BAD: (rule, 600.0)}


HELD = st.lists(
    st.tuples(
        st.sampled_from([f"198.51.100.{one}" for one in range(1, 5)]),
        st.sampled_from([22, 80, 8443]),
        st.sampled_from([*COUNTED, "SYN_RECV"]),
        st.sampled_from([1, 49, 50, 100, 149, 150, 151, 200, 300, 301]),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(st.sampled_from([DDOS_DEFLATE, CSF]), HELD)
def test_whoever_is_banned_would_have_been_banned_there_and_no_crowd_of_one_service_is_missed(
    program: str, held: list[tuple[str, int, str, int]]
) -> None:
    theirs, ours = Counter[str](), Counter[tuple[str, bool]]()
    for source, port, state, count in held:
        theirs[source] += count
        ours[source, port == 22] += count * (state != "SYN_RECV")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer = folder / "peer"
        made = deflate(peer) if program == DDOS_DEFLATE else csf(peer, CT_LIMIT="300")
        found = bans(folder, program.lower(), made, listed(held))

    least = BANS_FROM[program]
    assert set(found) <= {source for source, count in theirs.items() if count >= least}
    assert set(found) == {source for (source, _), count in ours.items() if count >= least}


def listed(held: list[tuple[str, int, str, int]]) -> str:
    """Give the lines of netstat for what is held; no two connections are the same."""
    text, first = "", 10_000
    for source, port, state, count in held:
        text += rows(source, port, state, count, first)
        first += count
    return text
