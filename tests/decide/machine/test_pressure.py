"""Whose queue of half-open connections is full."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent.decide.machine.pressure import (
    COOKIES,
    MAX_SYN_BACKLOG,
    UNKNOWN_BACKLOG,
    growth,
    half_open_of,
    kept,
    places_of,
    pressed_ports,
    refused,
    slow_ports,
)
from agent.model.inputs import Inputs, Queue
from agent.model.sample import State
from tests.builders import inputs, sample, tally

SENT = {"SyncookiesSent": 1}
OVERFLOWING = SENT | {"ListenOverflows": 1, "ListenDrops": 1}
WEB, SSH = 80, 22


def queue(backlog: int, **changes: int) -> Queue:
    """A queue of one socket in which nothing waits."""
    usual = {"waiting": 0, "backlog": backlog, "smallest": backlog, "full": 0}
    return Queue(**(usual | changes))


def moment(counts: Mapping[int, int], **changes: Any) -> Inputs:
    """So many half-open connections by port, each of a source of its own."""
    rows = [
        tally({f"198.51.{n >> 8}.{n & 255}": 1}, port=port, state=State.SYN_RECV)
        for port, count in counts.items()
        for n in range(count)
    ]
    usual: dict[str, Any] = {
        "listeners": {WEB: queue(128), SSH: queue(128)},
        "counters": {"SyncookiesSent": 7},
    }
    return inputs(sample(*rows), **(usual | changes))


def ports(grown: Mapping[str, int], given: Inputs) -> set[int]:
    return set(pressed_ports(grown, given, half_open_of(given.sample)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {"ListenDrops": 5}, {}, id="no-earlier-reading"),
        pytest.param({"ListenDrops": 5}, {"ListenDrops": 5}, {"ListenDrops": 0}, id="calm"),
        pytest.param({"ListenDrops": 5}, {"ListenDrops": 8}, {"ListenDrops": 3}, id="grew"),
        pytest.param({"ListenDrops": 5}, {"ListenDrops": 2}, {"ListenDrops": 0}, id="began-anew"),
        pytest.param({"ListenDrops": 5}, {}, {}, id="counters-gone"),
    ],
)
def test_growth_is_what_two_readings_tell(
    before: dict[str, int], after: dict[str, int], expected: dict[str, int]
) -> None:
    assert growth(before, after) == expected


@pytest.mark.parametrize(
    ("grown", "cookies", "expected"),
    [
        pytest.param({}, 1, 0, id="nothing-grew"),
        pytest.param({"SyncookiesSent": 7}, 1, 7, id="cookies"),
        pytest.param({"SyncookiesRecv": 7, "SyncookiesFailed": 7}, 1, 0, id="answers"),
        pytest.param({"TCPReqQFullDoCookies": 7}, 1, 0, id="no-cookie-was-sent"),
        pytest.param({"TCPReqQFullDrop": 7, "ListenDrops": 7}, 0, 7, id="dropped"),
        pytest.param({"ListenDrops": 7}, 0, 7, id="the-last-quarter-without-cookies"),
        pytest.param({"ListenDrops": 7}, None, 7, id="nobody-knows-whether-cookies-are-on"),
        pytest.param({"ListenDrops": 7}, 1, 0, id="drops-for-other-reasons"),
        pytest.param({"ListenDrops": 7, "ListenOverflows": 7}, 0, 0, id="a-slow-application"),
    ],
)
def test_a_syn_that_found_the_queue_full_is_a_sign(
    grown: dict[str, int], cookies: int | None, expected: int
) -> None:
    assert refused(grown, {} if cookies is None else {COOKIES: cookies}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(moment({WEB: 129}), {WEB}, id="full"),
        pytest.param(moment({WEB: 96}), {WEB}, id="nearly-full"),
        pytest.param(moment({WEB: 95}), set(), id="far-from-full"),
        pytest.param(moment({WEB: 129, SSH: 70}), {WEB}, id="only-where-it-is"),
        pytest.param(moment({WEB: 129, SSH: 129}), {WEB, SSH}, id="at-both"),
        pytest.param(
            moment({WEB: 400}, listeners={WEB: queue(4096)}), set(), id="room-for-thousands"
        ),
        pytest.param(
            moment({WEB: 400}, listeners={WEB: queue(1022, smallest=511)}),
            {WEB},
            id="one-of-two-sockets",
        ),
        pytest.param(moment({WEB: 48}, listeners={}), {WEB}, id="nobody-tells-a-backlog"),
        pytest.param(moment({WEB: 47}, listeners={}), set(), id="few-and-nobody-tells"),
        pytest.param(moment({WEB: 1}, listeners={WEB: queue(0)}), {WEB}, id="no-backlog"),
        pytest.param(moment({}, listeners={WEB: queue(0)}), set(), id="nothing-is-half-open"),
    ],
)
def test_the_half_open_connections_tell_whose_queue_it_was(
    given: Inputs, expected: set[int]
) -> None:
    assert ports(SENT, given) == expected


def test_without_a_sign_of_the_kernel_nobody_is_under_pressure() -> None:
    assert ports({"SyncookiesSent": 0}, moment({WEB: 129})) == set()


def test_without_cookies_the_kernel_keeps_fewer() -> None:
    given = moment({WEB: 96}, listeners={WEB: queue(4096)})
    bounded = moment(
        {WEB: 96}, listeners={WEB: queue(4096)}, sysctls={COOKIES: 0, MAX_SYN_BACKLOG: 128}
    )

    assert ports({"TCPReqQFullDrop": 1}, given) == set()
    assert ports({"TCPReqQFullDrop": 1}, bounded) == {WEB}
    assert kept(WEB, {}, bounded) == 96


def test_with_cookies_that_setting_bounds_nothing() -> None:
    given = moment({}, listeners={WEB: queue(4096)}, sysctls={COOKIES: 1, MAX_SYN_BACKLOG: 128})

    assert kept(WEB, {}, given) == 4096


def test_clients_that_wait_for_a_slow_application_are_no_pressure() -> None:
    slow = queue(128, waiting=129, full=129)

    assert ports(OVERFLOWING, moment({WEB: 129}, listeners={WEB: slow})) == set()


def test_an_accept_queue_that_is_kept_nearly_full_switches_nothing_off() -> None:
    nearly = queue(128, waiting=100, full=129)

    assert ports(SENT, moment({WEB: 129}, listeners={WEB: nearly})) == {WEB}


def test_one_worker_that_hangs_does_not_switch_protection_off() -> None:
    workers = Queue(waiting=129, backlog=1024, smallest=128, full=129)

    assert ports(OVERFLOWING, moment({WEB: 8 * 129}, listeners={WEB: workers})) == {WEB}


def test_a_flood_at_one_family_is_seen_while_the_other_s_listener_hangs() -> None:
    both = Queue(waiting=129, backlog=256, smallest=128, full=129)

    assert ports(OVERFLOWING, moment({WEB: 129}, listeners={WEB: both})) == set()
    assert ports(OVERFLOWING, moment({WEB: 258}, listeners={WEB: both})) == {WEB}


class TestWithoutCounters:
    """A container may hide them."""

    def test_a_queue_that_is_seen_to_be_full_tells(self) -> None:
        assert ports({}, moment({WEB: 128}, counters={})) == {WEB}

    def test_one_that_is_nearly_full_does_not(self) -> None:
        assert ports({}, moment({WEB: 127}, counters={})) == set()

    def test_nor_one_of_which_nothing_is_known(self) -> None:
        assert ports({}, moment({WEB: 1000}, counters={}, listeners={})) == set()


@pytest.mark.parametrize(
    ("grown", "full", "expected"),
    [
        pytest.param({"ListenOverflows": 1}, 129, {WEB}, id="slow"),
        pytest.param({"ListenOverflows": 1}, 0, set(), id="somebody-else-was"),
        pytest.param({"ListenOverflows": 0}, 129, set(), id="busy-and-drops-nobody"),
        pytest.param({}, 129, set(), id="nothing-is-known"),
    ],
)
def test_an_application_is_slow_when_the_kernel_drops_what_it_does_not_accept(
    grown: dict[str, int], full: int, expected: set[int]
) -> None:
    given = moment({}, listeners={WEB: queue(128, full=full), SSH: queue(128)})

    assert slow_ports(grown, given) == expected


def test_a_port_is_told_by_the_services_that_have_it_or_by_its_number() -> None:
    services = {"web": frozenset({80, 443}), "all": frozenset({22, 80}), "ssh": frozenset({22})}

    assert places_of(frozenset({80, 8443, 25}), services) == {
        "web": frozenset({80, 443}),
        "all": frozenset({22, 80}),
        "port 25": frozenset({25}),
        "port 8443": frozenset({8443}),
    }


def test_what_is_assumed_of_an_unknown_listener_is_below_what_most_have() -> None:
    assert kept(WEB, {}, moment({}, listeners={})) == UNKNOWN_BACKLOG < 128
