"""Text -> names, addresses and choices. Pure; raises `Misfit` as in `scalars`."""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network
from typing import TypeVar

from agent.model.address import Prefix
from agent.model.measure import MEASURES, Measure
from agent.model.policy import TRUSTED_PROXIES
from agent.model.sample import State
from agent.policy.rented import is_anybodys
from agent.policy.respell import close_to
from agent.policy.scalars import Misfit
from agent.policy.words import listed

E = TypeVar("E", bound=StrEnum)

MANUAL = "manual"
"""The rule of a ban that an operator typed; no policy may take the name."""

COUNTABLE = frozenset(state for each in MEASURES.values() for state in each.states)
"""States that some measure counts."""

NAMEABLE = frozenset(state for each in MEASURES.values() if each.proves for state in each.states)
"""States that a rule may name: what proves nothing counts its own, always."""

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ACCOUNT = re.compile(r"[^\s:,/]{1,64}")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253
_LEAST_LABELS = 2
_MAPPED_BITS = 96


def is_slug(text: str) -> bool:
    """Whether something that a policy declares may have this name."""
    return _SLUG.fullmatch(text) is not None


def slug(text: str) -> str:
    """Read the name of something that a policy declares."""
    if not is_slug(text):
        raise Misfit
    return text


def rule_name(text: str) -> str:
    """Read the name of a rule."""
    if text == MANUAL:
        raise Misfit("that name is reserved for bans by hand")
    return slug(text)


def entry_name(text: str) -> str:
    """Read the name of an allowlist entry."""
    if text == TRUSTED_PROXIES:
        raise Misfit("that name is reserved for the block of that name at the top of a file")
    return slug(text)


def account(text: str) -> str:
    """Read the name of a user or a group, also as a directory writes it. Source: passwd(5)."""
    if not (text.isprintable() and _ACCOUNT.fullmatch(text)):
        raise Misfit
    if text.isdecimal():
        raise Misfit("write the name, not the number")
    return text


def host(text: str) -> str:
    """Read a host name, in lower case and without the dot at its end."""
    name = text.lower().removesuffix(".")
    if not name.isascii():
        raise Misfit("write it in its xn-- form")
    if _is_address(text):
        raise Misfit("list an address under prefixes")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise Misfit
    return name


def domain(text: str) -> str:
    """Read a domain of at least two labels."""
    if text.startswith("*."):
        raise Misfit("write it without *., names below it are meant anyway")
    name = host(text)
    if name.count(".") + 1 < _LEAST_LABELS:
        raise Misfit("a single label is nobody's domain")
    if is_anybodys(name):
        raise Misfit(
            "anybody can have a host with a name below it: list prefixes, ranges or hosts instead"
        )
    return name


def path(text: str) -> str:
    """Read the path of a file."""
    if "://" in text:
        raise Misfit("ranges are read from files: fetch it to one")
    if not text.isprintable():
        raise Misfit("it holds control characters")
    return text


def prefix(text: str) -> Prefix:
    """Read an address or a network; IPv4 inside a mapped IPv6 address becomes IPv4."""
    address, slash, length = text.partition("/")
    if "%" in address:
        raise Misfit("leave out the interface after %")
    if slash and not (length.isascii() and length.isdigit()):
        raise Misfit("write the length as a number of bits, as /24")
    if length != "0" and length.startswith("0"):
        raise Misfit("write the length without the leading zero")
    try:
        first, network = ip_address(address), ip_network(text, strict=False)
    except ValueError as error:
        raise Misfit(_prefix_hint(address)) from error
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= _MAPPED_BITS:
        first = first.ipv4_mapped
        network = IPv4Network((first, network.prefixlen - _MAPPED_BITS), strict=False)
    if first != network.network_address:
        raise Misfit(f"bits are set behind the length: the network is {network}")
    return network


def state(text: str) -> State:
    """Read a TCP state by the name that netstat prints."""
    if text in _COUNTABLE_NAMES:
        return State[text]
    if text in State.__members__:
        raise Misfit("no rule counts that state")
    meant = next(iter(_respell_state(text)), "")
    if meant and State[meant] not in NAMEABLE:
        raise Misfit(f"{meant} is what half_open counts, in a rule of its own with throttle")
    raise Misfit


def respell_state(text: str) -> Iterator[str]:
    """Spell a state as netstat does, if it is one that a rule may name."""
    for meant in _respell_state(text):
        if text not in State.__members__ and State[meant] in NAMEABLE:
            yield meant


def choice(kinds: type[E]) -> Callable[[str], E]:
    """Give the reader of one member of `kinds`."""

    def read(text: str) -> E:
        if text not in set(kinds):
            raise Misfit
        return kinds(text)

    return read


def measure(text: str) -> Measure:
    """Read what a rule counts."""
    if text not in MEASURES:
        raise Misfit
    return MEASURES[text]


def one_of(names: Iterable[str]) -> str:
    """Say what a choice expects."""
    return listed(names, "or")


_COUNTABLE_NAMES = tuple(state.name for state in State if state in COUNTABLE)
_respell_state = close_to(_COUNTABLE_NAMES, (("ESTAB", "ESTABLISHED"),))


def _is_address(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _prefix_hint(address: str) -> str:
    if "-" in address and address[:1].isdecimal():
        return "a range is written as the networks that make it up"
    is_name = ":" not in address and any(map(str.isalpha, address))
    return "the name of a machine goes under hosts" if is_name else ""
