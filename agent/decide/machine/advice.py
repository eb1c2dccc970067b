"""What to do about a flood, or about a slow application, on this very machine.

A sentence stands only where it is not fulfilled already, and where the machine's own
settings say that it would help. Settings that nobody can read give no advice.

Source: Documentation/networking/ip-sysctl.rst; net/ipv4/tcp_input.c, tcp_conn_request();
net/ipv4/inet_connection_sock.c, reqsk_timer_handler().
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.decide.machine.flood import News
from agent.decide.machine.pressure import COOKIES, MAX_SYN_BACKLOG, refused
from agent.model.address import HOST
from agent.model.inputs import Inputs
from agent.model.policy import Mode, Policy, Rule

SOMAXCONN = "net.core.somaxconn"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
RETRIES = "net.ipv4.tcp_synack_retries"
ABORT = "net.ipv4.tcp_abort_on_overflow"
DEVICE_BACKLOG = "net.core.netdev_max_backlog"
TRACKED, TRACKED_MOST = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"

ENOUGH = 4096
"""A backlog of that size is not what is wrong; the kernel's own default of somaxconn."""

TELLING = 16
"""So many half-open connections tell something about where they come from."""

FEW_RETRIES = 2
MANY_A_SECOND = 10_000
ENOUGH_PACKETS = 10_000
MOST_PORTS = 3
_LONGEST_WAIT_S = 120
_MOST_RETRIES = 255


@dataclass(frozen=True, slots=True)
class Ground:
    """What advice is founded on.

    Attributes:
        news: What goes on, and where.
        inputs: This moment.
        policy: In force.
    """

    news: News
    inputs: Inputs
    policy: Policy

    def setting(self, name: str, otherwise: int) -> int:
        """Give one of the kernel's settings."""
        return self.inputs.sysctls.get(name, otherwise)

    def rules(self) -> list[Rule]:
        """Give the rules that slow half-open sources down here."""
        return [
            rule
            for rule in self.policy.rules
            if rule.service.name == self.news.place
            and not rule.measure.proves
            and rule.mode is Mode.ENFORCE
        ]


def flood_advice(ground: Ground) -> tuple[str, ...]:
    """Say who it may be, and what helps against SYNs here."""
    help_of = (
        *_cookies(ground),
        *_backlogs(ground),
        *_retries(ground),
        *_rate(ground),
        *_tracking(ground),
    )
    if not help_of and ground.setting(COOKIES, 0):
        help_of = ("SYN cookies are on and hold: clients get in, nothing has to be done",)
    return (*_where(ground), *_who(ground), *help_of)


def slow_advice(ground: Ground) -> tuple[str, ...]:
    """Say what helps an application that accepts too slowly."""
    return (
        "these clients have finished their handshakes, so this is no flood",
        "the application accepts them too slowly: neither a ban nor a throttle makes it faster",
        *_abort(ground),
        *_backlogs(ground),
    )


def _abort(ground: Ground) -> Iterator[str]:
    if ground.setting(ABORT, 0):
        yield f"clients are reset that would get in a second later: sysctl -w {ABORT}=0"


def _where(ground: Ground) -> Iterator[str]:
    if not ground.news.place:
        yield (
            "SYN cookies leave nothing behind that tells the port; to see it: "
            "tcpdump -nn -c 100 'tcp[13] == 2'"
        )


def _who(ground: Ground) -> Iterator[str]:
    """Say what the spread of the sources means."""
    figures, grown = ground.news.figures, ground.news.episode.grown
    sent, came_back = grown.get("SyncookiesSent", 0), grown.get("SyncookiesRecv", 0)
    is_told = figures.half_open >= TELLING
    if sent and came_back * 2 >= sent:
        yield (
            f"{came_back} of {sent} SYN cookies came back: most of these are real clients, "
            "more than the backlog is for"
        )
    elif is_told and figures.heaviest * 2 > figures.half_open:
        held = f"one source holds {figures.heaviest} of {figures.half_open}"
        yield f"{held}: {_slowed(ground.rules(), '')}"
    elif is_told and figures.crowded * 2 > figures.half_open:
        held = f"{figures.crowd} holds {figures.crowded} of {figures.half_open}"
        wide = [rule for rule in ground.rules() if rule.per != HOST]
        yield f"{held}: {_slowed(wide, ' and with per: {ipv4: 24, ipv6: 48}')}"
    else:
        yield "the sources are most likely forged: banning them bans the innocent"


