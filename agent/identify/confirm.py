"""Who an address belongs to, by its confirmed names. Pure: it asks by giving questions.

A reverse name is whatever the owner of the address wrote there. Only when the name, asked
forwards, leads back to the address does it prove anything: then the owner of the name says
so too.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from agent.identify.question import Answer, Kind, Question, Steps
from agent.model.address import Address

MOST_NAMES = 4
"""Of one address, that lie in a listed domain; the rest is not looked at."""

MOST_ADDRESSES = 16
"""Of one name, that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What came of asking.

    Attributes:
        names: Those that lead back to the address, each below a listed domain; may be empty.
        ttl_s: How long that holds.
    """

    names: tuple[str, ...] = ()
    ttl_s: int


class Silence(Enum):
    """What was not answered, so that nothing came of it.

    Attributes:
        REVERSE: Whether the address has a name: that is in the hands of its owner.
        FORWARD: Where a name leads that lies in a listed domain: in those of its owner.
    """

    REVERSE = "reverse"
    FORWARD = "forward"


def confirm(address: Address, domains: Collection[str]) -> Steps[Confirmed | Silence]:
    """Ask for the names of an address, and for the addresses of those names.

    Args:
        address: Whose.
        domains: Only names that are one of these, or below one, are asked for.

    Returns:
        The confirmed names, or what was not answered.
    """
    (reverse,) = yield (Question(address.reverse_pointer, Kind.PTR),)
    if reverse is None:
        return Silence.REVERSE
    listed = [name for name in reverse.names if any(one in domains for one in above(name))]
    names = tuple(dict.fromkeys(listed))[:MOST_NAMES]
    if not names:
        return Confirmed(ttl_s=reverse.ttl_s)
    kind = Kind.A if address.version == 4 else Kind.AAAA  # noqa: PLR2004
    answers = yield tuple(Question(name, kind) for name in names)
    return _compared(address, reverse, dict(zip(names, answers, strict=True)))


def _compared(
    address: Address, reverse: Answer, forwards: dict[str, Answer | None]
) -> Confirmed | Silence:
    """Keep the names that lead back; without one, any that was not answered leaves it open."""
    answered = {name: one for name, one in forwards.items() if one is not None}
    proven = {
        name: one for name, one in answered.items() if address in one.addresses[:MOST_ADDRESSES]
    }
    if not proven and len(answered) < len(forwards):
        return Silence.FORWARD
    ttl_s = min(reverse.ttl_s, *(one.ttl_s for one in (proven or answered).values()))
    return Confirmed(names=tuple(proven), ttl_s=ttl_s)


def resolve(host: str) -> Steps[tuple[Answer | None, Answer | None]]:
    """Ask for the IPv4 and the IPv6 addresses of a host name; None for what got no answer."""
    of4, of6 = yield (Question(host, Kind.A), Question(host, Kind.AAAA))
    return of4, of6


def above(name: str) -> Iterator[str]:
    """Give a name and all domains above it: whole labels, so never a part of one."""
    while name:
        yield name
        name = name.partition(".")[2]
