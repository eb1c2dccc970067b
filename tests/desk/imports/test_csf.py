"""CSF's configuration as a policy: each setting lands where it should, or is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.desk.imports.states import COUNTED
from agent.errors import InputError, UnreadableError
from agent.model.address import HOST, Width
from agent.model.policy import Answer, Kind, Scope, Sustained
from tests.desk.imports.peers import (
    CSF_CONF,
    comments_of,
    csf,
    policy_of,
    prefixes_of,
    rules_of,
    text_of,
    written,
)


def test_the_usual_configuration_counts_nothing_so_the_default_policy_holds(
    tmp_path: Path,
) -> None:
    policy = policy_of("csf", csf(tmp_path))

    assert "web-connections" in rules_of(policy)
    assert prefixes_of(policy)["csf-allow"] == ["198.51.100.20/32"]
    assert "private-networks" in prefixes_of(policy)


def test_connection_tracking_is_a_policy_for_all_ports(tmp_path: Path) -> None:
    policy = policy_of("csf", csf(tmp_path, CT_LIMIT="300"))

    rules = rules_of(policy)
    assert list(rules) == ["connections", "ssh-connections"]
    assert {rule.limit for rule in policy.rules} == {300}
    assert {rule.lasts for rule in policy.rules} == {timedelta(minutes=30)}
    assert {state.name for state in rules["connections"].states} == set(COUNTED)
    assert rules["connections"].scope is Scope.HOST
    assert not rules["connections"].service.is_ssh
    assert policy.every == timedelta(seconds=30)
    assert rules["connections"].sustained == Sustained(times=2, of=2)
    assert rules["connections"].escalation.within == timedelta(days=1)


@pytest.mark.parametrize("limit", ["0", "300"])
def test_every_line_is_beside_its_value_or_told(tmp_path: Path, limit: str) -> None:
    told = comments_of(text_of("csf", csf(tmp_path, CT_LIMIT=limit)))

    used = {"CT_LIMIT", "CT_INTERVAL", "CT_BLOCK_TIME", "LF_PERMBLOCK"} if limit == "300" else set()
    silent = {
        *("CT_STATES", "CT_PORTS", "CT_SKIP_TIME_WAIT", "CT_PERMANENT", "LF_PERMBLOCK_INTERVAL")
    }
    for number, line in enumerate(CSF_CONF.rstrip().split("\n"), 1):
        key = line.partition(" ")[0]
        if limit == "300" and key in silent:
            continue  # it is what the policy does anyway
        assert (f"csf.conf:{number}: {key}=" if key in used else f"{key}:{number}") in told, key


def test_no_secret_of_the_file_is_shown(tmp_path: Path) -> None:
    assert "password" not in text_of("csf", csf(tmp_path))


def test_ports_are_watched_together_and_ssh_apart(tmp_path: Path) -> None:
    rules = rules_of(policy_of("csf", csf(tmp_path, CT_LIMIT="300", CT_PORTS="80,22,443,81,no")))

    assert rules["connections"].service.ports == {80, 81, 443}
    assert rules["ssh-connections"].service.ports == {22}


def test_ssh_alone_is_watched_alone(tmp_path: Path) -> None:
    rules = rules_of(policy_of("csf", csf(tmp_path, CT_LIMIT="300", CT_PORTS="22")))

    assert list(rules) == ["ssh-connections"]


@pytest.mark.parametrize(
    ("settings", "states"),
    [
        pytest.param({}, set(COUNTED), id="all"),
        pytest.param({"CT_SKIP_TIME_WAIT": "1"}, set(COUNTED) - {"TIME_WAIT"}, id="some skipped"),
        pytest.param({"CT_STATES": "SYN_RECV,TIME_WAIT"}, {"TIME_WAIT"}, id="half-open ones too"),
        pytest.param({"CT_STATES": "ESTABLISHED,CLOSE"}, {"ESTABLISHED"}, id="one nobody counts"),
        pytest.param(
            {"CT_STATES": "TIME_WAIT", "CT_SKIP_TIME_WAIT": "1"},
            set(COUNTED) - {"TIME_WAIT"},
            id="nothing at all",
        ),
    ],
)
def test_states_are_those_it_counts_without_half_open_ones(
    tmp_path: Path, settings: dict[str, str], states: set[str]
) -> None:
    policy = policy_of("csf", csf(tmp_path, CT_LIMIT="300", **settings))

    assert {state.name for state in policy.rules[0].states} == states


def test_half_open_connections_alone_are_slowed_down_never_banned_for(tmp_path: Path) -> None:
    policy = policy_of("csf", csf(tmp_path, CT_LIMIT="50", CT_STATES="SYN_RECV"))

    assert {(one.measure.name, one.answer, one.limit) for one in policy.rules} == {
        ("half_open", Answer.THROTTLE, 50)
    }


def test_a_limit_of_subnets_is_a_rule_per_network_of_ipv4(tmp_path: Path) -> None:
    text = text_of("csf", csf(tmp_path, CT_LIMIT="300", CT_SUBNET_LIMIT="900"))
    rules = rules_of(policy_of("csf", tmp_path))

    rule = rules["connections-of-networks"]
    assert (rule.limit, rule.per) == (900, Width(ipv4=24, ipv6=HOST.ipv6))
    assert "with everybody in it who is not listed" in comments_of(text)


@pytest.mark.parametrize(
    ("settings", "times", "up_to"),
    [
        pytest.param({"LF_PERMBLOCK": "0"}, 1, None, id="each as long"),
        pytest.param({}, 2, timedelta(days=1), id="for ever after some"),
        pytest.param({"CT_BLOCK_TIME": "172800"}, 2, timedelta(days=2), id="longer than a day"),
        pytest.param({"CT_PERMANENT": "1"}, 10, timedelta(seconds=2_147_483), id="for ever"),
    ],
)
def test_what_never_ended_there_grows_here(
    tmp_path: Path, settings: dict[str, str], times: int, up_to: timedelta | None
) -> None:
    rule = policy_of("csf", csf(tmp_path, CT_LIMIT="300", **settings)).rules[0]

    assert rule.escalation.times == times
    assert up_to is None or rule.escalation.up_to == up_to


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("CONNLIMIT", "22;5,80;20", "it refuses connections above so many and bans nobody"),
        ("PORTFLOOD", "80;tcp;20;5", "new connections in a time are not counted here"),
        ("SYNFLOOD", "1", "it slows all SYNs down, honest ones too"),
        ("LF_SSHD", "5", "failed logins, and all else that logs tell, stay lfd's or fail2ban's"),
        ("TCP_IN", "80", "which ports, countries and lists get in stays the firewall's"),
    ],
)
def test_what_has_no_counterpart_is_told_with_what_is_so_instead(
    tmp_path: Path, key: str, value: str, told: str
) -> None:
    said = comments_of(text_of("csf", csf(tmp_path, CT_LIMIT="300", **{key: value})))

    after = said.partition(told)[2]
    assert f" {key}:" in after.partition(" - ")[0]


ALLOW = """\
192.0.2.7/24 # office
198.51.100.9
2001:db8:5::1/48
tcp|in|d=22|s=203.0.113.5 # admin
tcp|in|d=3306,8000_8010|s=203.0.113.6
tcp:in:d=22:s=203.0.113.7
tcp|in|s=203.0.113.8
udp|in|d=53|s=203.0.113.9
tcp|out|d=25|d=203.0.113.9
tcp|in|d=22|u=1000
www.example.com
10.1.0.0/16
"""


def test_the_lists_become_entries(tmp_path: Path) -> None:
    lists = {
        "csf.allow": ALLOW,
        "csf.rignore": ".googlebot.com\nwww.example.net\ngoogle\n.compute.amazonaws.com\n",
        "csf.dyndns": "vpn.example.org\ntcp|in|d=22|s=dyn.example.org\n",
        "csf.deny": "1.2.3.4 # bad\n",
    }
    text = text_of("csf", csf(tmp_path, lists, CT_LIMIT="300"))
    policy = policy_of("csf", tmp_path)

    entries = {entry.name: entry for entry in policy.allowlist}
    assert prefixes_of(policy) == {
        "csf-allow-private": ["10.1.0.0/16"],
        "csf-allow": ["192.0.2.0/24", "198.51.100.9/32", "2001:db8:5::/48", "203.0.113.8/32"],
        "csf-allow-to-ssh": ["203.0.113.5/32", "203.0.113.7/32"],
        "csf-allow-to-all-but-ssh": ["203.0.113.6/32"],
    }
    assert entries["csf-allow-to-ssh"].services == {"ssh"}
    assert entries["csf-rignore"].names == ("googlebot.com", "www.example.net")
    assert entries["csf-rignore"].kind is Kind.CRAWLER
    assert entries["csf-dyndns"].hosts == ("vpn.example.org",)
    assert entries["csf-dyndns-to-ssh"].hosts == ("dyn.example.org",)
    assert {entry.patience for entry in policy.allowlist} == {None}
    assert "192.0.2.0/24   # csf.allow:1: office; there as '192.0.2.7/24'" in text
    told = comments_of(text)
    for line in ("'udp|in|d=53|s=203.0.113.9':8", "'tcp|in|d=22|u=1000':10"):
        assert line in told
    for line in ("'www.example.com':11", "'google':3", "'1.2.3.4':1", "127.0.0.1/32:1"):
        assert line in told


def test_who_stands_in_two_lists_is_exempt_once(tmp_path: Path) -> None:
    lists = {"csf.allow": "198.51.100.1\n", "csf.ignore": "198.51.100.1\n198.51.100.2\n"}

    policy = policy_of("csf", csf(tmp_path, lists, CT_LIMIT="300"))

    assert prefixes_of(policy) == {
        "csf-allow": ["198.51.100.1/32"],
        "csf-ignore": ["198.51.100.2/32"],
    }
    told = comments_of(text_of("csf", tmp_path))
    assert "exempt already, by another list: 198.51.100.1/32:1" in told


def test_a_port_that_no_rule_watches_needs_no_entry(tmp_path: Path) -> None:
    lists = {"csf.allow": "tcp|in|d=3306|s=203.0.113.6\ntcp|in|d=443|s=203.0.113.7\n"}

    policy = policy_of("csf", csf(tmp_path, lists))

    listed = prefixes_of(policy)
    assert listed["csf-allow-to-web"] == ["203.0.113.7/32"]
    assert "203.0.113.6" not in str(listed)


def test_a_circle_of_includes_ends_and_each_file_is_taken_once(tmp_path: Path) -> None:
    lists = {
        "csf.allow": "Include /etc/csf/a.list\n198.51.100.1\n",
        "a.list": f"Include {tmp_path}/b.list\n198.51.100.2\n",
        "b.list": "include a.list # again\nInclude /etc/csf/csf.allow\n198.51.100.3\n",
    }

    policy = policy_of("csf", csf(tmp_path, lists))

    assert prefixes_of(policy)["csf-allow"] == [f"198.51.100.{one}/32" for one in (1, 2, 3)]


def test_an_included_file_from_elsewhere_gives_addresses_and_shows_nothing_else(
    tmp_path: Path,
) -> None:
    secret = written(tmp_path / "other", {"x": "root:hash\n198.51.100.4 # secret remark\n"}) / "x"
    folder = csf(tmp_path / "csf", {"csf.allow": f"Include {secret}\nInclude /dev/zero\n"})

    text = text_of("csf", folder)

    assert "198.51.100.4   # x:2\n" in text
    assert "root" not in text.replace(str(tmp_path), "")
    assert "secret" not in text
    assert "'/dev/zero':2" in comments_of(text)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("office.allow", "198.51.100.1\n", {"csf-allow": ["198.51.100.1/32"]}),
        ("any.ignore", "198.51.100.1\n", {"csf-ignore": ["198.51.100.1/32"]}),
        ("csf.generic.conf", 'CT_LIMIT = "7"\n', {}),
    ],
)
def test_a_file_is_taken_as_what_its_name_or_its_content_says(
    tmp_path: Path, name: str, text: str, expected: dict[str, list[str]]
) -> None:
    policy = policy_of("csf", written(tmp_path, {name: text}) / name)

    listed = {name: one for name, one in prefixes_of(policy).items() if name.startswith("csf")}
    assert listed == expected
    assert expected or policy.rules[0].limit == 7


def test_what_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no csf\.conf and no list of csf in"):
        text_of("csf", tmp_path)
    written(tmp_path, {"csf.conf": "[DEFAULT]\nbantime = 10m\n"})
    with pytest.raises(UnreadableError, match="no setting of csf is in it"):
        text_of("csf", tmp_path)
