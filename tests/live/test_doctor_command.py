"""abuse-agent doctor as it is typed: in namespaces with settings of their own, with root or not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.agents import ROOT
from tests.range.hosts import set_sysctl

pytestmark = pytest.mark.root

AS_NOBODY = """\
import contextlib, io, os
from agent import cli

# The interpreter may be where nobody else may look: all is loaded before root is given up.
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    cli.entry()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
cli.entry()
"""


def typed(
    namespace: str, *options: str, program: tuple[str, ...] = ("-m", "agent")
) -> subprocess.CompletedProcess[str]:
    enter = ("ip", "netns", "exec", namespace, sys.executable, *program)
    return subprocess.run(
        (*enter, "doctor", "--watch", "0s", *options),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def told(namespace: str, folder: Path) -> dict[str, Any]:
    """Give what is not well, by name; not the clock and the disk, which are the machine's own."""
    found = typed(namespace, "--json", "--state-dir", str(folder))
    assert (found.returncode in {0, 1}, found.stderr) == (True, "")
    findings = json.loads(found.stdout)["findings"]
    return {
        one["name"]: one
        for one in findings
        if one["grade"] in {"wrong", "advice"}
        and one["topic"] != "machine"
        and not one["name"].startswith("/")
    }


def test_a_fresh_namespace_is_well(namespace: str, tmp_path: Path) -> None:
    assert told(namespace, tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ipv4/tcp_syncookies", "0"),
        ("ipv4/tcp_fin_timeout", "2"),
        ("ipv4/tcp_synack_retries", "0"),
        ("ipv4/tcp_keepalive_time", "30"),
        ("ipv4/tcp_timestamps", "0"),
        ("ipv4/tcp_max_tw_buckets", "50"),
        ("ipv4/tcp_abort_on_overflow", "1"),
    ],
)
def test_a_harmful_value_in_force_is_told_with_its_command(
    namespace: str, tmp_path: Path, setting: str, value: str
) -> None:
    set_sysctl(namespace, setting, value)
    name = f"net.{setting.replace('/', '.')}"

    found = told(namespace, tmp_path)

    assert found.keys() == {name}
    assert list(tmp_path.iterdir()) == []
    assert found[name]["value"] == value
    assert found[name]["do"][0].startswith(f"sysctl -w {name}=")


def test_nobody_is_told_the_same_and_what_could_not_be_seen(namespace: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    set_sysctl(namespace, "ipv4/tcp_syncookies", "0")
    here = ("--state-dir", str(tmp_path / "none"))

    found = typed(namespace, *here, program=("-c", AS_NOBODY))

    assert found.stderr == ""
    assert "net.ipv4.tcp_syncookies: 0" in found.stdout
    assert found.returncode == 0


def test_a_bad_policy_is_wrong_and_the_rest_is_told(namespace: str, tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text("version: none\n")

    found = typed(namespace, "--policy", str(policy), "--state-dir", str(tmp_path / "none"))

    assert (found.returncode, found.stderr) == (1, "")
    assert "WRONG    policy" in found.stdout
