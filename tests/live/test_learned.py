"""What a live agent has learned, over its end and the next start."""

import time
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.model.learned import Learned
from agent.record.learned import NAME, keep_learned, read_learned
from tests.builders import NOW
from tests.live.agents import command, live

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
services:
  web: {ports: [80]}
allowlist:
  - {name: cdn, kind: infrastructure, ranges: [cdn.txt, lost.txt], grants: exempt}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""


def test_what_was_learned_is_written_at_the_end_and_goes_on(namespace: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (tmp_path / "cdn.txt").write_text("203.0.113.0/24\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    state.mkdir()
    keep_learned(
        state, Learned(sessions={ip_address("192.0.2.9"): NOW}, clients={bytes(4): (3, 9)})
    )
    before = (state / NAME).stat().st_mtime_ns

    with live(namespace, "nftables", policy, state) as agent:
        told = agent.wait_for("identify.troubled")
        agent.wait_for("cycle.completed")
        start = time.monotonic()
        assert agent.end() == 0
        assert time.monotonic() - start < 1.5

    assert told["reason"].startswith(f"{tmp_path}/lost.txt: it is not there")
    assert (state / NAME).stat().st_mtime_ns > before
    assert set(read_learned(state).sessions) <= {ip_address("192.0.2.9")}


def test_a_dry_run_goes_on_with_it_and_writes_nothing(namespace: str, tmp_path: Path) -> None:
    (tmp_path / "cdn.txt").write_text("203.0.113.0/24\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)

    done = command(
        *(namespace, "nftables", "run", "--dry-run", "--once", "--policy", str(policy)),
        *("--state-dir", str(tmp_path / "state")),
    )

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "state").exists()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / NAME).write_bytes(b"\0" * 100)
    done = command(
        *(namespace, "nftables", "run", "--dry-run", "--once", "--policy", str(policy)),
        *("--state-dir", str(damaged)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (damaged / NAME).read_bytes() == b"\0" * 100
