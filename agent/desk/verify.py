"""Whether what should be in force is: rules reached, sets there, contents as in the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.act.choose import firewalls_here, open_firewall
from agent.act.interface import DIFFERS, Firewall
from agent.act.privilege import demand
from agent.act.saved import faults_of
from agent.decide import Reconciliation, Recorded, allow_set, layout_of, reconcile
from agent.desk.site import PATIENCE_S, firewall_of, look_at_ledger, policy_of
from agent.desk.spared import read_spared
from agent.desk.where import Where
from agent.errors import FirewallError
from agent.model.address import Prefix, Source
from agent.model.inspection import Traffic
from agent.model.layout import Layout
from agent.record.ledger import Ledger, MemoryLedger
from agent.record.locks import Agent
from agent.record.turns import writer_lock

NAMED_AT_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check of the firewall found.

    Attributes:
        firewall: Its name.
        agent: The running one; None when none is.
        faults: One sentence each; empty when all is well.
        traffic: What each set has stopped.
    """

    firewall: str
    agent: Agent | None
    faults: tuple[str, ...]
    traffic: tuple[Traffic, ...]


def verify(where: Where) -> Findings:
    """Compare the firewall with the policy and the ledger; nothing is changed.

    Raises:
        BusyError: The running agent uses another policy than the files hold.
        StateError: The state directory or the ledger can't be used.
        FirewallError: The firewall is not there, or not for this process.
    """
    demand("CAP_NET_ADMIN")
    # No state directory is made only to be looked into.
    with writer_lock(where.folder, PATIENCE_S) if where.folder.is_dir() else nullcontext():
        agent, policy = policy_of(where)
        firewall = open_firewall(firewall_of(where, agent))
        ledger = look_at_ledger(where) or MemoryLedger()
        layout = layout_of(policy)
        missing = firewall.missing(layout)
        installed = firewall.installed(where.now)
        seen = firewall.inspect()
        elsewhere = tuple(_elsewhere(firewall, layout, where.now))
    found = reconcile(_recorded(ledger), installed.bans, layout, where.now)
    spared = read_spared(where.folder, policy, ledger.permits(where.now), where.now)
    wanted = frozenset(
        one for one in allow_set(policy, spared, where.now) if one.version in firewall.versions
    )
    contents = (
        *_differences(found),
        *_not_allowed(installed.allowed, wanted),
        *seen.faults,
    )
    # Where sets and rules are missing, all else follows from that.
    faults = (*(_missing(missing) or contents), *elsewhere, *faults_of(Path("/")))
    return Findings(
        firewall=firewall.name,
        agent=agent,
        faults=tuple(dict.fromkeys(faults)),
        traffic=seen.traffic,
    )


def _missing(names: Sequence[str]) -> tuple[str, ...]:
    """Say what is not there, in one line, and what is not as it should be."""
    absent = [name for name in names if not name.endswith(DIFFERS)]
    return (
        *(
            [f"missing in the firewall: {_some(absent)}; a start of the agent makes it"]
            if absent
            else []
        ),
        *(name for name in names if name.endswith(DIFFERS)),
    )


def _elsewhere(used: Firewall, layout: Layout, now: datetime) -> Iterator[str]:
    """Say where bans are that nobody looks after: in a firewall that is not in use."""
    for other in firewalls_here():
        if other.name != used.name:
            bans = _bans_in(other, layout, now)
            if bans:
                yield f"{other.name}, which is not in use, holds bans of ours as well: {bans}"


def _bans_in(other: Firewall, layout: Layout, now: datetime) -> int:
    """Count the bans in a firewall; none are in one that can't be read."""
    try:
        other.missing(layout)
        return len(other.installed(now).bans)
    except FirewallError:
        return 0


def _recorded(ledger: Ledger) -> Recorded:
    return Recorded(
        in_force=ledger.in_force(), intended=ledger.intended(), has_ended=ledger.has_ended
    )


def _differences(found: Reconciliation) -> Iterator[str]:
    """Say where ledger and firewall disagree; of very many the first."""
    lost = list(dict.fromkeys(f"{ban.source}" for ban in found.restore))
    sources = [*(ban.source for ban in found.adopt), *(one.held.source for one in found.lift)]
    strange = list(dict.fromkeys(map(str, sources)))
    if lost:
        yield f"the ledger has bans that the firewall does not hold so: {_some(lost)}"
    if strange:
        yield f"the firewall holds bans that the ledger does not know: {_some(strange)}"


def _not_allowed(allowed: frozenset[Prefix], wanted: frozenset[Prefix]) -> Iterator[str]:
    """Say who should be in the allow set and is not, and who is and should not."""
    if wanted - allowed:
        names = _names(wanted - allowed)
        yield f"the allow set lacks {_some(names)}: they could be banned with their neighbours"
    if allowed - wanted:
        yield f"the allow set holds {_some(_names(allowed - wanted))}, which nobody allowed"


def _names(prefixes: frozenset[Prefix]) -> list[str]:
    return [str(Source(one)) for one in sorted(prefixes, key=lambda one: Source(one).order)]


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