def _slowed(rules: list[Rule], how: str) -> str:
    if rules:
        return f"{rules[0].name} slows it down once it is above {rules[0].limit}"
    return f"a rule for half_open with a throttle{how} would slow it down"


def _cookies(ground: Ground) -> Iterator[str]:
    if not ground.setting(COOKIES, 1):
        yield f"SYN cookies are off: sysctl -w {COOKIES}=1"
        most = ground.setting(MAX_SYN_BACKLOG, ENOUGH)
        if most < ENOUGH:
            yield (
                f"without them, no port keeps more than {most - most // 4} half-open "
                f"connections: sysctl -w {MAX_SYN_BACKLOG}={ENOUGH}"
            )
    elif not ground.setting(TIMESTAMPS, 1):
        yield (
            "without TCP timestamps a SYN cookie forgets window scaling and SACK: "
            f"sysctl -w {TIMESTAMPS}=1"
        )


def _backlogs(ground: Ground) -> Iterator[str]:
    """Speak of the first few listeners that keep little."""
    most = ground.setting(SOMAXCONN, 0)
    queues = ground.inputs.listeners
    small = [
        (port, queues[port].smallest)
        for port in sorted(ground.news.episode.ports)
        if port in queues and queues[port].smallest < ENOUGH
    ]
    for port, backlog in small[:MOST_PORTS]:
        if backlog < most:
            yield (
                f"port {port} has a backlog of {backlog} while {SOMAXCONN} allows {most}: "
                "raise it in the application"
            )
        elif most:
            yield (
                f"port {port} has a backlog of {backlog}, all that {SOMAXCONN} allows: "
                f"sysctl -w {SOMAXCONN}={ENOUGH}, then restart the application with as much"
            )


def _retries(ground: Ground) -> Iterator[str]:
    retries = ground.setting(RETRIES, 0)
    if retries > FEW_RETRIES:
        yield (
            f"a half-open connection is kept for {_kept_s(retries)} s; for as long as this "
            f"lasts, {_kept_s(FEW_RETRIES)} s do: sysctl -w {RETRIES}={FEW_RETRIES}"
        )


def _kept_s(retries: int) -> int:
    """Give for how many seconds: each wait is twice the one before."""
    waits = range(min(retries, _MOST_RETRIES) + 1)
    return sum(min(1 << min(wait, 7), _LONGEST_WAIT_S) for wait in waits)


def _rate(ground: Ground) -> Iterator[str]:
    seconds = ground.news.episode.lasted.total_seconds()
    rate = (
        int(refused(ground.news.episode.grown, ground.inputs.sysctls) / seconds) if seconds else 0
    )
    if rate <= MANY_A_SECOND:
        return
    yield (
        f"{rate} SYNs a second are more than a listener should have to answer: SYNPROXY in the "
        "firewall, or the provider's filter ahead of this machine"
    )
    if ground.setting(DEVICE_BACKLOG, ENOUGH_PACKETS) < ENOUGH_PACKETS:
        yield f"so many packets need room: sysctl -w {DEVICE_BACKLOG}={ENOUGH_PACKETS}"


def _tracking(ground: Ground) -> Iterator[str]:
    count, most = ground.setting(TRACKED, 0), ground.setting(TRACKED_MOST, 0)
    if most and count * 5 >= most * 4:
        yield (
            f"the firewall tracks {count} connections of {most} at most, and drops all new ones "
            f"beyond: sysctl -w {TRACKED_MOST}={most * 2}"
        )
