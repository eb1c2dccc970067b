"""Settings of what remains of connections, and of those on which nothing moves.

Source: Documentation/networking/ip-sysctl.rst; net/ipv4/tcp.c, tcp_init(), and tcp_ipv4.c,
tcp_sk_init(): half as many orphans and TIME_WAIT as there are places in the table of
connections, of which there is one for each 128 KiB of memory, and at most 524,288.
"""

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import FIN_TIMEOUT, MAX_BUCKETS, MAX_ORPHANS, TIMESTAMPS, number
from agent.desk.doctor.settings.values import Ill, Judge, Setting, below

_PLACE_BYTES, _MOST_PLACES = 128 * 1024, 524_288
_ORPHAN_BYTES = 64 * 1024
_FAR_LESS = 4


def _far_below(says: str) -> Judge:
    """Give a judge of what is far less than the kernel would choose by this memory."""

    def judge(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
        usual = min(facts.machine.memory_bytes // _PLACE_BYTES, _MOST_PLACES) // 2
        if numbers[0] * _FAR_LESS >= usual or _is_own(facts, numbers[0]):
            return None
        return Ill(
            says=f"the kernel would choose some {usual} by this memory: {says}", to=f"{usual}"
        )

    return judge


def _is_own(facts: Facts, chosen: int) -> bool:
    """Whether the kernel chose it, when it began with less memory: the same for both limits.

    The table has a power of two of places. Other namespaces than the first do not have
    `MAX_ORPHANS`.
    """
    both = {number(facts, MAX_ORPHANS), number(facts, MAX_BUCKETS)} - {None}
    return both == {chosen} and chosen.bit_count() == 1


def _takes_all(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    memory = facts.machine.memory_bytes
    if not memory or numbers[0] * _ORPHAN_BYTES <= 2 * memory:
        return None
    usual = min(memory // _PLACE_BYTES, _MOST_PLACES) // 2
    return Ill(
        says="so many could take more than twice the memory that there is, up to 64 KiB each that "
        "can't be swapped: it is no limit any more",
        to=f"{usual}",
    )


_HASTY: Judge = below(
    10,
    "what the other end sends within seconds of our close is answered by a reset; and TIME_WAIT, "
    "which takes 60 seconds always, is not made shorter by this",
    "60",
)

CLOSING = (
    Setting(
        name=FIN_TIMEOUT,
        default="60",
        does="how many seconds FIN_WAIT2 is kept once no process holds it",
        tutorials="2, to be rid of TIME_WAIT: it is not about TIME_WAIT, whose 60 seconds are "
        "fixed; slow clients get a reset.",
        judges=(_HASTY,),
    ),
    Setting(
        name=MAX_BUCKETS,
        default="by memory",
        does="how many TIME_WAIT are kept; what is more is ended at once",
        tutorials="5000, to have fewer of them: they cost next to nothing, and without them late "
        "packets of an old connection may reach a new one.",
        judges=(_far_below("TIME_WAIT is ended early sooner than need be"),),
    ),
    Setting(
        name=MAX_ORPHANS,
        default="by memory",
        does="how many connections that no process holds any more are kept, for what is still to "
        "be sent; what is more is reset",
        tutorials="262144 or 3276800: each may take 64 KiB that can't be swapped.",
        judges=(_far_below("slow clients are reset before they have all"), _takes_all),
    ),
    Setting(
        name=TIMESTAMPS,
        default="1",
        does="puts a clock into each packet: for measuring round trips, telling old packets from "
        "new ones, and keeping window scaling through SYN cookies",
        tutorials="0, to hide the uptime, or to save 12 bytes: each connection begins at a random "
        "offset today.",
        judges=(
            below(
                1,
                "old packets can't be told from new ones, tcp_tw_reuse does nothing, and SYN "
                "cookies lose window scaling and SACK",
                "1",
            ),
        ),
    ),
    Setting(
        name="net.ipv4.tcp_keepalive_time",
        default="7200",
        does="after how many idle seconds a connection is probed whose application asked for it "
        "(SO_KEEPALIVE)",
        tutorials="30, against dead connections: it wakes each idle phone twice a minute; "
        "applications that need it set their own.",
        judges=(
            below(60, "each idle connection that wants probes is probed all the time", "7200"),
        ),
    ),
    Setting(
        name="net.ipv4.tcp_keepalive_intvl",
        default="75",
        does="seconds between two such probes without an answer",
        tutorials="1 or 2: with few probes a short outage ends good connections.",
        judges=(below(5, "an outage of seconds ends good connections", "75"),),
    ),
    Setting(
        name="net.ipv4.tcp_keepalive_probes",
        default="9",
        does="how many probes without an answer end a connection",
        tutorials="1 or 2: one lost packet ends a good connection.",
        judges=(below(3, "a lost packet or two end good connections", "9"),),
    ),
)
