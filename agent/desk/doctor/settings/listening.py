"""Settings of what becomes of those who come: SYN queue, accept queue, network card.

Source: Documentation/networking/ip-sysctl.rst, Documentation/admin-guide/sysctl/net.rst;
net/ipv4/tcp_input.c, tcp_conn_request(): with SYN cookies tcp_max_syn_backlog decides
nothing; include/net/inet_connection_sock.h, inet_csk_reqsk_queue_is_full(): a listener's own
backlog does.
"""

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import MAX_SYN_BACKLOG, SYNCOOKIES, number
from agent.desk.doctor.settings.values import Ill, Judge, Setting, above, below
from agent.desk.doctor.values import Grade

SOMAXCONN = "net.core.somaxconn"
_PACKET_BYTES = 2048
_LONG_QUEUE = 8_000
"""A processor takes 300 packets a turn (net.core.netdev_budget): of so many the last waits for
27 turns."""

_LONG_BACKLOG = 65_535
"""Up to here a longer accept queue may help a burst: before Linux 4.1 no queue was longer."""


def _no_cookies(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    if numbers[0]:
        return None
    dropped = facts.grown.get("TcpExt.TCPReqQFullDrop", 0)
    if dropped:
        return Ill(
            says=f"{dropped} SYNs were dropped while we looked, for want of room: clients do not "
            "get in",
            to="1",
            grade=Grade.WRONG,
        )
    return Ill(says="a flood of SYNs would keep all clients out", to="1")


def _always_cookies(_facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    if numbers[0] != 2:  # noqa: PLR2004 - a value of the setting
        return None
    return Ill(
        says="2 sends a cookie to everybody, which is for tests: clients without timestamps lose "
        "window scaling and SACK",
        to="1",
    )


def _small_without_cookies(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    if number(facts, SYNCOOKIES) != 0 or not facts.grown.get("TcpExt.TCPReqQFullDrop", 0):
        return None
    return Ill(
        says="without SYN cookies this is the limit, and SYNs are dropped", to=str(2 * numbers[0])
    )


def _cuts_backlogs(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    """Tell of queues that overflow and are as long as this setting allows."""
    lost = facts.grown.get("TcpExt.ListenOverflows", 0)
    cut = sorted({one.port for one in facts.sockets.listening if one.backlog == numbers[0]})
    if not lost or not cut:
        return None
    is_short = numbers[0] < _LONG_BACKLOG
    return Ill(
        says=f"accept queues overflowed {lost} times while we looked, and the listener at port "
        f"{cut[0]} has as long a one as this allows"
        + ("; restart it after a change" if is_short else ": it accepts too slowly for any queue"),
        to=str(min(2 * numbers[0], _LONG_BACKLOG)) if is_short else "",
    )


def _drops(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    lost = facts.grown.get("Softnet.Dropped", 0)
    if not lost:
        return None
    is_short = numbers[0] < _LONG_QUEUE
    return Ill(
        says=f"{lost} packets were dropped while we looked: this queue of a processor was full"
        + (
            ""
            if is_short
            else ", and a longer one would only have them wait: spread the packets "
            "over more processors (rps_cpus), or let fewer in"
        ),
        to=str(2 * numbers[0]) if is_short else "",
    )


def _takes_memory(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    size, memory = numbers[0] * facts.machine.processors * _PACKET_BYTES, facts.machine.memory_bytes
    if not memory or size <= memory // 16:
        return None
    return Ill(
        says=f"full queues of all processors would take {size >> 20} MiB, and whoever floods this "
        "machine fills them: packets only wait longer before they are dropped",
        to="1000",
    )


_IMPATIENT: Judge = below(
    2,
    "a half-open connection is given up after 3 seconds or less, so that clients far away, or "
    "who lose a packet or two, do not get in",
    "5",
)
_RESETS: Judge = above(
    0,
    "whoever comes while an accept queue is full is reset, instead of getting in a moment later: "
    "short bursts become errors",
    "0",
)

LISTENING = (
    Setting(
        name=SYNCOOKIES,
        default="1",
        does="once a listener's queue of half-open connections is full, answers SYNs without "
        "keeping anything, so that a flood keeps nobody out",
        tutorials="0, as cookies would break TCP: they are sent only when a SYN would be dropped "
        "otherwise. 2 sends them always, for tests.",
        judges=(_no_cookies, _always_cookies),
    ),
    Setting(
        name=MAX_SYN_BACKLOG,
        default="by memory, 128 at least",
        does="limits half-open connections of all listeners only where SYN cookies are off; else "
        "each listener's own backlog does",
        tutorials="8192 or 65535 against floods: with SYN cookies it changes nothing.",
        judges=(
            below(128, "no kernel would choose so few: new clients are dropped early", "1024"),
            _small_without_cookies,
        ),
    ),
    Setting(
        name=SOMAXCONN,
        default="4096 since Linux 5.4, 128 before",
        does="caps the backlog that an application asks for in listen()",
        tutorials="65535: does nothing for an application that asks for less, and a longer queue "
        "makes clients wait for a slow application instead of mending it.",
        judges=(_cuts_backlogs,),
    ),
    Setting(
        name="net.ipv4.tcp_synack_retries",
        default="5",
        does="how often a SYN-ACK is sent again, so how long a half-open connection is kept: 63 "
        "seconds with 5",
        tutorials="0 or 1 against floods: that is what SYN cookies are for. Who is far away, or "
        "loses a packet, can't connect.",
        judges=(_IMPATIENT,),
    ),
    Setting(
        name="net.ipv4.tcp_abort_on_overflow",
        default="0",
        does="whether whoever comes when an accept queue is full is reset, or may try again",
        tutorials="1, to fail fast: a short burst becomes errors for clients who would have got "
        "in a second later.",
        judges=(_RESETS,),
    ),
    Setting(
        name="net.core.netdev_max_backlog",
        default="1000",
        does="how many packets wait for one processor before they are dropped",
        tutorials="400000: under a flood they wait longer, and are dropped then; it takes memory "
        "for each processor.",
        judges=(_drops, _takes_memory),
    ),
)
