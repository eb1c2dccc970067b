"""Running a tool: whole scripts, whole lines, and ends in time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from select import PIPE_BUF

import pytest

from agent.act import command
from agent.act.command import find, run, stream
from agent.errors import FirewallError

Runs = Callable[..., str]

KILLED = """
import os, signal, sys
from agent.act import command

command._FOLDERS = sys.argv[1]

def lines():
    for number in range(100_000):
        if number == 50_000:
            os.kill(os.getpid(), signal.SIGKILL)
        yield f"add set 192.0.2.{number % 256}/32 timeout {number:09}\\n"

getattr(command, sys.argv[2])("tool", lines=lines())
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tools of the test's own."""
    monkeypatch.setattr(command, "_FOLDERS", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def tool(folder: Path, text: str, name: str = "tool") -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize("runs", [run, stream])
def test_a_tool_is_given_its_lines(tools: Path, runs: Runs) -> None:
    tool(tools, "#!/bin/sh\nexec cat\n")

    said = runs("tool", lines=(f"{number}\n" for number in range(9999)))

    assert said.split() == [str(number) for number in range(9999)]


@pytest.mark.parametrize("runs", [run, stream])
def test_what_a_failing_tool_says_first_is_told(tools: Path, runs: Runs) -> None:
    tool(tools, "#!/bin/sh\necho no such set >&2\necho more >&2\nexit 3\n")

    with pytest.raises(FirewallError, match=r"^tool: no such set$"):
        runs("tool", lines=["x\n"] * 100_000)


@pytest.mark.parametrize("runs", [run, stream])
def test_a_tool_that_hangs_is_ended(tools: Path, runs: Runs) -> None:
    tool(tools, "#!/bin/sh\nexec sleep 60\n")
    start = time.monotonic()

    with pytest.raises(FirewallError, match=r"did not end within 0.2 s"):
        runs("tool", lines=["x\n"] * 100_000, patience_s=0.2)

    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("not a program", "tool can't be run: Exec format error", id="no-program"),
        pytest.param("#!/nowhere/sh\n", "tool can't be run: No such file", id="no-interpreter"),
    ],
)
def test_a_tool_that_does_not_start_is_an_error_of_the_firewall(
    tools: Path, text: str, says: str
) -> None:
    tool(tools, text)

    with pytest.raises(FirewallError, match=says):
        run("tool")


def test_a_tool_that_is_not_there_is_named() -> None:
    assert find("no-such-tool") is None
    with pytest.raises(FirewallError, match="there is no no-such-tool here"):
        run("no-such-tool")


@pytest.mark.parametrize(("how", "fewest"), [("run", 0), ("stream", 1000)])
def test_whoever_is_killed_leaves_no_half_line_to_a_tool(
    tmp_path: Path, how: str, fewest: int
) -> None:
    """Half a line of ipset is another line: /32 cut after the 3 bans an eighth of the internet."""
    taken = tmp_path / "taken"
    path = "PATH=/usr/bin:/bin"
    tool(tmp_path, f"#!/bin/sh\n{path}\nsleep 0.3\ncat > {taken}.new\nmv {taken}.new {taken}\n")

    subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), how],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    lines = list(_lines_of(taken)) if how == "stream" else []
    assert len(lines) >= fewest
    assert all(line.split()[3:4] == ["timeout"] and len(line.split()[4]) == 9 for line in lines)


def _lines_of(path: Path) -> Iterator[str]:
    until = time.monotonic() + 10
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.02)
    with path.open() as taken:
        yield from taken


def test_no_chunk_is_more_than_the_kernel_takes_at_once() -> None:
    lines = [f"add set 192.0.2.{number % 256} timeout 600\n" for number in range(1000)]

    chunks = list(command.chunks(lines))

    assert b"".join(chunks).decode() == "".join(lines)
    assert all(len(chunk) <= PIPE_BUF and chunk.endswith(b"\n") for chunk in chunks)
