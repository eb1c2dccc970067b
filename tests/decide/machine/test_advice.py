"""Advice that fits the machine, and none that is fulfilled."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from agent.decide.machine.advice import Ground, flood_advice, slow_advice
from agent.decide.machine.flood import Episode, Figures, News
from agent.model.inputs import Queue
from agent.model.policy import Mode, Rule
from tests.builders import NET24, half_open, inputs, policy, sample, source

SOUND = {
    "net.core.netdev_max_backlog": 10_000,
    "net.core.somaxconn": 4096,
    "net.ipv4.tcp_abort_on_overflow": 0,
    "net.ipv4.tcp_max_syn_backlog": 4096,
    "net.ipv4.tcp_synack_retries": 2,
    "net.ipv4.tcp_syncookies": 1,
    "net.ipv4.tcp_timestamps": 1,
    "net.netfilter.nf_conntrack_count": 10,
    "net.netfilter.nf_conntrack_max": 262_144,
}
FORGED = "the sources are most likely forged: banning them bans the innocent"
HOLD = "SYN cookies are on and hold: clients get in, nothing has to be done"


def ground(
    *rules: Rule,
    settings: Mapping[str, int | None] | None = None,
    backlog: int = 4096,
    grown: Mapping[str, int] | None = None,
    place: str = "web",
    **figures: Any,
) -> Ground:
    """A forged flood at port 80 of a machine that is set up well."""
    changed = {**SOUND, **(settings or {})}
    usual: dict[str, Any] = {
        "half_open": 400,
        "sources": 400,
        "networks": 100,
        "heaviest": 1,
        "crowd": source("198.51.100.0/24"),
        "crowded": 4,
        "waiting": 0,
        "backlog": backlog,
    }
    episode = Episode(
        ports=frozenset({80, 443}) if place else frozenset(),
        lasted=timedelta(seconds=10),
        grown=grown or {"SyncookiesSent": 1000},
    )
    queue = Queue(waiting=0, backlog=backlog, smallest=backlog, full=0)
    return Ground(
        News(place=place, episode=episode, figures=Figures(**{**usual, **figures}), is_over=False),
        inputs(
            sample(),
            sysctls={name: value for name, value in changed.items() if value is not None},
            listeners={80: queue},
        ),
        policy(*rules),
    )


def test_where_all_is_well_it_says_that_cookies_hold() -> None:
    assert flood_advice(ground()) == (FORGED, HOLD)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            ground(settings={"net.ipv4.tcp_syncookies": 0}),
            ("SYN cookies are off: sysctl -w net.ipv4.tcp_syncookies=1",),
            id="no-cookies",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": 256}),
            (
                "SYN cookies are off: sysctl -w net.ipv4.tcp_syncookies=1",
                (
                    "without them, no port keeps more than 192 half-open connections: "
                    "sysctl -w net.ipv4.tcp_max_syn_backlog=4096"
                ),
            ),
            id="no-cookies-and-a-small-backlog",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_max_syn_backlog": 256}),
            (HOLD,),
            id="what-bounds-nothing-with-cookies",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_timestamps": 0}),
            (
                (
                    "without TCP timestamps a SYN cookie forgets window scaling and SACK: "
                    "sysctl -w net.ipv4.tcp_timestamps=1"
                ),
            ),
            id="no-timestamps",
        ),
        pytest.param(
            ground(backlog=128),
            (
                (
                    "port 80 has a backlog of 128 while net.core.somaxconn allows 4096: "
                    "raise it in the application"
                ),
            ),
            id="the-application-asks-for-little",
        ),
        pytest.param(
            ground(backlog=128, settings={"net.core.somaxconn": 128}),
            (
                (
                    "port 80 has a backlog of 128, all that net.core.somaxconn allows: sysctl -w "
                    "net.core.somaxconn=4096, then restart the application with as much"
                ),
            ),
            id="the-kernel-allows-little",
        ),
        pytest.param(
            ground(backlog=128, settings={"net.core.somaxconn": None}),
            (HOLD,),
            id="nobody-knows-what-it-allows",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_synack_retries": 5}),
            (
                (
                    "a half-open connection is kept for 63 s; for as long as this lasts, 7 s do: "
                    "sysctl -w net.ipv4.tcp_synack_retries=2"
                ),
            ),
            id="many-retries",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_synack_retries": 255}),
            (
                (
                    "a half-open connection is kept for 30007 s; for as long as this lasts, "
                    "7 s do: sysctl -w net.ipv4.tcp_synack_retries=2"
                ),
            ),
            id="as-many-retries-as-there-are",
        ),
        pytest.param(
            ground(
                grown={"SyncookiesSent": 200_000},
                settings={"net.core.netdev_max_backlog": 1000},
            ),
            (
                (
                    "20000 SYNs a second are more than a listener should have to answer: SYNPROXY "
                    "in the firewall, or the provider's filter ahead of this machine"
                ),
                "so many packets need room: sysctl -w net.core.netdev_max_backlog=10000",
            ),
            id="very-many",
        ),
        pytest.param(
            ground(settings={"net.netfilter.nf_conntrack_count": 209_716}),
            (
                (
                    "the firewall tracks 209716 connections of 262144 at most, and drops all new "
                    "ones beyond: sysctl -w net.netfilter.nf_conntrack_max=524288"
                ),
            ),
            id="the-table-of-the-firewall-fills",
        ),
        pytest.param(ground(settings=dict.fromkeys(SOUND)), (), id="nothing-can-be-read"),
    ],
)
def test_advice_fits_the_machine(given: Ground, expected: tuple[str, ...]) -> None:
    assert flood_advice(given) == (FORGED, *expected)


WIDE = half_open("web-net-half-open", per=NET24)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(ground(heaviest=200), FORGED, id="the-heaviest-holds-half"),
        pytest.param(
            ground(heaviest=201),
            "one source holds 201 of 400: a rule for half_open with a throttle would slow it down",
            id="the-heaviest-holds-more-than-half",
        ),
        pytest.param(
            ground(half_open(), heaviest=201),
            "one source holds 201 of 400: web-half-open slows it down once it is above 64",
            id="and-there-is-a-rule",
        ),
        pytest.param(
            ground(half_open(mode=Mode.OBSERVE), heaviest=201),
            "one source holds 201 of 400: a rule for half_open with a throttle would slow it down",
            id="a-rule-that-only-observes",
        ),
        pytest.param(
            ground(half_open(), crowded=201),
            "198.51.100.0/24 holds 201 of 400: a rule for half_open with a throttle and with "
            "per: {ipv4: 24, ipv6: 48} would slow it down",
            id="one-network-and-no-rule-for-networks",
        ),
        pytest.param(
            ground(WIDE, crowded=201),
            "198.51.100.0/24 holds 201 of 400: web-net-half-open slows it down once it is above 64",
            id="one-network-and-a-rule",
        ),
        pytest.param(
            ground(half_open=3, heaviest=3, crowded=3), FORGED, id="too-few-to-tell-who-it-is"
        ),
        pytest.param(
            ground(grown={"SyncookiesSent": 1000, "SyncookiesRecv": 600}),
            "600 of 1000 SYN cookies came back: most of these are real clients, more than the "
            "backlog is for",
            id="real-clients",
        ),
    ],
)
def test_it_says_who_it_may_be(given: Ground, expected: str) -> None:
    assert flood_advice(given)[0] == expected


def test_where_nothing_tells_the_port_it_says_how_to_see_it() -> None:
    first, *_ = flood_advice(ground(place="", half_open=0, heaviest=0, crowd=None, crowded=0))

    assert first == (
        "SYN cookies leave nothing behind that tells the port; to see it: "
        "tcpdump -nn -c 100 'tcp[13] == 2'"
    )


SLOW = (
    "these clients have finished their handshakes, so this is no flood",
    "the application accepts them too slowly: neither a ban nor a throttle makes it faster",
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(ground(), (), id="a-large-backlog"),
        pytest.param(
            ground(backlog=128),
            (
                (
                    "port 80 has a backlog of 128 while net.core.somaxconn allows 4096: "
                    "raise it in the application"
                ),
            ),
            id="a-small-backlog",
        ),
        pytest.param(
            ground(settings={"net.ipv4.tcp_abort_on_overflow": 1}),
            (
                (
                    "clients are reset that would get in a second later: "
                    "sysctl -w net.ipv4.tcp_abort_on_overflow=0"
                ),
            ),
            id="clients-are-reset",
        ),
    ],
)
def test_a_slow_application_gets_advice_of_its_own(
    given: Ground, expected: tuple[str, ...]
) -> None:
    assert slow_advice(given) == (*SLOW, *expected)
