import json
import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from agent.cli import doctor as module
from agent.cli.doctor import lines_of
from agent.cli.group import main
from agent.desk.doctor.examine import Examination
from agent.desk.doctor.facts import Facts
from agent.desk.doctor.values import Finding, Grade, Topic

FACTS = Facts(now=datetime(2026, 11, 27, 12, 0, tzinfo=UTC), watched_s=3.0)
WELL = Finding(
    topic=Topic.STATES, name="TIME_WAIT", grade=Grade.FINE, value="12", says="no load and no fault"
)
WRONG = Finding(
    topic=Topic.STATES,
    name="CLOSE_WAIT",
    grade=Grade.WRONG,
    value="812",
    says="the other ends have closed, and python3 (pid 812) has not: it forgets to, and keeps all "
    "of them until it ends",
    why="Each costs a descriptor.",
    do=("restart python3", "ss -tnp state close-wait"),
)
ADVICE = Finding(
    topic=Topic.SETTINGS,
    name="net.ipv4.tcp_syncookies",
    grade=Grade.ADVICE,
    value="0",
    says="a flood of SYNs would fill the backlogs",
    do=("sysctl -w net.ipv4.tcp_syncookies=1",),
)
HIDDEN = Finding(
    topic=Topic.FIREWALL, name="verify", grade=Grade.UNKNOWN, value="", says="needs CAP_NET_ADMIN"
)


def found(*findings: Finding) -> Examination:
    return Examination(facts=FACTS, findings=findings)


def test_the_worst_comes_first_and_what_is_well_is_only_counted() -> None:
    lines = list(lines_of(found(WELL, ADVICE, HIDDEN, WRONG), is_all=False))

    assert lines[lines.index("") :] == [
        "",
        "WRONG    CLOSE_WAIT: 812",
        "         the other ends have closed, and python3 (pid 812) has not: it forgets",
        "         to, and keeps all of them until it ends",
        "         Each costs a descriptor.",
        "         > restart python3",
        "         > ss -tnp state close-wait",
        "",
        "advice   net.ipv4.tcp_syncookies: 0",
        "         a flood of SYNs would fill the backlogs",
        "         > sysctl -w net.ipv4.tcp_syncookies=1",
        "",
        "unknown  verify",
        "         needs CAP_NET_ADMIN",
        "",
        "1 wrong, 1 piece of advice; 1 thing found well; --all tells of each",
    ]


def test_a_healthy_machine_gets_one_line() -> None:
    lines = list(lines_of(found(WELL), is_all=False))

    assert lines[-2:] == [
        "",
        "nothing is wrong: 1 thing looked at and found well; --all tells of each",
    ]
    assert "TIME_WAIT" not in "\n".join(lines)


def test_all_tells_of_everything_by_topic() -> None:
    lines = list(lines_of(found(WELL, WRONG, ADVICE), is_all=True))

    heads = [line for line in lines if re.fullmatch("[a-z]+", line)]
    assert heads == ["states", "settings"]
    assert "fine     TIME_WAIT: 12" in lines


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        pytest.param((WELL,), 0, id="well"),
        pytest.param((WELL, ADVICE, HIDDEN), 0, id="advice-is-no-illness"),
        pytest.param((WELL, WRONG), 1, id="wrong"),
    ],
)
def test_the_exit_status_tells_whether_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...], status: int
) -> None:
    monkeypatch.setattr(module, "examine", lambda *_: found(*findings))

    result = CliRunner().invoke(main, ["doctor", "--json"])

    told = json.loads(result.stdout)
    assert result.exit_code == status
    assert told["well"] is (status == 0)
    assert [one["name"] for one in told["findings"]] == [one.name for one in findings]
    assert told["summary"]["wrong"] == status


@pytest.mark.parametrize("given", ["3", "-1s", "2h", "soon", "0"])
def test_a_wrong_watch_is_a_usage_error(given: str) -> None:
    result = CliRunner().invoke(main, ["doctor", "--watch", given])

    assert result.exit_code == 2
    assert "is no duration of 1s to 1h, as 10m or 1h30m, nor 0s" in " ".join(result.stderr.split())


def test_what_others_wrote_can_not_play_with_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evil = Finding(
        topic=Topic.STATES, name="x", grade=Grade.WRONG, value="\x1b[2J", says="\x1b]0;pwned\x07"
    )
    monkeypatch.setattr(module, "examine", lambda *_: found(evil))

    assert "\x1b" not in CliRunner().invoke(main, ["doctor"]).output
