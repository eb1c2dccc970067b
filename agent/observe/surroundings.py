"""What this machine stands on, and must therefore never ban.

Each source of guards is read for itself: one that is missing, unreadable or
malformed loses its own guards and no others, and is never an error.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from agent.errors import ObserveError
from agent.model.address import AF_INET, AF_INET6, Address, Prefix, covers
from agent.model.inputs import Guard, Surroundings
from agent.model.policy import USUAL, Administrators
from agent.observe.found import Found, address_of
from agent.observe.proc_net import read_default_gateways, read_own_addresses
from agent.observe.resolvers import read_resolvers
from agent.observe.routes import read_gateways
from agent.observe.sessions import read_sessions

_STANDING = tuple(
    Guard(prefix=ip_network(prefix), why=why)
    for prefix, why in (
        ("127.0.0.0/8", "loopback (RFC 1122)"),
        ("169.254.0.0/16", "link-local, and a cloud's metadata (RFC 3927)"),
        ("::1/128", "loopback (RFC 4291)"),
        ("fe80::/10", "link-local (RFC 4291)"),
    )
)


def read_surroundings(
    root: Path = Path("/"),
    environ: Mapping[str, str] = os.environ,
    administrators: Administrators = USUAL,
) -> Surroundings:
    """Find the addresses that this machine has and that it depends on.

    Args:
        root: Where the tree with ``etc`` and ``run`` begins. What is asked of the
            kernel, own addresses and routes, does not depend on it.
        environ: Of this process; a session of ssh leaves its client there.
        administrators: Whose sessions are to be told apart.
    """
    found: list[Found] = []
    for reads in (
        (_read_own, partial(read_own_addresses, root)),
        (read_gateways, partial(read_default_gateways, root)),
        (partial(read_resolvers, root),),
        (partial(read_sessions, root, environ),),
    ):
        found += _first_that_works(*reads)
    return guards_of(found)


def guards_of(found: Iterable[Found]) -> Surroundings:
    """Join what was found to guards; reasons for one address are joined in their order.

    Addresses in a network that is guarded anyway are left out, and so are the
    unspecified ones and groups, which nobody connects from.
    """
    reasons: dict[Address, dict[str, None]] = {}
    for address, why in found:
        if not (address.is_unspecified or address.is_multicast):
            reasons.setdefault(address, {})[why] = None
    hosts = (
        Guard(prefix=ip_network(address), why="; ".join(why)) for address, why in reasons.items()
    )
    guards = (*_STANDING, *(host for host in hosts if not _stands(host.prefix)))
    return Surroundings(guards=tuple(sorted(guards, key=_order)))


def _stands(prefix: Prefix) -> bool:
    return any(covers(guard.prefix, prefix) for guard in _STANDING)


def _order(guard: Guard) -> tuple[int, int, int]:
    prefix = guard.prefix
    return prefix.version, int(prefix.network_address), prefix.prefixlen


def _first_that_works(*reads: Callable[[], Iterable[Found]]) -> list[Found]:
    """Give what the first of these can read; what can't must not lose others' guards.

    Netlink may be refused, and psutil gives up on an interface whose name is no UTF-8.
    """
    for read in reads:
        try:
            return list(read())
        except (ObserveError, OSError, RuntimeError, ValueError, IndexError):
            continue
    return []


def _read_own() -> Iterator[Found]:
    """Find the addresses of this machine's interfaces."""
    import psutil  # noqa: PLC0415 - 12 MB that a command without guards does without

    for interface, addresses in psutil.net_if_addrs().items():
        for each in addresses:
            # A link layer's address of eight bytes would read as one of IPv6.
            is_ip = each.family in {AF_INET, AF_INET6}
            if is_ip and (address := address_of(each.address)):
                yield address, f"own address ({interface})"
