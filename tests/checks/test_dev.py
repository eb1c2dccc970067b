"""`./dev` and its verbs, as far as they need no set-up."""

import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]


def dev(script: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script, *args], capture_output=True, text=True, check=False)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of the script in a tree of its own, whose name has a space."""
    copy = tmp_path / "a tree" / "dev"
    (copy.parent / "bench").mkdir(parents=True)
    copy.write_text((TREE / "dev").read_text())
    copy.chmod(0o755)
    (copy.parent / "bench" / "__init__.py").write_text('"""Not a bench."""\n')
    (copy.parent / "bench" / "sample.py").write_text(
        '"""What a sample costs."""\n\ndef main(): ...\n'
    )
    return copy


@pytest.mark.parametrize("args", [(), ("help",), ("--help",)])
def test_without_a_verb_the_verbs_are_shown(script: Path, args: tuple[str, ...]) -> None:
    told = dev(script, *args)

    assert told.returncode == 0
    assert "./dev run ARGS" in told.stdout


def test_an_unknown_verb_is_a_usage_error(script: Path) -> None:
    told = dev(script, "destroy")

    assert told.returncode == 2
    assert told.stderr.startswith("dev: no verb is called 'destroy'\n")


def test_bench_without_a_name_lists_the_benches(script: Path) -> None:
    told = dev(script, "bench")

    assert told.returncode == 0
    assert told.stdout.splitlines()[-1].split(maxsplit=1) == ["sample", "What a sample costs."]
    assert "Not a bench" not in told.stdout


@pytest.mark.parametrize("name", ["speed", "__init__", "../sample", ""])
def test_an_unknown_bench_is_a_usage_error_with_the_list(script: Path, name: str) -> None:
    told = dev(script, "bench", name)

    assert told.returncode == 2
    assert told.stderr.splitlines()[0] == f"dev: no bench is called '{name}'; there are:"
    assert "sample" in told.stderr


def test_a_python_that_is_none_is_told_and_nothing_is_made(script: Path) -> None:
    (script.parent / "requirements.lock").write_text("")
    (script.parent / "requirements-dev.lock").write_text("")
    (script.parent / "pyproject.toml").write_text("")

    told = subprocess.run(
        [script, "lock"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "false"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 69
    assert told.stderr.splitlines()[-1] == "dev: $PYTHON is false, which is no Python 3.11 or newer"


def test_the_locks_pin_each_name_once_and_name_no_place() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (TREE / name).read_text().splitlines()
        pins = [line for line in lines if not line.startswith("#")]

        assert all(line.count("==") == 1 and "/" not in line for line in pins)
        assert len({line.partition("==")[0].lower() for line in pins}) == len(pins)


def test_the_tools_lock_holds_the_pins_of_the_agent() -> None:
    agent = set((TREE / "requirements.lock").read_text().splitlines()[1:])
    tools = set((TREE / "requirements-dev.lock").read_text().splitlines()[1:])

    assert agent <= tools
