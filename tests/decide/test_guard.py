"""Administrators find the door to ssh open for a month, and nobody else finds any."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from agent.decide import guarded, remembered
from agent.decide.by_hand import why_spared
from agent.decide.guard import KEPT_FOR, REMEMBERED_AT_MOST, REMEMBERED_FOR
from agent.model.address import Address
from agent.model.ban import Installed
from agent.model.inputs import Guard, Permit, Spared, Surroundings
from agent.model.policy import Scope, Service
from tests.builders import (
    NET24,
    NOW,
    SSH,
    WEB,
    ban,
    banned,
    decide,
    guards,
    holding,
    inputs,
    policy,
    prefix,
    rule,
    sample,
    tally,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOME = ip_address("192.0.2.9")
AWAY = ip_address("2001:db8::9")


def here(*addresses: Address) -> Surroundings:
    """What the agent finds while administrators are logged in from there."""
    return Surroundings(
        guards=tuple(
            Guard(prefix=prefix(str(one)), why="session of an administrator", only_ssh=True)
            for one in addresses
        ),
        administrators=frozenset(addresses),
    )


def let_in(sessions: Mapping[Address, datetime], now: datetime) -> set[str]:
    """Who is guarded for ssh because of an earlier session."""
    return {
        str(one.prefix.network_address)
        for one in guarded(Surroundings(), (), sessions, now).guards
        if one.only_ssh
    }


def test_an_administrator_is_let_in_to_ssh_for_thirty_days_after_the_last_session() -> None:
    sessions = remembered({}, here(HOME), NOW)
    sessions = remembered(sessions, here(HOME), NOW + DAY)
    for day in range(1, 31):
        sessions = remembered(sessions, Surroundings(), NOW + day * DAY)
        assert let_in(sessions, NOW + day * DAY) == {"192.0.2.9"}

    assert let_in(sessions, NOW + 31 * DAY) == set()


def test_a_line_of_ipv6_is_let_in_whatever_address_it_has_today() -> None:
    sessions = {ip_address("2001:db8:7::1"): NOW, ip_address("2001:db8:7::2"): NOW - DAY}

    (line,) = guarded(Surroundings(), (), sessions, NOW).guards
    assert (line.prefix, line.until) == (prefix("2001:db8:7::/64"), NOW + REMEMBERED_FOR)
    seen = sample(tally({"2001:db8:7::3": 500}, port=22), tally({"2001:db8:7::3": 500}))
    decision = decide(
        inputs(seen, surroundings=Surroundings(guards=(line,))), policy(rule(), ON_SSH)
    )
    assert [one.target[1] for one in decision.plan.add] == ["web"]


def test_whoever_is_no_administrator_is_not_remembered() -> None:
    session = Guard(prefix=prefix("192.0.2.9"), why="session (utmp)", only_ssh=True)

    assert remembered({}, Surroundings(guards=(session,)), NOW) == {}


def test_of_many_the_latest_are_remembered() -> None:
    many = {ip_address(number): NOW - number * HOUR / 10 for number in range(REMEMBERED_AT_MOST)}

    kept = remembered(many, here(HOME), NOW + HOUR)

    assert len(kept) == REMEMBERED_AT_MOST
    assert kept[HOME] == NOW + HOUR
    assert set(many) - set(kept) == {ip_address(REMEMBERED_AT_MOST - 1)}


def test_nobody_is_remembered_for_ever() -> None:
    assert remembered({HOME: NOW}, here(AWAY), NOW + KEPT_FOR) == {AWAY: NOW + KEPT_FOR}
    assert remembered({HOME: NOW}, Surroundings(), NOW + KEPT_FOR) == {}


@pytest.mark.parametrize("back", [HOUR, 40 * DAY, 300 * DAY])
def test_a_clock_that_is_turned_back_makes_nobodys_time_longer(back: timedelta) -> None:
    now = NOW - back
    sessions = remembered({HOME: NOW}, Surroundings(), now)

    assert let_in(sessions, now) == {"192.0.2.9"}
    assert let_in(sessions, now + REMEMBERED_FOR) == set()


@pytest.mark.parametrize("ahead", [HOUR, 10 * DAY])
def test_a_clock_that_runs_ahead_for_a_while_forgets_nobody(ahead: timedelta) -> None:
    last = NOW - REMEMBERED_FOR + HOUR / 2
    sessions = remembered({HOME: last}, here(AWAY), NOW + ahead)

    sessions = remembered(sessions, Surroundings(), NOW)

    assert let_in(sessions, NOW) == {"192.0.2.9", "2001:db8::"}


def test_a_clock_that_nobody_has_set_yet_forgets_nobody() -> None:
    begun = datetime(1970, 1, 1, tzinfo=UTC)
    sessions = remembered({HOME: NOW}, here(AWAY), begun)
    assert let_in(sessions, begun) == {"192.0.2.9", "2001:db8::"}

    sessions = remembered(sessions, here(AWAY), NOW + HOUR)

    assert let_in(sessions, NOW + HOUR) == {"192.0.2.9", "2001:db8::"}
    assert len(remembered({HOME: NOW}, here(*map(ip_address, range(2_000))), begun)) == 1_000


def test_the_end_of_time_is_no_error() -> None:
    never = {HOME: datetime.max.replace(tzinfo=UTC)}

    assert remembered(never, Surroundings(), NOW) == {HOME: NOW}
    assert let_in(never, NOW) == {"192.0.2.9"}


def test_nothing_changes_while_nothing_happens() -> None:
    sessions = {HOME: NOW}

    assert remembered(sessions, Surroundings(), NOW + DAY) is sessions
    assert guarded(here(HOME), (), sessions, NOW) == here(HOME)


def test_what_is_guarded_for_all_services_stays_so() -> None:
    both = guarded(guards("192.0.2.9/32"), (), {HOME: NOW}, NOW)
    assert [one.only_ssh for one in both.guards] == [False]

    permit = Permit(prefix=prefix("192.0.2.9"), until=NOW + HOUR, why="allowed by hand")
    (wanted,) = guarded(here(HOME), [permit], {HOME: NOW}, NOW).guards
    assert (wanted.only_ssh, wanted.until) == (False, NOW + HOUR)


OPERATOR = guarded(Surroundings(), (), {HOME: NOW - DAY}, NOW)
ON_SSH = rule("ssh-connections", service=SSH)


def test_behind_one_address_with_an_attacker_ssh_is_open_and_the_web_is_not() -> None:
    seen = sample(tally({"192.0.2.9": 500}), tally({"192.0.2.9": 500}, port=22))

    decision = decide(inputs(seen, surroundings=OPERATOR), policy(rule(), ON_SSH))

    assert {one.rule.name: one.finding.value for one in decision.verdicts} == {
        "web-connections": "ban",
        "ssh-connections": "exempt",
    }
    assert [(one.source.prefix, one.target[1]) for one in decision.plan.add] == [
        (prefix("192.0.2.9"), "web")
    ]


def test_members_of_a_network_are_banned_from_ssh_one_by_one_around_an_administrator() -> None:
    crowd = {f"192.0.2.{number}": 50 for number in range(1, 12)}
    wide = rule("crowd", service=SSH, per=NET24, members=8)

    decision = decide(inputs(sample(tally(crowd, port=22)), surroundings=OPERATOR), policy(wide))

    assert set(banned(decision)) == set(crowd) - {"192.0.2.9"}


def test_from_the_web_such_a_network_is_banned_as_one() -> None:
    crowd = {f"192.0.2.{number}": 50 for number in range(1, 12)}
    wide = rule("crowd", per=NET24, members=8)

    decision = decide(inputs(crowd, surroundings=OPERATOR), policy(wide))

    assert banned(decision) == ["192.0.2.0/24"]


def test_a_ban_of_the_host_by_a_rule_about_the_web_leaves_ssh_open_to_all() -> None:
    decision = decide(
        inputs({"192.0.2.9": 500}, surroundings=OPERATOR), policy(rule(scope=Scope.HOST))
    )

    assert [one.target[:2] for one in decision.plan.add] == [(Scope.HOST, "")]


def installed_ssh() -> Installed:
    return holding(ban("192.0.2.0/24", service=SSH), ban("192.0.2.9/32", ban_id="b2"))


def test_a_ban_from_ssh_that_reaches_an_administrator_is_lifted() -> None:
    decision = decide(inputs({}, surroundings=OPERATOR, installed=installed_ssh()), policy(ON_SSH))

    assert [str(lift.held.source) for lift in decision.plan.lift] == ["192.0.2.0/24"]


@pytest.mark.parametrize(
    ("source_text", "service", "reason"),
    [
        ("192.0.2.9/32", SSH, "session of an administrator until 2026-11-19 03:00Z"),
        ("192.0.2.0/24", SSH, "192.0.2.9 is in it: session of an administrator"),
        ("192.0.2.9/32", WEB, None),
        ("192.0.2.0/24", WEB, None),
    ],
)
def test_by_hand_too_an_administrator_is_never_banned_from_ssh(
    source_text: str, service: Service, reason: str | None
) -> None:
    bans = [ban(source_text, service=service)]

    why = why_spared(bans, policy(), Spared(surroundings=OPERATOR), holding(), NOW)

    assert (why or "").startswith(reason or "")
    assert (why is None) is (reason is None)


MOVED = Service(name="ssh", ports=frozenset({2222}))


@pytest.mark.parametrize(
    ("services", "port"),
    [
        pytest.param((Service(name="door", ports=frozenset({22, 80})),), 22, id="port-22"),
        pytest.param((WEB, MOVED), 2222, id="moved"),
        pytest.param(
            (Service(name="all", ports=frozenset({80, 2222})), MOVED), 2222, id="shares-a-port"
        ),
    ],
)
def test_ssh_is_whatever_shares_a_port_with_it(services: tuple[Service, ...], port: int) -> None:
    by = policy(*(rule(f"on-{one.name}", service=one) for one in services), services=services)

    decision = decide(
        inputs(sample(tally({"192.0.2.9": 500}, port=port)), surroundings=OPERATOR), by
    )

    assert {one.finding.value for one in decision.verdicts} == {"exempt"}
    assert decision.plan.add == ()
