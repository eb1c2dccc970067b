"""Settings of what goes out, of memory, and of the ways that packets take.

Source: Documentation/networking/ip-sysctl.rst; net/ipv4/tcp_ipv4.c, tcp_twsk_unique(): reuse
needs timestamps, and is asked for by connect() alone; commit 4396e46187ca (tcp_tw_recycle is
gone, Linux 4.12); commit 89aef8921bfb (the route cache is gone, Linux 3.6); RFC 3704.
"""

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import RESERVED, TIMESTAMPS, TW_REUSE, number
from agent.desk.doctor.settings.values import Ill, Setting, above, below
from agent.desk.doctor.values import Grade
from agent.desk.doctor.ways_out import reserved
from agent.record.phrases import printable

PORT_RANGE = "net.ipv4.ip_local_port_range"
TCP_MEM = "net.ipv4.tcp_mem"
FOR_ALL = "net.ipv4.conf.all.rp_filter"
_USUAL_FIRST, _FEW_PORTS = 32_768, 1000
_PAGE_BYTES = 4096
_MEBIBYTE = 1 << 20
_INTERFACES, _FILTER = "net.ipv4.conf.", ".rp_filter"
_MOST_NAMES = 3


def _does_nothing(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    if numbers[0] != 1 or number(facts, TIMESTAMPS) != 0:
        return None
    return Ill(says=f"without {TIMESTAMPS} it does nothing", to="2")


def _over_services(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    """Tell of services whose port a connection from here may take while they restart.

    Above the usual first port there are listeners on any machine that took what they got.
    """
    first, last = numbers
    kept = [range(begin, end + 1) for begin, end in reserved(facts.settings.get(RESERVED, ""))]
    ports = sorted(
        {
            one.port
            for one in facts.sockets.listening
            if first <= one.port <= min(last, _USUAL_FIRST - 1)
            and not any(one.port in each for each in kept)
        }
    )
    if not ports:
        return None
    named = ", ".join(map(str, ports[:10]))
    return Ill(
        says=f"services listen in this range: {named}. A connection from here may hold such a "
        f"port when its service restarts, which then can't; list them in {RESERVED}, or",
        to=f'"{_USUAL_FIRST} 60999"',
    )


def _few(_facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    first, last = numbers
    if last - first + 1 >= _FEW_PORTS:
        return None
    return Ill(
        says=f"only {max(0, last - first + 1)} connections at a time to one destination",
        to=f'"{_USUAL_FIRST} 60999"',
    )


def _memory(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    low, pressure, most = numbers
    used, memory = facts.counters.get("Sockstat.TCP.mem", 0), facts.machine.memory_bytes
    if not low <= pressure <= most:
        return Ill(says="the three have to ascend", grade=Grade.WRONG)
    if used >= pressure:
        return Ill(
            says=f"TCP holds {used} pages of {_PAGE_BYTES} bytes, above the second number: the "
            "kernel takes buffers away; look in Recv-Q and Send-Q for what fills them",
            grade=Grade.WRONG,
        )
    if memory and most * _PAGE_BYTES > memory:
        return Ill(says="these are pages, not bytes: TCP may take more memory than there is")
    # So the kernel chooses them, by the memory that it began with. Source: tcp_init_mem().
    is_own = low == pressure // 4 * 3 and most == 2 * low
    if memory and most * _PAGE_BYTES * 64 < memory and not is_own:
        return Ill(says="TCP may take less than a 64th of the memory: connections stall early")
    return None


def _large_at_first(_facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    if numbers[1] <= _MEBIBYTE:
        return None
    return Ill(
        says="the second number is what each connection may take from its first packet on, and "
        "the kernel raises it by itself where that helps, up to the third: lower it"
    )


def _filtered(facts: Facts, numbers: tuple[int, ...]) -> Ill | None:
    lost = facts.grown.get("TcpExt.IPReversePathFilter", 0)
    own = {
        name.removeprefix(_INTERFACES).removesuffix(_FILTER): number(facts, name) or 0
        for name in facts.settings
        if name.startswith(_INTERFACES) and name.endswith(_FILTER) and name != FOR_ALL
    }
    strict = sorted(name for name, held in own.items() if max(held, numbers[0]) == 1)
    if not strict or not lost:
        return None
    more = f" and {len(strict) - _MOST_NAMES} more" if len(strict) > _MOST_NAMES else ""
    return Ill(
        says=f"{lost} packets were dropped while we looked, since answers would go another way: "
        "they are forged, or this machine has several ways, for which 2 (loose) is right; strict "
        f"at {printable(', '.join(strict[:_MOST_NAMES]))}{more}"
    )


_BUFFERS = "large ones for all: the second number is for every connection, idle ones too."

GOING = (
    Setting(
        name=PORT_RANGE,
        default="32768 60999",
        does="the local ports of connections that go out; they limit what goes to one destination",
        tutorials='"1024 65535": connections from here then take ports of services that restart.',
        judges=(_few, _over_services),
        numbers=2,
    ),
    Setting(
        name=RESERVED,
        default="none",
        does="ports that connections that go out leave alone, for services that listen in the "
        "range",
        tutorials="none names it, though a wide ip_local_port_range needs it.",
    ),
    Setting(
        name=TW_REUSE,
        default="2 since Linux 4.19, 0 before",
        does="whether a connection that goes out may take a port in TIME_WAIT: 1 always, 2 on "
        "loopback; it needs timestamps",
        tutorials="1, against TIME_WAIT: it does nothing for connections that come in. It is safe.",
        judges=(_does_nothing,),
    ),
    Setting(
        name="net.ipv4.tcp_tw_recycle",
        default="0; gone since Linux 4.12",
        does="took clients behind one NAT address for one, and dropped most of them",
        tutorials="1: the worst advice of all.",
        judges=(above(0, "clients behind one address do not get in, at random", "0"),),
    ),
    Setting(
        name="net.ipv4.tcp_syn_retries",
        default="6",
        does="how often a SYN that goes out is sent again: connect() gives up after some 130 "
        "seconds with 6",
        tutorials="1 or 0: two lost packets then fail a connection. Applications have time-outs.",
        judges=(below(2, "two lost packets fail a connection that goes out", "6"),),
    ),
    Setting(
        name=TCP_MEM,
        default="by memory",
        does="how many pages all of TCP may hold: low, pressure, most",
        tutorials="numbers from another machine, often in bytes: they are pages of 4 KiB.",
        judges=(_memory,),
        numbers=3,
    ),
    Setting(
        name="net.ipv4.tcp_rmem",
        default="4096 131072, and up to 32 MiB by memory",
        does="a connection's buffer for what comes: least, at first, most",
        tutorials=_BUFFERS,
        judges=(_large_at_first,),
        numbers=3,
    ),
    Setting(
        name="net.ipv4.tcp_wmem",
        default="4096 16384, and up to 4 MiB by memory",
        does="a connection's buffer for what goes: least, at first, most",
        tutorials=_BUFFERS,
        judges=(_large_at_first,),
        numbers=3,
    ),
    Setting(
        name="net.ipv4.route.gc_timeout",
        default="300",
        does="nothing for IPv4: the route cache is gone since Linux 3.6",
        tutorials="100: it does nothing.",
    ),
    Setting(
        name="net.ipv4.route.max_size",
        default="2147483647",
        does="nothing for IPv4: the route cache is gone since Linux 3.6",
        tutorials="large ones: they do nothing.",
    ),
    Setting(
        name=FOR_ALL,
        default="0",
        does="drops packets to whose source this machine would answer another way (1), or none "
        "(2); at each interface the larger of this and its own holds",
        tutorials="1 always: it breaks machines with several ways. 0 lets forged sources in, "
        "which matters where this machine forwards.",
        judges=(_filtered,),
    ),
)
