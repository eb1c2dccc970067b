"""Who sources are, as far as that is known without asking anybody. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

from agent.decide.nearest import Gauge, gauge_of
from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, line_of
from agent.model.inputs import Guard, Identities, Spared
from agent.model.learned import Learned
from agent.model.policy import AllowEntry, Policy
from agent.record.phrases import printable

T = TypeVar("T")

_MOST = 3
"""Of each kind are told: a whole line may have many in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that is looked up for a source, made ready for many of them.

    Attributes:
        policy: In force.
        gauge: Of that policy, and of whom no ban may reach.
        names: Confirmed names by line.
        vendors: By their networks.
    """

    policy: Policy
    gauge: Gauge
    names: Mapping[Prefix, tuple[str, ...]]
    vendors: PrefixTable[str]

    def who(self, line: Prefix, now: datetime) -> str:
        """Say in a few words who a source is; empty for nobody."""
        grants = self.gauge.grants
        parts = (
            *map(_guard, _some(grants.guards, line)),
            *(_entry(one) for one in _some(grants.entries, line) if _holds(one, now)),
            *self.names.get(line, ())[:1],
            *(f"{vendor}, a CDN" for vendor in _some(self.vendors, line)),
        )
        return printable("; ".join(dict.fromkeys(parts)))

    def is_spared(self, line: Prefix, now: datetime) -> bool:
        """Whether no ban of anything may reach a source."""
        grants, nobody = self.gauge.grants, Identities()
        return all(
            grants.of(line, service.name, now, nobody).is_exemption
            for service in self.policy.services
        )


def known_of(
    policy: Policy, spared: Spared, learned: Learned, vendors: Mapping[str, frozenset[Prefix]]
) -> Known:
    """Make the tables.

    Args:
        policy: In force.
        spared: Whom no ban may reach beside what it lists.
        learned: Confirmed names are.
        vendors: Networks of large CDNs.
    """
    names: dict[Prefix, tuple[str, ...]] = {}
    for address, verified in learned.verified.items():
        line = line_of(address)
        names[line] = (*names.get(line, ()), *verified.names)
    return Known(
        policy=policy,
        gauge=gauge_of(policy, spared),
        names=names,
        vendors=prefix_table(
            (network, vendor) for vendor, networks in vendors.items() for network in networks
        ),
    )


def _some(table: PrefixTable[T], line: Prefix) -> Iterator[T]:
    """Give the first of what is listed around a line, then of what is listed in it."""
    inside = (value for _, value in table.inside(line))
    return islice(chain(table.covering(line), inside), _MOST)


def _guard(guard: Guard) -> str:
    what = guard.why.partition(" (")[0]
    return f"{what}, for ssh only" if guard.only_ssh else what


def _entry(entry: AllowEntry) -> str:
    granted = "exempt" if entry.patience is None else f"{entry.patience}x"
    services = f" for {', '.join(sorted(entry.services))}" if entry.services else ""
    return f"{entry.name}, {granted}{services}"


def _holds(entry: AllowEntry, now: datetime) -> bool:
    return entry.until is None or now < entry.until
