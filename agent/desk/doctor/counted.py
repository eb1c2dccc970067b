"""What the kernel counted: what grows while we look is told, what is since boot is context.

Source: Documentation/networking/snmp_counter.rst; net/ipv4/proc.c for the names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import PILE
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.record.phrases import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter.

    Attributes:
        name: As ``TcpExt.ListenDrops``.
        counts: What it counts.
        grade: Of its growth, from `least` on.
        least: So much growth at a look is told of.
        of: What it is a share of; empty where its number alone tells.
        share: The least share that is told of, in percent.
        do: What to do then.
    """

    name: str
    counts: str
    grade: Grade = Grade.FINE
    least: int = 1
    of: str = ""
    share: int = 0
    do: tuple[str, ...] = ()


_ACCEPT = ("ss -ltn, where Recv-Q is above Send-Q: that application accepts too slowly",)
_MEMORY = ("look in Recv-Q and Send-Q for what fills the buffers", "sysctl net.ipv4.tcp_mem")

COUNTERS = (
    Counter(
        name="TcpExt.ListenOverflows",
        counts="finished handshakes that found an accept queue full: clients wait or fail",
        grade=Grade.WRONG,
        do=_ACCEPT,
    ),
    Counter(
        name="TcpExt.ListenDrops",
        counts="SYNs and handshakes that a listener dropped, for whatever reason",
    ),
    Counter(
        name="TcpExt.TCPReqQFullDrop",
        counts="SYNs dropped for want of room for half-open connections: clients do not get in",
        grade=Grade.WRONG,
        do=("sysctl -w net.ipv4.tcp_syncookies=1",),
    ),
    Counter(
        name="TcpExt.TCPReqQFullDoCookies",
        counts="SYNs answered by a cookie for want of room: a flood, or a backlog too small; "
        "clients still get in",
        grade=Grade.ADVICE,
        least=PILE,
        do=("look in SYN_RECV whose queue is full; ban nobody for it",),
    ),
    Counter(name="TcpExt.SyncookiesSent", counts="SYN cookies sent"),
    Counter(name="TcpExt.SyncookiesRecv", counts="SYN cookies that came back: real clients"),
    Counter(name="TcpExt.SyncookiesFailed", counts="answers that carried no cookie of ours"),
    Counter(
        name="TcpExt.TCPTimeWaitOverflow",
        counts="TIME_WAIT ended early, for tcp_max_tw_buckets",
    ),
    Counter(
        name="TcpExt.TCPMemoryPressures",
        counts="times that all of TCP came near the memory it may have",
        grade=Grade.WRONG,
        do=_MEMORY,
    ),
    Counter(
        name="TcpExt.TCPAbortOnMemory",
        counts="connections reset for want of memory, or for tcp_max_orphans",
        grade=Grade.WRONG,
        do=_MEMORY,
    ),
    Counter(
        name="TcpExt.TCPAbortOnTimeout",
        counts="connections given up since the other end was silent",
    ),
    Counter(
        name="TcpExt.RcvPruned",
        counts="packets dropped since a receive buffer was full: an application reads too slowly",
        grade=Grade.ADVICE,
        do=("look in Recv-Q whose it is",),
    ),
    Counter(name="TcpExt.PruneCalled", counts="times that a full receive buffer was tidied up"),
    Counter(
        name="TcpExt.TCPBacklogDrop",
        counts="packets dropped while a process had its socket locked",
        grade=Grade.ADVICE,
        least=PILE,
        do=("look which application is busy on few connections",),
    ),
    Counter(
        name="TcpExt.PAWSEstab",
        counts="packets refused for their old timestamp; some from behind NAT are usual",
    ),
    Counter(name="TcpExt.PAWSActive", counts="answers to calls refused for their old timestamp"),
    Counter(
        name="TcpExt.IPReversePathFilter",
        counts="packets dropped by rp_filter, which is told of by that",
    ),
    Counter(name="TcpExt.TCPSynRetrans", counts="SYNs and their answers sent again"),
    Counter(name="TcpExt.TCPTimeouts", counts="times that no answer came in time"),
    Counter(
        name="Tcp.RetransSegs",
        counts="segments sent again; above one in twenty connections get slow",
        grade=Grade.ADVICE,
        least=PILE,
        of="Tcp.OutSegs",
        share=5,
        do=("look for loss on the way: ip -s link, mtr", "ss -ti, where retrans grows"),
    ),
    Counter(name="Tcp.AttemptFails", counts="connections that were never opened"),
    Counter(name="Tcp.EstabResets", counts="open connections that were reset"),
    Counter(name="Tcp.OutRsts", counts="resets sent, as to scanners of closed ports"),
    Counter(
        name="Tcp.InErrs",
        counts="bad packets, as by a wrong checksum",
        grade=Grade.ADVICE,
        least=PILE,
        of="Tcp.InSegs",
        share=1,
        do=("look for a failing card, cable or offload: ip -s link, ethtool -k",),
    ),
    Counter(
        name="Softnet.Dropped",
        counts="packets dropped for net.core.netdev_max_backlog, which is told of by that",
    ),
    Counter(name="Softnet.Squeezed", counts="turns of a processor that left packets for the next"),
)


def counted(facts: Facts) -> Iterator[Finding]:
    """Tell of each counter that there is; of none where the kernel does not tell."""
    if "counters" in facts.unread:
        yield Finding(
            topic=Topic.COUNTERS,
            name="counters",
            grade=Grade.UNKNOWN,
            value="",
            says=f"the kernel's counters can't be read: {facts.unread['counters']}",
        )
        return
    for one in COUNTERS:
        if one.name in facts.counters:
            yield _finding(facts, one)


def _finding(facts: Facts, one: Counter) -> Finding:
    total, more = facts.counters[one.name], facts.grown.get(one.name, 0)
    is_told = one.grade is not Grade.FINE and _is_much(facts, one, more)
    watched = f", {more} in {duration(round(facts.watched_s, 1))}" if facts.watched_s else ""
    return Finding(
        topic=Topic.COUNTERS,
        name=one.name,
        grade=one.grade if is_told else Grade.FINE,
        value=f"{total} since boot{watched}",
        says=one.counts,
        do=one.do if is_told else (),
    )


def _is_much(facts: Facts, one: Counter, more: int) -> bool:
    if more < one.least:
        return False
    return not one.of or more * 100 >= one.share * facts.grown.get(one.of, 0)
