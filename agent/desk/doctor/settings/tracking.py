"""Settings of connection tracking.

Source: Documentation/networking/nf_conntrack-sysctl.rst; RFC 5382, REQ-5: an idle TCP
connection is kept for 2 hours and 4 minutes at least.
"""

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.settings.values import Ill, Setting, below
from agent.desk.doctor.values import Grade

COUNT = "net.netfilter.nf_conntrack_count"
MAX = "net.netfilter.nf_conntrack_max"
OTHER_MAX = "net.nf_conntrack_max"
"""The same in the first network namespace; files of a boot have both names."""

BUCKETS = "net.netfilter.nf_conntrack_buckets"
_ENTRY_BYTES = 256
"""At least: ``struct nf_conn`` is 248 bytes and more, without what is added to it."""

_LONG_CHAINS = 8


def _full(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    text, most = facts.settings.get(COUNT, ""), numbers[0]
    count = int(text) if text.isascii() and text.isdecimal() else 0
    if not most or count * 4 < most * 3:
        return None
    is_full, has_room = count * 10 >= most * 9, _takes_memory(facts, (2 * most,)) is None
    return Ill(
        says=f"{count} of {most} are tracked: when it is full new connections are dropped, "
        "whoever they are from; "
        + (
            f"{BUCKETS} should grow along"
            if has_room
            else "this memory has no room for more: find whose they are with conntrack -L, or "
            "track less (notrack)"
        ),
        to=str(2 * most) if has_room else "",
        grade=Grade.WRONG if is_full else Grade.ADVICE,
    )


def _takes_memory(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    size, memory = numbers[0] * _ENTRY_BYTES, facts.machine.memory_bytes
    if not memory or size * 4 <= memory:
        return None
    return Ill(
        says=f"a full table takes {size >> 20} MiB and more that can't be swapped, a quarter of "
        "the memory or more: a flood of new connections ends this machine, not the flood",
        to=str(max(65_536, memory // 16_384)),
    )


def _slow(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    text = facts.settings.get(BUCKETS, "")
    buckets = int(text) if text.isascii() and text.isdecimal() else 0
    if not buckets or numbers[0] <= _LONG_CHAINS * buckets:
        return None
    return Ill(
        says=f"with {buckets} buckets each packet has to look through {numbers[0] // buckets} "
        f"connections and more once it is full: raise {BUCKETS} as well"
    )


TRACKING = (
    Setting(
        name=MAX,
        default="as many as buckets; four times as many before Linux 5.15",
        does="how many connections are tracked; what is more is dropped",
        tutorials="25000000: that is gigabytes that can't be swapped. ip_conntrack_max is its name "
        "of old, and does nothing today.",
        judges=(_full, _takes_memory, _slow),
    ),
    Setting(
        name=BUCKETS,
        default="by memory, 262144 at most",
        does="the places of the table of tracked connections; a quarter of the maximum or more",
        tutorials="leave it as it is when they raise the maximum: each packet then searches long.",
    ),
    Setting(
        name="net.netfilter.nf_conntrack_tcp_timeout_established",
        default="432000 (5 days)",
        does="after how many idle seconds a tracked connection is forgotten",
        tutorials="180 or 600, to keep the table small: idle connections through NAT break "
        "silently, long before keepalive speaks (7200).",
        judges=(below(1200, "idle connections through NAT break silently within minutes", "7440"),),
    ),
    Setting(
        name="net.netfilter.nf_conntrack_tcp_timeout_close_wait",
        default="60",
        does="for how many seconds a connection is tracked on that one end has closed, and the "
        "other acknowledged",
        tutorials="15, against CLOSE_WAIT: that is for the application to end, and is not here.",
    ),
    Setting(
        name="net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
        default="120",
        does="for how many seconds a connection is tracked on after the first FIN",
        tutorials="30: what it frees is little beside those that are open.",
    ),
    Setting(
        name="net.netfilter.nf_conntrack_tcp_timeout_time_wait",
        default="120",
        does="for how many seconds a closed connection is tracked on",
        tutorials="1 or 30: what it frees is little beside those that are open.",
    ),
)
