"""What live tests share: each firewall in turn, a folder for the state, a policy's file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.program import FIREWALLS


@pytest.fixture(params=FIREWALLS)
def firewall(request: pytest.FixtureRequest) -> str:
    """Give the name of each firewall in turn."""
    name: str = request.param
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a state directory."""
    return tmp_path / "state"


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[[str], Path]:
    """Give what writes a policy into a file."""

    def write(text: str) -> Path:
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return path

    return write
