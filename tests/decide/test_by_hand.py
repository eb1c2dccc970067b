"""Bans and pardons that a person asks for."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agent.decide.by_hand import Order, bans_of, covering, is_inside, lifted, replaced, why_spared
from agent.model.ban import Installed
from agent.model.inputs import Spared, Surroundings
from agent.model.policy import Scope, Service
from tests.builders import NOW, SSH, WEB, ban, entry, guards, holding, policy, source


def order(text: str, scope: Scope = Scope.HOST, services: Sequence[Service] = ()) -> Order:
    return Order(
        source=source(text),
        scope=scope,
        services=services,
        lasts=timedelta(minutes=10),
        reason="scans us",
    )


def spared(
    text: str,
    *,
    scope: Scope = Scope.HOST,
    surroundings: Surroundings | None = None,
    installed: Installed | None = None,
) -> str | None:
    by = policy(
        allowlist=(
            entry("office", "192.0.2.0/25"),
            entry("mailer", "198.51.100.9", services=frozenset({"ssh"})),
            entry("nat", "203.0.113.7", patience=10),
        )
    )
    bans = bans_of(order(text, scope, [WEB] if scope is Scope.SERVICE else ()), by, NOW)
    known = Spared(surroundings=surroundings or guards("198.51.100.200/32"))
    return why_spared(bans, by, known, installed or holding(), NOW)


def test_the_host_is_one_ban_and_services_are_one_each() -> None:
    by = policy()

    assert [one.target[0] for one in bans_of(order("192.0.2.1/32"), by, NOW)] == [Scope.HOST]
    assert [
        one.target[1] for one in bans_of(order("192.0.2.1/32", Scope.SERVICE, [WEB, SSH]), by, NOW)
    ] == ["web", "ssh"]


def test_a_ban_by_hand_says_so() -> None:
    (one,) = bans_of(order("192.0.2.1/32"), policy(), NOW)

    assert (one.rule, one.count, one.limit, one.reasons) == (
        "manual",
        None,
        None,
        ("by hand: scans us",),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("192.0.2.7/32", "on the allowlist as office, policy.yaml:9", id="exempt"),
        pytest.param("192.0.2.0/24", "on the allowlist as office", id="an-exempt-member"),
        pytest.param("198.51.100.200/32", "resolver", id="guarded"),
        pytest.param(
            "198.51.100.128/25", "198.51.100.200 is in it: resolver", id="a-guarded-member"
        ),
        pytest.param("198.51.100.9/32", "mailer", id="exempt-for-one-service-of-the-host"),
        pytest.param("203.0.113.0/24", "nat", id="a-patient-member"),
    ],
)
def test_who_is_spared_is_named_with_the_reason(text: str, reason: str) -> None:
    assert reason in (spared(text) or "")


@pytest.mark.parametrize("text", ["192.0.2.200/32", "203.0.113.7/32", "2001:db8::/64"])
def test_others_may_be_banned(text: str) -> None:
    assert spared(text) is None


def test_an_exemption_for_another_service_does_not_matter() -> None:
    assert spared("198.51.100.9/32", scope=Scope.SERVICE) is None


def test_members_that_the_kernel_lets_through_do_not_matter() -> None:
    assert spared("198.51.100.128/25", installed=holding(allowed=["198.51.100.200/32"])) is None


def test_a_wider_ban_replaces_what_is_inside_it_but_for_longer_bans_of_lines() -> None:
    (wide,) = bans_of(order("192.0.2.0/24"), policy(), NOW)
    host = {"scope": Scope.HOST, "service": None}
    inside = holding(
        ban("192.0.2.1/32", **host),
        ban("192.0.2.2/32", **host, lasts=timedelta(hours=1)),
        ban("192.0.2.128/25", **host, lasts=timedelta(hours=1)),
        ban("192.0.2.3/32"),
    )

    assert [str(lift.held.source) for lift in replaced([wide], inside)] == [
        "192.0.2.1",
        "192.0.2.128/25",
    ]


def test_a_prefix_has_no_room_inside_a_wider_ban() -> None:
    (narrow,) = bans_of(order("192.0.2.128/25", Scope.SERVICE, [WEB]), policy(), NOW)
    (line,) = bans_of(order("192.0.2.128/32", Scope.SERVICE, [WEB]), policy(), NOW)
    wide = holding(ban("192.0.2.0/24"))

    assert covering(narrow, wide) == wide.bans[0]
    assert covering(line, wide) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("192.0.2.1/32", ["192.0.2.1"], id="itself"),
        pytest.param("11.2.3.40/32", [], id="a-namesake"),
        pytest.param("2001:db8::7/128", ["2001:db8::/64"], id="the-line-it-is-on"),
        pytest.param("198.51.100.3/32", [], id="not-its-neighbourhood"),
        pytest.param("192.0.0.0/16", ["192.0.2.1"], id="all-inside"),
    ],
)
def test_unbanning_lifts_what_was_meant(text: str, expected: list[str]) -> None:
    held = holding(ban("192.0.2.1/32"), ban("2001:db8::/64"), ban("198.51.100.0/24"))

    assert [str(lift.held.source) for lift in lifted(source(text), held, "why")] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("198.51.100.3/32", True), ("198.51.101.3/32", False), ("198.51.100.0/24", False)],
)
def test_a_member_of_a_wider_ban_is_inside_it(text: str, expected: bool) -> None:
    assert is_inside(source(text), holding(ban("198.51.100.0/24"))) is expected
