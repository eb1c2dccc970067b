"""From a set's name alone follows what it is; no two sets have one name."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from agent.act.ipset.names import (
    LONGEST,
    allow_name,
    create_lines,
    drop_name,
    is_ours,
    names_in,
    seen_name,
    set_name,
)
from agent.model.address import HOST
from agent.model.ban import Target
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet
from agent.model.policy import Answer, Rate, Scope
from tests.builders import NET24, RATE

SERVICES = ("web", "host", "host-ssh", "allow", "seen", "a" * 27, "a" * 28, "a" * 64, "A._-")


def of(service: str, answer: Answer = Answer.DROP) -> Target:
    return (Scope.SERVICE, service, answer)


def throttled(service: str, **changes: object) -> BanSet:
    usual = BanSet(target=of(service, Answer.THROTTLE), ports=frozenset({80}), rate=RATE, per=HOST)
    return replace(usual, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(drop_name(of("web"), 4), "aa4-web", id="a service"),
        pytest.param(drop_name(of("web"), 6), "aa6-web", id="IPv6"),
        pytest.param(drop_name(HOST_DROP, 4), "aa4-host", id="the host"),
        pytest.param(drop_name(HOST_AND_SSH_DROP, 4), "aa4-host-ssh", id="the host and ssh"),
        pytest.param(allow_name(4), "aa4-allow", id="allow"),
        pytest.param(drop_name(of("host"), 4), "aa4-host+60bdb9a044", id="a service of that name"),
        pytest.param(set_name(throttled("web"), 4), "aa4-web~d9816dd91e", id="a throttle"),
    ],
)
def test_names_can_be_read(name: str, expected: str) -> None:
    assert name == expected


def test_no_two_sets_have_one_name() -> None:
    faster = Rate(count=2, per=timedelta(seconds=1))
    treated = [
        BanSet(target=HOST_DROP),
        BanSet(target=HOST_AND_SSH_DROP),
        *(BanSet(target=of(name)) for name in SERVICES),
        *(throttled(name) for name in SERVICES),
        *(throttled(name, rate=faster) for name in SERVICES),
        *(throttled(name, per=NET24) for name in SERVICES),
    ]

    names = [set_name(one, version) for one, version in product(treated, (4, 6))]
    names += [make(version) for make in (allow_name, seen_name) for version in (4, 6)]

    assert len(set(names)) == len(names)
    assert all(is_ours(name) and len(name) <= LONGEST for name in names)


@pytest.mark.parametrize(
    "name", ["", "web", "aa4-", "aa5-web", "aa4-we b", "aa4-" + "x" * 28, "crowdsec-blacklists"]
)
def test_other_names_are_not_ours(name: str) -> None:
    assert not is_ours(name)


def test_type_and_family_follow_from_the_name() -> None:
    names = ["aa4-web", "aa6-host", "aa4-allow", "aa6-seen", "aa4-web~0123456789", "other"]

    assert create_lines(names) == [
        "create aa4-allow hash:net family inet maxelem 1048576\n",
        "create aa4-web hash:net family inet maxelem 1048576 timeout 600 comment\n",
        "create aa4-web~0123456789 hash:net family inet maxelem 1048576 timeout 600 comment\n",
        "create aa6-host hash:net family inet6 maxelem 1048576 timeout 600 comment\n",
        "create aa6-seen hash:ip,port family inet6 maxelem 65536 timeout 4\n",
    ]


def test_saved_rules_tell_which_sets_they_need() -> None:
    saved = """*mangle
:abuse-agent - [0:0]
[3:180] -A abuse-agent -m set --match-set aa4-allow src -j RETURN
-A abuse-agent -p tcp -m set --match-set "aa4-web~0123456789" src -j abuse-agent-held
-A abuse-agent-held -j SET --add-set aa4-seen src,src --exist --timeout 4
-A INPUT -m set --match-set other src -j DROP
-A INPUT -m set ! --match-set aa4-web-of-somebody-with-a-longer-name src -j DROP
COMMIT
"""
    assert names_in(saved) == {"aa4-allow", "aa4-web~0123456789", "aa4-seen"}
