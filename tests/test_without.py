"""What stays unloaded, seen in a fresh interpreter where all of it is installed."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from agent.without import without

DRAWING = ("rich", "textual", "pygments")
LOADED = f"import sys; print([one for one in {DRAWING} if one in sys.modules])"
AUDIT = "import agent.record.audit"
DRY_RUN = """\
import contextlib, io, sys
from agent import cli
sys.argv = ["abuse-agent", "--dry-run", "--once"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    cli.entry()
assert "structlog" in sys.modules
"""


@pytest.mark.parametrize(
    "code", [pytest.param(AUDIT, id="the audit"), pytest.param(DRY_RUN, id="a whole dry run")]
)
def test_the_agent_loads_nothing_that_draws(code: str) -> None:
    assert all(map(find_spec, DRAWING))

    said = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], check=True, capture_output=True, text=True
    )

    assert said.stdout == "[]\n"


def test_what_was_hidden_is_found_again() -> None:
    with without("this_one"), pytest.raises(ImportError):
        __import__("this_one")

    assert "this_one" not in sys.modules


def test_what_is_loaded_already_stays() -> None:
    with without("sys"):
        assert __import__("sys") is sys
