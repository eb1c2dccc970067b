"""The sockets that bench/ fabricates are those that it names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from agent.observe.choose import open_reader
from bench.sockets import Kind, enter_private_namespace, sockets

def told():
    found = open_reader().read(datetime(2026, 1, 1, tzinfo=UTC))
    states = {state.name: count for state, count in found.states.items()}
    return [states, len(found.tallies["sockets"])]

enter_private_namespace()
with sockets(16_000, 300, time_wait=50), sockets(70, 7, kind=Kind.IPV6):
    with sockets(90, 400, kind=Kind.MAPPED):
        inside = told()
print(json.dumps([inside, told()]))
"""


@pytest.mark.root
def test_they_are_there_as_asked_for_and_gone_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == [
        # The sources of mapped sockets are those of the IPv4 ones; TIME_WAIT has its own.
        [{"ESTABLISHED": 16_160, "TIME_WAIT": 50, "LISTEN": 3}, 300 + 7 + 50],
        [{"TIME_WAIT": 50}, 0],
    ]
