"""Who a source is, in words."""

from collections.abc import Iterator

from agent.desk.explain.values import Explanation, Listed, Who
from agent.model.inputs import Guard
from agent.model.policy import AllowEntry
from agent.observe.owners import Owners
from agent.record.events import prefix_text
from agent.record.phrases import counted, printable, until

_MOST = 5
"""Names and processes that are told."""


def identity(told: Explanation) -> Iterator[str]:
    """Write a line for each thing that is known of who it is."""
    who, found = told.who, False
    for line in (*map(_guard, who.guards), *map(_listed, who.listed), *_names(who)):
        found = True
        yield line
    for vendor in who.vendors:
        found = True
        yield f"in the networks of {vendor}, a CDN"
    if not found:
        yield "nobody that the policy lists or the agent guards"
    for entry in who.may_be:
        yield f"may belong to {_entry(entry)}: it is asked about near a limit only"
    yield from _owners(told)


def _guard(guard: Guard) -> str:
    only = " (for ssh only)" if guard.only_ssh else ""
    return f"guarded{only}: {prefix_text(guard.prefix)}, {printable(guard.why)}"


def _listed(one: Listed) -> str:
    entry = one.entry
    granted = "exempt" if entry.patience is None else f"{entry.patience}x of each limit"
    services = f" for {', '.join(sorted(entry.services))} only" if entry.services else ""
    ends = f", {until(entry.until)}" if entry.until else ""
    over = ": it is over" if one.is_over else ""
    whom = f"{prefix_text(one.prefix)} on the allowlist: {_entry(entry)}"
    return f"{whom} grants {granted}{services}{ends}{over}"


def _entry(entry: AllowEntry) -> str:
    return f"{entry.kind.value} {entry.name}, {entry.declared_at}"


def _names(who: Who) -> Iterator[str]:
    for address, verified in who.names[:_MOST]:
        names = ", ".join(map(printable, verified.names[:_MOST]))
        yield f"{address} is confirmed as {names}"


def _owners(told: Explanation) -> Iterator[str]:
    owners = told.who.owners
    if owners is None:
        return
    most = sorted(owners.sockets.items(), key=lambda one: (-one[1], one[0]))
    for (pid, name), count in most[:_MOST]:
        yield f"{counted(count, 'socket')} of {printable(name)}, pid {pid}"
    if len(most) > _MOST:
        yield f"sockets of {len(most) - _MOST} more processes"
    if owners.unknown:
        yield _unknown(owners)


def _unknown(owners: Owners) -> str:
    whose = f"whose {counted(owners.unknown, 'socket')} are can't be told"
    if not owners.hidden:
        return f"{whose}: no process here has them"
    return f"{whose}: this user may not look into {counted(owners.hidden, 'process', 'processes')}"
