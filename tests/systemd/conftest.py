"""The program once, as a package installs it, and a systemd for each test that asks for one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.systemd.sandbox import TREE, Machine, booted, why_not

_PLACE = "/opt/abuse-agent"
"""Where it stands inside; the service's user may read no folder of pytest's."""


class Boot(Protocol):
    """Boots with files beside the units, and units that start."""

    def __call__(
        self, network: str, files: dict[str, str], enable: tuple[str, ...]
    ) -> AbstractContextManager[Machine]:
        """See `tests.systemd.sandbox.booted`."""


@pytest.fixture(autouse=True, scope="session")
def _able() -> None:
    """Skip all of it where no systemd can be booted."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory, _able: None) -> Path:
    """An environment of the system's Python, which the service's user may run, with this tree."""
    place = tmp_path_factory.mktemp("program") / "abuse-agent"
    subprocess.run(["/usr/bin/python3", "-m", "venv", place], check=True, umask=0o022)
    wanted = _pip(place, "--use-pep517", "-r", "requirements.lock", "hatchling")
    if wanted.returncode:
        pytest.skip(f"pip can't install what the agent needs: {wanted.stderr.strip()[-300:]}")
    own = _pip(place, "--no-deps", "--no-build-isolation", ".")
    assert own.returncode == 0, own.stderr
    script = place / "bin" / "abuse-agent"
    script.write_text(script.read_text().replace(str(place), _PLACE, 1))
    return place


def _pip(place: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
    pins = dict.fromkeys(("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"), "requirements-dev.lock")
    return subprocess.run(
        [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input", *wanted],
        cwd=TREE,
        env={**os.environ, **pins, "PIP_USER": "0"},
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )


@pytest.fixture
def boot(program: Path) -> Boot:
    """Give what boots a machine with the program."""
    return partial(booted, program)


@pytest.fixture
def bare(boot: Boot, namespace: str) -> Iterator[Machine]:
    """A machine in which nothing of ours has been started."""
    with boot(namespace, {}, ()) as machine:
        yield machine
