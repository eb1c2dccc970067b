"""What this machine stands on, and must therefore never ban.

Each source of guards is read for itself: one that is missing, unreadable or
malformed loses its own guards and no others, and is never an error.

Source: of the addresses at which clouds keep metadata, and probe from: the user guides of
Amazon EC2 (instance metadata), Google Compute Engine (metadata server), Azure (what is IP
address 168.63.129.16), Alibaba Cloud ECS, Oracle Cloud (instance metadata; its older service
at 192.0.0.192) and Scaleway. Most others use 169.254.169.254, which is link-local.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from agent.errors import ObserveError
from agent.model.address import AF_INET, AF_INET6, Address, Prefix, covers, line_of
from agent.model.inputs import OWN_ADDRESS, Guard, Surroundings
from agent.model.policy import USUAL, Administrators
from agent.observe.found import Found, address_of
from agent.observe.proc_net import read_default_gateways, read_own_addresses
from agent.observe.resolvers import read_resolvers
from agent.observe.routes import read_gateways
from agent.observe.sessions import Session, read_sessions

T = TypeVar("T")

STANDING = tuple(
    Guard(prefix=ip_network(prefix), why=why)
    for prefix, why in (
        ("100.100.100.200/32", "a cloud's metadata (Alibaba)"),
        ("127.0.0.0/8", "loopback (RFC 1122)"),
        ("168.63.129.16/32", "a cloud's metadata and health probes (Azure)"),
        ("169.254.0.0/16", "link-local, and a cloud's metadata (RFC 3927)"),
        ("192.0.0.192/32", "a cloud's metadata (Oracle)"),
        ("::1/128", "loopback (RFC 4291)"),
        ("fd00:42::42/128", "a cloud's metadata (Scaleway)"),
        ("fd00:c1::a9fe:a9fe/128", "a cloud's metadata (Oracle)"),
        ("fd00:ec2::254/128", "a cloud's metadata (Amazon)"),
        ("fd20:ce::254/128", "a cloud's metadata (Google)"),
        ("fe80::/10", "link-local (RFC 4291)"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look around.

    Attributes:
        found: What this machine has and depends on.
        sessions: Who is logged in.
    """

    found: tuple[Found, ...] = ()
    sessions: tuple[Session, ...] = ()


def read_surroundings(
    root: Path = Path("/"),
    environ: Mapping[str, str] = os.environ,
    administrators: Administrators = USUAL,
) -> Surroundings:
    """Find the addresses that this machine has and that it depends on; as `read_sight`."""
    sight = read_sight(root, environ, administrators)
    return guards_of(sight.found, sight.sessions)


def read_sight(
    root: Path = Path("/"),
    environ: Mapping[str, str] = os.environ,
    administrators: Administrators = USUAL,
) -> Sight:
    """Look around.

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
    ):
        found += _first_that_works(*reads)
    sessions = _first_that_works(partial(read_sessions, root, environ, administrators))
    return Sight(found=tuple(found), sessions=tuple(sessions))


def guards_of(found: Iterable[Found], sessions: Iterable[Session] = ()) -> Surroundings:
    """Join what was found to guards; reasons for one prefix are joined in their order.

    Addresses in a network that is guarded anyway are left out, and so are the
    unspecified ones and groups, which nobody connects from. The line that is nothing but
    the far end of a session is guarded for ssh only.
    """
    reasons: dict[Prefix, dict[str, None]] = {}
    for address, why in found:
        if _is_sender(address):
            reasons.setdefault(ip_network(address), {})[why] = None
    whole = frozenset(reasons)
    remote = [session for session in sessions if _is_sender(session.address)]
    for session in remote:
        reasons.setdefault(line_of(session.address), {})[session.why] = None
    guards = (
        Guard(prefix=prefix, why="; ".join(why), only_ssh=prefix not in whole)
        for prefix, why in reasons.items()
    )
    return Surroundings(
        guards=tuple(sorted((*STANDING, *guards), key=_order)),
        administrators=frozenset(one.address for one in remote if one.is_administrators),
    )


def _is_sender(address: Address) -> bool:
    """Whether somebody may connect from there who is not guarded already."""
    prefix = ip_network(address)
    is_nobodys = address.is_unspecified or address.is_multicast
    return not is_nobodys and not any(covers(guard.prefix, prefix) for guard in STANDING)


def _order(guard: Guard) -> tuple[int, int, int]:
    prefix = guard.prefix
    return prefix.version, int(prefix.network_address), prefix.prefixlen


def _first_that_works(*reads: Callable[[], Iterable[T]]) -> list[T]:
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
                yield address, f"{OWN_ADDRESS} ({interface})"
