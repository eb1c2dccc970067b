"""The names of our sets, which alone tell what the bans in them cover.

``host-hosts4``, ``host-ssh-nets6``, ``service-web-lines6``, ``throttle-web-1s-32.64-hosts4``:
the treatment, then the kind. A service's name is kept as it is, and stands between parts
that have no hyphen of their own, so that no two names can mean the same and every name
can be read back without the policy it comes from.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from agent.errors import FirewallError
from agent.model.address import Prefix
from agent.model.ban import Target
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet
from agent.model.policy import Answer, Rate, Scope

Meaning: TypeAlias = tuple[Target, Rate | None]
"""What a ban in a set covers and how; its rate when it is a throttle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Elements of one family that are looked up in one way.

    Attributes:
        suffix: Ends the names of sets of this kind.
        version: 4 or 6.
        length: The prefix length of all elements; None where each has its own.
    """

    suffix: str
    version: int
    length: int | None


HOSTS4 = Kind(suffix="hosts4", version=4, length=32)
NETS4 = Kind(suffix="nets4", version=4, length=None)
LINES6 = Kind(suffix="lines6", version=6, length=64)
HOSTS6 = Kind(suffix="hosts6", version=6, length=128)
NETS6 = Kind(suffix="nets6", version=6, length=None)
KINDS = (HOSTS4, NETS4, LINES6, HOSTS6, NETS6)

ALLOW = {4: "allow4", 6: "allow6"}
"""The allow sets, by family."""

UNITS = {
    timedelta(seconds=1): "second",
    timedelta(minutes=1): "minute",
    timedelta(hours=1): "hour",
}
"""The rates that nftables and policies both know."""

_PER = {unit[0]: per for per, unit in UNITS.items()}
_BY_LENGTH = {(kind.version, kind.length): kind for kind in KINDS if kind.length}
_NETS = {4: NETS4, 6: NETS6}
_BY_SUFFIX = {kind.suffix: kind for kind in KINDS}
_THROTTLE = re.compile(r"throttle-(.+)-(\d{1,9})([smh])-\d{1,2}\.\d{1,3}")


def kind_of(prefix: Prefix) -> Kind:
    """Give the kind of set that a prefix belongs into."""
    version = prefix.version
    return _BY_LENGTH.get((version, prefix.prefixlen)) or _NETS[version]


def label_of(one: BanSet) -> str:
    """Give what the names of the sets of one treatment begin with.

    Raises:
        FirewallError: It has a rate that can't be written.
    """
    scope, service, answer = one.target
    if one.target in _HOST_LABELS:
        return _HOST_LABELS[one.target]
    if scope is Scope.HOST:
        raise FirewallError(f"no set is for {answer.value} under scope host")
    if one.rate is None or one.per is None:
        return f"service-{service}"
    rate = f"{one.rate.count}{unit_of(one.rate)[0]}"
    return f"throttle-{service}-{rate}-{one.per.ipv4}.{one.per.ipv6}"


def unit_of(rate: Rate) -> str:
    """Give the word for what a rate is per.

    Raises:
        FirewallError: There is none.
    """
    if rate.per not in UNITS:
        raise FirewallError(f"a rate is per second, minute or hour, not per {rate.per}")
    return UNITS[rate.per]


def name_of(label: str, kind: Kind) -> str:
    """Give the name of the set of a treatment and a kind."""
    return f"{label}-{kind.suffix}"


def read_name(name: str) -> tuple[Meaning, Kind] | None:
    """Read a set's name; None for one that holds no bans."""
    label, _, suffix = name.rpartition("-")
    kind, meaning = _BY_SUFFIX.get(suffix), _meaning(label)
    return (meaning, kind) if kind and meaning else None


def _meaning(label: str) -> Meaning | None:
    for target, known in _HOST_LABELS.items():
        if label == known:
            return target, None
    if label.startswith("service-"):
        return (Scope.SERVICE, label.removeprefix("service-"), Answer.DROP), None
    found = _THROTTLE.fullmatch(label)
    if found is None:
        return None
    service, count, unit = found.groups()
    return (Scope.SERVICE, service, Answer.THROTTLE), Rate(count=int(count), per=_PER[unit])


_HOST_LABELS = {HOST_DROP: "host", HOST_AND_SSH_DROP: "host-ssh"}
