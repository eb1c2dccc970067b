"""What of a frame changes rarely: as JSON, and only what changed. Pure.

What did not change stays the very object that it was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias, TypeVar

from agent.model.address import Address, Prefix, Width
from agent.model.inputs import Found, Guard, Identities, Listeners, Queue, Surroundings
from agent.model.learned import Learned, Verified

T = TypeVar("T")

Told: TypeAlias = Mapping[str, Any]
"""Of one thing what changed; empty for nothing."""

KNOWN_AT_MOST = 1_000_000
"""Of what is known at a moment: what one frame could tell as a whole. Changes add up to no more."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def tell_moment(at: datetime) -> int:
    """Tell a moment: in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def hear_moment(told: int) -> datetime:
    """Give a moment that was told."""
    return _EPOCH + told * _MICROSECOND


def tell_surroundings(one: Surroundings) -> Told:
    """Tell what is guarded."""
    guards = [
        [str(guard.prefix), guard.why, guard.until and tell_moment(guard.until), guard.only_ssh]
        for guard in one.guards
    ]
    return {"guards": guards, "administrators": _texts(one.administrators)}


def hear_surroundings(told: Told) -> Surroundings:
    """Give what is guarded."""
    guards = (
        Guard(
            prefix=ip_network(prefix),
            why=str(why),
            until=None if until is None else hear_moment(until),
            only_ssh=bool(only_ssh),
        )
        for prefix, why, until, only_ssh in told["guards"]
    )
    return Surroundings(
        guards=tuple(guards), administrators=frozenset(map(ip_address, told["administrators"]))
    )


def tell_listeners(one: Listeners) -> Told:
    """Tell what waits."""
    return {
        str(port): [queue.waiting, queue.backlog, queue.smallest, queue.full]
        for port, queue in one.items()
    }


def hear_listeners(told: Told) -> Listeners:
    """Give what waits."""
    return {
        int(port): Queue(
            waiting=int(waiting), backlog=int(backlog), smallest=int(smallest), full=int(full)
        )
        for port, (waiting, backlog, smallest, full) in told.items()
    }


def tell_identities(before: Identities, after: Identities) -> Told:
    """Tell what is known of sources now, and was not before."""
    names = (before.found.keys() | after.found.keys()) if before.found is not after.found else ()
    told: dict[str, Any] = {}
    found = {
        name: _change(before.found.get(name, frozenset()), after.found[name])
        if name in after.found
        else None
        for name in sorted(names)
        if before.found.get(name) != after.found.get(name)
    }
    if found:
        told["found"] = found
    if before.answered != after.answered:
        told["answered"] = _change(before.answered, after.answered)
    if before.unread != after.unread:
        told["unread"] = sorted(after.unread)
    return told


def hear_identities(before: Identities, told: Told) -> Identities:
    """Give what is known of sources."""
    found, answered, unread = before.found, before.answered, before.unread
    if "found" in told:
        found = dict(_found(before.found, told["found"]))
    if "answered" in told:
        answered = _changed(before.answered, told["answered"], ip_address)
    if "unread" in told:
        unread = frozenset(map(str, told["unread"]))
    _demand_bounded(len(found) + sum(map(len, found.values())) + len(answered))
    return Identities(found=found, answered=answered, unread=unread)


def tell_learned(before: Learned, after: Learned) -> Told:
    """Tell what was learned since."""
    verified = {
        str(who): _verified(after.verified.get(who))
        for who in before.verified.keys() | after.verified.keys()
        if before.verified.get(who) != after.verified.get(who)
    }
    told: dict[str, Any] = {"verified": verified} if verified else {}
    if before.hosts != after.hosts:
        told["hosts"] = {host: _texts(found) for host, found in after.hosts.items()}
    if before.tried != after.tried:
        told["tried"] = after.tried
    return told


def hear_learned(before: Learned, told: Told) -> Learned:
    """Give what was learned."""
    verified = dict(before.verified)
    for who, one in told.get("verified", {}).items():
        if one is None:
            del verified[ip_address(who)]
        else:
            at, entries, names = one
            verified[ip_address(who)] = Verified(
                entries=frozenset(map(str, entries)),
                at=hear_moment(at),
                names=tuple(map(str, names)),
            )
    _demand_bounded(len(verified))
    hosts = before.hosts
    if "hosts" in told:
        hosts = {
            str(host): frozenset(map(ip_network, found)) for host, found in told["hosts"].items()
        }
    return Learned(verified=verified, hosts=hosts, tried=str(told.get("tried", before.tried)))


def tell_levels(levels: Iterable[tuple[Width, int]]) -> list[list[int]]:
    """Tell widths and floors."""
    return [[width.ipv4, width.ipv6, floor] for width, floor in levels]


def hear_levels(told: Iterable[Iterable[int]]) -> Iterator[tuple[Width, int]]:
    """Give widths and floors."""
    for ipv4, ipv6, floor in told:
        if not (16 <= ipv4 <= 32 <= ipv6 <= 128 and floor >= 0):  # noqa: PLR2004 - the bounds of a Width
            raise ValueError("it has an impossible width")
        yield Width(ipv4=ipv4, ipv6=ipv6), floor


def _demand_bounded(number: int) -> None:
    if number > KNOWN_AT_MOST:
        raise ValueError("it knows too much")


def _found(before: Found, told: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[Prefix]]]:
    for name in before.keys() | told.keys():
        change = told.get(name, [[], []])
        if change is not None:
            yield name, _changed(before.get(name, frozenset()), change, ip_network)


def _verified(one: Verified | None) -> list[object] | None:
    return None if one is None else [tell_moment(one.at), sorted(one.entries), list(one.names)]


def _change(before: AbstractSet[Any], after: AbstractSet[Any]) -> list[list[str]]:
    """Tell what is gone, and what is new."""
    return [_texts(before - after), _texts(after - before)]


def _changed(
    before: AbstractSet[T], change: Iterable[Iterable[str]], read: Callable[[str], T]
) -> frozenset[T]:
    """Give the set after a change; what stays is the same."""
    gone, new = change
    return frozenset((before - frozenset(map(read, gone))) | frozenset(map(read, new)))


def _texts(ones: Iterable[Address | Prefix]) -> list[str]:
    return sorted(map(str, ones))
