"""Who a source is: guarded, listed, verified, a vendor's."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from agent.decide.grants import Grants, prefixes_of
from agent.desk.explain.values import Listed, Who
from agent.model.address import Prefix, covers, holder, overlaps, pack
from agent.model.inputs import Guard, Identities
from agent.model.learned import Learned
from agent.model.policy import AllowEntry

MOST = 20
"""Of each kind: a wide prefix may have thousands in it."""


def who_is(
    prefix: Prefix, grants: Grants, known: Identities, learned: Learned, now: datetime
) -> Who:
    """Tell what is known of everybody in a prefix, without asking anybody.

    Args:
        prefix: Who.
        grants: The policy's allowlist and this moment's guards.
        known: Who was looked up.
        learned: What agents wrote down.
        now: Entries that have ended are told as such.
    """
    holds = holder(prefix)
    return Who(
        guards=tuple(islice(_guards(prefix, grants), MOST)),
        listed=tuple(islice(_listed(prefix, grants, now), MOST)),
        may_be=_may_be(prefix, grants, known, now),
        names=tuple(
            islice((one for one in learned.verified.items() if holds(*pack(one[0]))), MOST)
        ),
        vendors=_vendors(prefix, known.vendors),
    )


def _guards(prefix: Prefix, grants: Grants) -> Iterator[Guard]:
    yield from grants.guards.covering(prefix)
    for _, guard in grants.guards.inside(prefix):
        yield guard


def _listed(prefix: Prefix, grants: Grants, now: datetime) -> Iterator[Listed]:
    ended = grants.ended(now)
    for entry in grants.policy.allowlist:
        for where in prefixes_of(entry, grants.spared):
            if overlaps(where, prefix):
                yield Listed(entry=entry, prefix=where, is_over=entry.name in ended)


def _may_be(
    prefix: Prefix, grants: Grants, known: Identities, now: datetime
) -> tuple[AllowEntry, ...]:
    """Give the entries that would still be asked about for some service."""
    names = [service.name for service in grants.policy.services]
    return tuple(
        dict.fromkeys(
            entry for name in names for entry in grants.of(prefix, name, now, known).may_be
        )
    )


def _vendors(prefix: Prefix, vendors: Mapping[str, frozenset[Prefix]]) -> tuple[str, ...]:
    return tuple(
        name for name, networks in vendors.items() if any(covers(one, prefix) for one in networks)
    )
