"""ddos-deflate's configuration as a policy: each setting lands where it should, or is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.desk.imports.states import COUNTED
from agent.errors import InputError, UnreadableError
from agent.model.policy import Answer, Kind, Mode, Scope, Sustained
from tests.desk.imports.peers import (
    DDOS_CONF,
    comments_of,
    deflate,
    policy_of,
    prefixes_of,
    rules_of,
    text_of,
    written,
)

PEER = "ddos-deflate"


def changed(**settings: str) -> str:
    """Give the usual configuration with more lines at its end: the last one holds."""
    return DDOS_CONF + "".join(f"{key}={value}\n" for key, value in settings.items())


def test_the_usual_configuration_is_a_policy_for_all_ports(tmp_path: Path) -> None:
    policy = policy_of(PEER, deflate(tmp_path))

    rules = rules_of(policy)
    assert list(rules) == ["connections", "ssh-connections"]
    every_port = rules["connections"].service.ports | rules["ssh-connections"].service.ports
    assert every_port == frozenset(range(1, 65_536))
    assert {rule.limit for rule in policy.rules} == {149}
    assert {rule.lasts for rule in policy.rules} == {timedelta(seconds=600)}
    assert {rule.escalation.times for rule in policy.rules} == {1}
    assert {rule.sustained for rule in policy.rules} == {Sustained(times=5, of=5)}
    assert policy.every == timedelta(seconds=5)


def test_its_ban_is_of_the_host_and_leaves_ssh_open(tmp_path: Path) -> None:
    rules = rules_of(policy_of(PEER, deflate(tmp_path)))

    assert rules["connections"].scope is Scope.HOST
    assert not rules["connections"].service.is_ssh
    assert rules["ssh-connections"].scope is Scope.SERVICE
    assert rules["ssh-connections"].service.name == "ssh"


def test_both_lists_become_entries_that_are_exempt(tmp_path: Path) -> None:
    policy = policy_of(PEER, deflate(tmp_path, ips="127.0.0.0/8\n10.0.0.0/8\n198.51.100.7\n"))

    assert prefixes_of(policy) == {
        "ignored-addresses-private": ["10.0.0.0/8"],
        "ignored-addresses": ["198.51.100.7/32"],
    }
    kinds = {entry.name: entry.kind for entry in policy.allowlist}
    assert kinds["ignored-addresses-private"] is Kind.INFRASTRUCTURE
    assert kinds["ignored-addresses"] is Kind.PARTNER
    assert policy.allowlist[-1].hosts == ("googlebot.com",)
    assert {entry.patience for entry in policy.allowlist} == {None}


def test_every_line_is_beside_its_value_or_told(tmp_path: Path) -> None:
    text = text_of(PEER, deflate(tmp_path))

    told = comments_of(text)
    used = ("DAEMON_FREQ", "NO_OF_CONNECTIONS", "BAN_PERIOD", "CONN_STATES")
    for number, line in enumerate(DDOS_CONF.split("\n"), 1):
        key = line.partition("=")[0]
        if line.startswith("#") or not line:
            continue
        assert (f"ddos.conf:{number}: {key}=" if key in used else f"{key}:{number}") in told
    assert "127.0.0.0/8:1" in told
    assert all(f"ignore.ip.list:{number}" in text for number in (2, 3, 4))
    assert "ignore.host.list:3" in text


@pytest.mark.parametrize(
    ("value", "above", "told"),
    [
        pytest.param("1000", 999, "NO_OF_CONNECTIONS=1000", id="a number"),
        pytest.param('"200"', 199, "NO_OF_CONNECTIONS=200", id="in double quotes"),
        pytest.param("'200' # per source", 199, "NO_OF_CONNECTIONS=200", id="with a comment"),
        pytest.param("200;", 199, "NO_OF_CONNECTIONS=200", id="with its end"),
        pytest.param("200; reboot", 149, "'NO_OF_CONNECTIONS=200; reboot':2", id="more behind it"),
        pytest.param("1", 1, "NO_OF_CONNECTIONS=1", id="everybody"),
        pytest.param("99999999", 1_000_000, "NO_OF_CONNECTIONS=99999999", id="nobody"),
        pytest.param("many", 149, "no number of 0 and more, so 150", id="no number"),
        pytest.param("-1", 149, "no number of 0 and more, so 150", id="below none"),
        pytest.param("$(nproc)", 149, "the output of a command", id="a command"),
    ],
)
def test_the_number_of_connections_is_the_limit_one_less(
    tmp_path: Path, value: str, above: int, told: str
) -> None:
    text = text_of(PEER, deflate(tmp_path, f"BAN_PERIOD=600\nNO_OF_CONNECTIONS={value}\n"))

    assert f"    above: {above}\n" in text
    assert told in comments_of(text)


def test_a_low_limit_is_told_to_ban_offices_and_a_high_one_is_not(tmp_path: Path) -> None:
    low = text_of(PEER, deflate(tmp_path))
    high = text_of(PEER, deflate(tmp_path, changed(NO_OF_CONNECTIONS="2000")))

    assert "Low: 25 people behind one address hold 150 connections" in comments_of(low)
    assert "Low:" not in high


@pytest.mark.parametrize(
    ("value", "lasts_s"),
    [
        pytest.param("3661", 3661, id="to the second"),
        pytest.param("0", 600, id="no time at all"),
        pytest.param("999999999", 2_147_483, id="longer than a kernel set keeps"),
    ],
)
def test_the_period_is_the_length_of_a_ban(tmp_path: Path, value: str, lasts_s: int) -> None:
    policy = policy_of(PEER, deflate(tmp_path, changed(BAN_PERIOD=value)))

    assert {rule.lasts.total_seconds() for rule in policy.rules} == {lasts_s}


@pytest.mark.parametrize(
    ("value", "every_s", "times"),
    [
        pytest.param("1", 1, 21, id="each second"),
        pytest.param("5", 5, 5, id="the usual"),
        pytest.param("30", 30, 2, id="twice a minute"),
        pytest.param("600", 60, 2, id="longer than a cycle may be"),
    ],
)
def test_a_source_is_above_for_twenty_seconds_and_twice_at_least(
    tmp_path: Path, value: str, every_s: int, times: int
) -> None:
    policy = policy_of(PEER, deflate(tmp_path, changed(DAEMON_FREQ=value)))

    assert policy.every.total_seconds() == every_s
    assert policy.rules[0].sustained == Sustained(times=times, of=times)


@pytest.mark.parametrize(
    ("value", "states"),
    [
        pytest.param('"connected"', COUNTED, id="all that are connected"),
        pytest.param(
            '"ESTABLISHED|SYN_RECV|FIN_WAIT1"', ("ESTABLISHED", "FIN_WAIT1"), id="netstat"
        ),
        pytest.param('"established:fin-wait-2:syn-recv"', ("ESTABLISHED", "FIN_WAIT2"), id="ss"),
        pytest.param('"bucket"', ("TIME_WAIT",), id="a group of ss"),
        pytest.param('"listening"', COUNTED, id="nothing that counts"),
    ],
)
def test_states_are_summed_without_half_open_ones(
    tmp_path: Path, value: str, states: tuple[str, ...]
) -> None:
    policy = policy_of(PEER, deflate(tmp_path, changed(CONN_STATES=value)))

    assert {state.name for state in policy.rules[0].states} == set(states)


def test_half_open_connections_alone_are_slowed_down_never_banned_for(tmp_path: Path) -> None:
    policy = policy_of(PEER, deflate(tmp_path, changed(CONN_STATES='"syn-recv"')))

    assert {(rule.measure.name, rule.answer) for rule in policy.rules} == {
        ("half_open", Answer.THROTTLE)
    }


def test_limits_of_ports_hold_where_they_are_in_force(tmp_path: Path) -> None:
    ports = '"80:100:60 20-21:150:600\n443:nothing 80:7:7 0:1:1 443:200:900"'
    text = text_of(PEER, deflate(tmp_path, changed(ENABLE_PORTS="true", PORT_CONNECTIONS=ports)))

    rules = rules_of(policy_of(PEER, tmp_path))
    assert {
        name: (rule.limit, rule.lasts.total_seconds(), sorted(rule.service.ports))
        for name, rule in rules.items()
        if name.startswith("port")
    } == {
        "port-80-connections": (99, 60, [80]),
        "port-20-21-connections": (149, 600, [20, 21]),
        "port-443-connections": (199, 900, [443]),
    }
    told = comments_of(text)
    assert "ENABLE_PORTS=true: there only who is on one of those ports is judged" in told
    assert all(f"'{word}':" in told for word in ("443:nothing", "80:7:7", "0:1:1"))


def test_an_old_configuration_is_read_too(tmp_path: Path) -> None:
    conf = (
        'PROGDIR="/usr/local/ddos"\nIGNORE_IP_LIST="$PROGDIR/ignored"\n'
        'KILL=0\nAPF_BAN=1\nHTTP_PORTS="80|443"\nNO_OF_CONNECTIONS_HTTP=80\n'
    )
    folder = written(tmp_path, {"ddos.conf": conf, "ignored": "203.0.113.9\n"})

    policy = policy_of(PEER, folder)

    assert {rule.mode for rule in policy.rules} == {Mode.OBSERVE}
    assert rules_of(policy)["http-connections"].limit == 79
    assert rules_of(policy)["http-connections"].service.ports == {80, 443}
    assert prefixes_of(policy) == {"ignored-addresses": ["203.0.113.9/32"]}


def test_a_list_that_is_not_in_force_is_not_taken(tmp_path: Path) -> None:
    folder = deflate(tmp_path, changed(USE_IGNORE_IP_LIST="0", USE_IGNORE_HOST_LIST="0"))

    assert policy_of(PEER, folder).allowlist == ()


def test_a_list_alone_goes_with_the_default_policy(tmp_path: Path) -> None:
    folder = written(tmp_path, {"ignore.ip.list": "203.0.113.9 # office\n"})

    policy = policy_of(PEER, folder / "ignore.ip.list")

    assert prefixes_of(policy)["ignored-addresses"] == ["203.0.113.9/32"]
    assert "web-connections" in rules_of(policy)
    assert "ignore.ip.list:1: office" in text_of(PEER, folder)


def test_a_list_alone_that_lists_nobody_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, {"notes.txt": "buy milk\nand bread\n", "empty.list": "# nobody\n"})

    with pytest.raises(UnreadableError, match=r"notes\.txt: nobody is listed in it"):
        text_of(PEER, folder / "notes.txt")
    assert policy_of(PEER, folder / "empty.list").rules


def test_private_networks_that_the_default_policy_exempts_are_told(tmp_path: Path) -> None:
    folder = written(tmp_path, {"ignore.ip.list": "10.0.0.0/8\n203.0.113.9\n"})

    assert list(prefixes_of(policy_of(PEER, folder))) == ["private-networks", "ignored-addresses"]
    told = comments_of(text_of(PEER, folder))
    assert "exempt already: the default policy's private-networks: 10.0.0.0/8:1" in told


def test_nothing_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no ddos\.conf and no ignore list in .*: give its PATH"):
        text_of(PEER, tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        text_of(PEER, tmp_path / "missing")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file"),
        pytest.param("[DEFAULT]\nbantime = 10m\n", id="another tool's"),
        pytest.param("\x00\x01\x02", id="no text"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path, {"ddos.conf": text})

    with pytest.raises(UnreadableError, match=r"ddos\.conf: no setting of ddos-deflate is in it"):
        text_of(PEER, folder)
