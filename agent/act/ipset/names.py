"""The names of our sets, and the sets that such names stand for. Pure.

From its name alone follows what a set is, so that the sets which a saved rule file asks for
can be made before it is loaded::

    aa4-allow                        who is never stopped: no timeouts
    aa4-seen                         (address, port) of held SYNs, for four seconds
    aa4-host  aa4-host-ssh           bans of the host
    aa4-web                          bans from a service
    aa4-host+09ae71c2d4              ... whose name is one of the words above, or too long
    aa4-web~3f2a9c1d55               a throttle of a service, by its rate and width

No service has ``+`` or ``~`` in its name. The 4 is a 6 for IPv6. Source: ipset(8); a name has
at most 31 characters.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from agent.model.ban import Target
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet
from agent.model.policy import Scope

LONGEST = 31
MOST_ELEMENTS = 1_048_576
"""Of every set of bans, whatever a policy says: a set can't be made again with another number."""

SEEN_S = 4
_DEFAULT_S = 600
_MOST_SEEN = 65_536
_DIGEST = 10
_ALLOW, _SEEN, _HOST, _HOST_SSH = "allow", "seen", "host", "host-ssh"
_RESERVED = frozenset({_ALLOW, _SEEN, _HOST, _HOST_SSH})
_OURS = r"aa[46]-[A-Za-z0-9._+~-]{1,27}"
_NAME = re.compile(_OURS)
_REFERENCE = re.compile(rf"--(?:match|add|del)-set \"?({_OURS})(?![^\s\"])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a set is, as far as bans depend on it.

    Attributes:
        type_name: As ipset calls it, ``hash:net``.
        version: Of IP; 0 where it is for none.
        is_timed: Whether elements may end.
        is_commented: Whether elements may have comments.
    """

    type_name: str
    version: int
    is_timed: bool
    is_commented: bool


def kind_of(name: str) -> Kind:
    """Give what the set of this name of ours has to be."""
    kind = name.partition("-")[2]
    return Kind(
        type_name="hash:ip,port" if kind == _SEEN else "hash:net",
        version=4 if name.startswith("aa4") else 6,
        is_timed=kind != _ALLOW,
        is_commented=kind not in {_ALLOW, _SEEN},
    )


def allow_name(version: int) -> str:
    """Give the name of the allow set."""
    return f"aa{version}-{_ALLOW}"


def seen_name(version: int) -> str:
    """Give the name of the set that remembers held SYNs."""
    return f"aa{version}-{_SEEN}"


def set_name(one: BanSet, version: int) -> str:
    """Give the name of the set for this treatment of sources of this family."""
    if one.rate is None:
        return drop_name(one.target, version)
    service = one.target[1]
    rate = f"{one.rate.count}/{one.rate.per.total_seconds():g}"
    digest = _digest(f"{service} {rate} {one.per}")
    return _short(version, service, "~", digest)


def drop_name(target: Target, version: int) -> str:
    """Give the name of the set of drops from this target."""
    if target == HOST_DROP:
        return f"aa{version}-{_HOST}"
    if target == HOST_AND_SSH_DROP:
        return f"aa{version}-{_HOST_SSH}"
    scope, service, _ = target
    name = f"aa{version}-{service}"
    if scope is Scope.SERVICE and service not in _RESERVED and len(name) <= LONGEST:
        return name
    return _short(version, service, "+", _digest(f"{scope} {service}"))


def is_ours(name: str) -> bool:
    """Whether a set with this name is one that we make."""
    return _NAME.fullmatch(name) is not None


def names_in(saved: str) -> set[str]:
    """Give the names of our sets that rules refer to.

    Args:
        saved: As ``iptables-save`` writes rules.
    """
    return set(_REFERENCE.findall(saved))


def create_lines(names: Iterable[str]) -> list[str]:
    """Write what makes these sets be there, for ``ipset restore -exist``.

    Args:
        names: Of ours; others are left out.
    """
    return [_create_line(name) for name in sorted(set(names)) if is_ours(name)]


def _create_line(name: str) -> str:
    kind = kind_of(name)
    is_seen = name == seen_name(kind.version)
    family = "inet" if kind.version == 4 else "inet6"  # noqa: PLR2004
    most, lasts_s = (_MOST_SEEN, SEEN_S) if is_seen else (MOST_ELEMENTS, _DEFAULT_S)
    timeout = f" timeout {lasts_s}" if kind.is_timed else ""
    comment = " comment" if kind.is_commented else ""
    return f"create {name} {kind.type_name} family {family} maxelem {most}{timeout}{comment}\n"


def _short(version: int, service: str, mark: str, digest: str) -> str:
    head = f"aa{version}-"
    return f"{head}{service[: LONGEST - len(head) - 1 - _DIGEST]}{mark}{digest}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_DIGEST]
