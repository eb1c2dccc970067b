"""What a running agent records is what it told of each cycle."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from agent.model.address import pack
from agent.model.frame import Frame
from agent.model.sample import SOCKETS
from agent.record.tape.reader import TAPE, read_tape
from tests.live.agents import command, live
from tests.range import Hosts, connect, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
tape: {floor: 5}
services: {web: {ports: [80]}}
rules:
  - {name: web, service: web, count: connections, above: 20, sustained: 3 of 3, ban: 1m}
"""
HEAVY, LIGHT, GUILTY = "198.18.80.1", "198.18.80.2", "198.18.80.3"


def told(events: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Give moment, sockets and states of each cycle that was completed."""
    return [
        (datetime.fromisoformat(one["timestamp"]), one["sockets"], one["states"])
        for one in events
        if one["event"] == "cycle.completed"
    ]


def recorded(frames: Sequence[Frame]) -> list[tuple[object, ...]]:
    """Give the same of what was recorded."""
    samples = [frame.inputs.sample for frame in frames]
    return [
        (
            one.taken_at,
            one.sockets,
            {state.name: count for state, count in one.states.items()},
        )
        for one in samples
    ]


def held(frame: Frame, source: str) -> int:
    """Count the connections of a source in a frame."""
    packed = pack(ip_address(source))[1]
    rows = frame.inputs.sample.tallies[SOCKETS].items()
    return sum(count for (_, _, _, address), count in rows if address == packed)


def test_a_live_run_records_what_it_tells(hosts: Hosts, tmp_path: Path) -> None:
    policy, state = tmp_path / "policy.yaml", tmp_path / "state"
    policy.write_text(POLICY)
    to = (hosts.server4, 80)
    with (
        serve(hosts.server, 80),
        live(hosts.server, "nftables", policy, state) as agent,
        connect(hosts.client, [HEAVY], to, each=12),
        connect(hosts.client, [LIGHT], to, each=3),
        connect(hosts.client, [GUILTY], to, each=25),
    ):
        agent.wait_for("ban.applied", source=GUILTY)
        agent.wait_for("cycle.completed")
        assert agent.end() == 0
        events = agent.rest()

    troubles: list[str] = []
    frames = list(read_tape(state / TAPE, tell=troubles.append))
    assert troubles == []
    assert recorded(frames) == told(events)
    assert [frame.is_start for frame in frames] == [True] + [False] * (len(frames) - 1)
    most = max(frames, key=lambda frame: held(frame, GUILTY))
    assert [held(most, one) for one in (HEAVY, LIGHT, GUILTY)] == [12, 0, 25]
    assert sum(most.inputs.sample.others.values()) == 3
    assert most.rest[0].counts == {("web", "connections"): {3: 1}}
    assert "tape.troubled" not in agent.names()


def test_a_dry_run_records_where_it_is_told_to_and_nowhere_else(
    namespace: str, tmp_path: Path
) -> None:
    policy, state, tape = tmp_path / "policy.yaml", tmp_path / "state", tmp_path / "kept"
    policy.write_text(POLICY)
    words = ("run", "--dry-run", "--once", "--policy", str(policy), "--state-dir", str(state))

    assert command(namespace, "nftables", *words).returncode == 0
    assert sorted(tmp_path.iterdir()) == [policy]

    assert command(namespace, "nftables", *words, "--tape", str(tape)).returncode == 0
    assert sorted(tmp_path.iterdir()) == [tape, policy]
    assert len(list(read_tape(tape))) == 1


def test_a_live_run_of_one_cycle_records_only_where_it_is_told_to(
    namespace: str, tmp_path: Path
) -> None:
    policy, state, tape = tmp_path / "policy.yaml", tmp_path / "state", tmp_path / "kept"
    policy.write_text(POLICY)
    words = ("run", "--once", "--policy", str(policy), "--state-dir", str(state))

    assert command(namespace, "nftables", *words).returncode == 0
    assert not (state / TAPE).exists()

    assert command(namespace, "nftables", *words, "--tape", str(tape)).returncode == 0
    assert len(list(read_tape(tape))) == 1


def test_a_tape_that_can_not_be_written_is_told_and_keeps_no_cycle(
    namespace: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    (tmp_path / "kept").write_text("a file")

    with live(
        namespace, "nftables", policy, tmp_path / "state", "--tape", str(tmp_path / "kept")
    ) as agent:
        told_ = agent.wait_for("tape.troubled")
        agent.wait_for("cycle.completed")
        assert agent.end() == 0
    assert told_["reason"] == f"{tmp_path}/kept: Not a directory; nothing is recorded"
