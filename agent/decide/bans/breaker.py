"""The breaker: a limit that would hit the known clients is wrong, whoever is above it.

Open, it still lets through every ban of a source that is above three times its limit, and
every throttle: so whoever opens it on purpose, with clients that he kept here for days,
gains a factor and never peace.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from agent.decide.bans.clients import known
from agent.decide.bans.wish import Wish
from agent.model.alarm import Breaker
from agent.model.learned import Clients
from agent.model.policy import Answer, Policy

FRESH_FOR = 10
"""Cycles of a policy that is new here, in which all current sources count."""

FEWEST_SOURCES = 20
"""Of fewer sources, in those cycles, no share is taken."""

FEWEST_CANDIDATES = 5
"""Fewer known clients than this may be banned at any time: some do turn bad."""

CALM_FOR = 3
"""Cycles in a row without a reason before a breaker that known clients opened closes."""

STRUCK_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuse:
    """What is remembered of it.

    Attributes:
        policy: The hash of the policy that was in force.
        judged: Cycles under that policy, counted up to `FRESH_FOR`.
        struck: Known clients that were banned, until when that lasts.
        is_open: Whether it is open.
        closes_in: Cycles without a reason after which it closes.
    """

    policy: str = ""
    judged: int = 0
    struck: Mapping[bytes, datetime] = field(default_factory=dict)
    is_open: bool = False
    closes_in: int = 0

    @classmethod
    def of(cls, tried: str) -> "Fuse":
        """Go on under a policy that an earlier run has tried: it is not fresh again.

        Else whoever can have the agent restarted would have ten cycles of it each time.
        """
        return cls(policy=tried, judged=FRESH_FOR)

    @property
    def tried(self) -> str:
        """The hash of the policy whose first cycles are over; empty for none."""
        return self.policy if self.judged > FRESH_FOR else ""

    def struck_after(self, struck: Iterable[tuple[bytes, datetime]], now: datetime) -> "Fuse":
        """Remember known clients that are banned from now on, and forget those who are free."""
        still = {key: until for key, until in self.struck.items() if until > now}
        room = max(0, STRUCK_AT_MOST - len(still))
        added = [one for one in struck if one[0] not in still][:room]
        return replace(self, struck={**still, **dict(added)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom the bans that are asked for would hit, all hosts by their keys.

    Attributes:
        hit: Those who would be banned.
        present: Those who are here.
        clients: The memory of who was here before.
        others: How many more are here, none of whom would be hit.
        others_known: How many of these are known clients.
    """

    hit: frozenset[bytes]
    present: frozenset[bytes]
    clients: Clients
    others: int = 0
    others_known: int = 0

    @property
    def hit_clients(self) -> frozenset[bytes]:
        """The known clients among those who would be banned."""
        return known(self.clients, self.hit)

    def known_here(self, hit: frozenset[bytes]) -> int:
        """Count the known clients who are here, `hit` among them."""
        return len(known(self.clients, self.present) | hit) + self.others_known


def judged(
    fuse: Fuse, policy: Policy, reach: Reach | None, now: datetime
) -> tuple[Fuse, tuple[Breaker, ...]]:
    """Give the breaker after this cycle's wishes, and what there is to tell of it.

    Args:
        fuse: As it was.
        policy: In force.
        reach: Whom the wishes would hit; None where there are none.
        now: Bans of known clients that are over by now no longer count.
    """
    judged = 0 if fuse.policy != policy.sha256 else fuse.judged
    fuse = replace(fuse, policy=policy.sha256, judged=min(judged + 1, FRESH_FOR + 1))
    share = policy.safety.known_clients_share
    if reach is not None:
        found = _of_known(fuse, reach, share, now) or _of_all(fuse, reach, share)
        if found:
            told = () if fuse.is_open else (found[0],)
            return replace(fuse, is_open=True, closes_in=found[1]), told
    if not fuse.is_open:
        return fuse, ()
    if fuse.closes_in > 1:
        return replace(fuse, closes_in=fuse.closes_in - 1), ()
    return replace(fuse, is_open=False, closes_in=0), (_closed(reach),)


def spares(wish: Wish) -> bool:
    """Whether an open breaker keeps a ban from being made."""
    return wish.target[2] is Answer.DROP and not wish.is_heavy


def _of_known(
    fuse: Fuse, reach: Reach, share: Fraction, now: datetime
) -> tuple[Breaker, int] | None:
    """Open for the known clients, those who are banned already included."""
    still = {key for key, until in fuse.struck.items() if until > now}
    hit = reach.hit_clients | still
    there = reach.known_here(hit)
    if len(hit) < FEWEST_CANDIDATES or len(hit) <= share * there:
        return None
    return _opened(len(hit), there, "known clients", share), CALM_FOR


def _of_all(fuse: Fuse, reach: Reach, share: Fraction) -> tuple[Breaker, int] | None:
    """Open for all who are here, while nothing tells yet whether the policy is right."""
    there = len(reach.present | reach.hit) + reach.others
    is_told = fuse.judged <= FRESH_FOR and there >= FEWEST_SOURCES
    if not is_told or len(reach.hit) <= share * there:
        return None
    who = f"sources in the first {FRESH_FOR} cycles of this policy"
    return _opened(len(reach.hit), there, who, share), 1


def _opened(hit: int, there: int, who: str, share: Fraction) -> Breaker:
    return Breaker(
        is_open=True,
        reason=f"{hit} of {there} {who} would be banned, more than {int(share * 100)}%",
        candidates=hit,
        known_clients=there,
    )


def _closed(reach: Reach | None) -> Breaker:
    return Breaker(
        is_open=False,
        reason="no more than the policy's share of known clients would be banned",
        candidates=len(reach.hit_clients) if reach else 0,
        known_clients=reach.known_here(frozenset()) if reach else 0,
    )
