"""What a firewall has to be prepared for: the sets that bans under one policy may need."""

from dataclasses import dataclass

from agent.model.address import Source, Width
from agent.model.ban import Ban, Target
from agent.model.policy import SSH, Answer, Rate, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class BanSet:
    """One kind of treatment; a firewall keeps a set or some for each, in both families.

    Attributes:
        target: What of a source is covered, and how.
        ports: Local TCP ports that it is for; empty under scope host.
        rate: Of a throttle, for each source of width `per`; None for a drop.
        per: The width of the throttled sources; None for a drop.
    """

    target: Target
    ports: frozenset[int] = frozenset()
    rate: Rate | None = None
    per: Width | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All of them.

    Attributes:
        sets: Each once: drops of the host, then by service; in a total order.
        ssh: The ports that a ban of the host leaves open unless it is about ssh itself.
    """

    sets: tuple[BanSet, ...] = ()
    ssh: frozenset[int] = frozenset()

    def set_for(self, ban: Ban) -> BanSet | None:
        """Give the set that a ban belongs to; None when its service or rate is not in the layout.

        Of several throttles with its rate it is the one whose width is the source's own,
        else the narrowest, so that nobody is throttled together with strangers.
        """
        fitting = [one for one in self.sets if one.target == ban.target and one.rate == ban.rate]
        return max(fitting, key=lambda one: _fit(one, ban.source), default=None)


HOST_DROP: Target = (Scope.HOST, "", Answer.DROP)
"""Everything but ssh."""

HOST_AND_SSH_DROP: Target = (Scope.HOST, SSH, Answer.DROP)
"""Everything, ssh as well: what a rule about ssh asks for."""


def _fit(ban_set: BanSet, source: Source) -> tuple[bool, int]:
    if ban_set.per is None:
        return True, 0
    length = ban_set.per.ipv4 if source.prefix.version == 4 else ban_set.per.ipv6  # noqa: PLR2004
    return length == source.prefix.prefixlen, length
