"""Facts for the doctor's tests: sockets at two looks, and settings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.values import Finding, Grade
from agent.model.sample import State
from agent.observe.owners import Holders
from agent.observe.table.values import Destination, Group, Listening, Socket, Sockets, Uses

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
WELL = Holders(of={7: (70, "api"), 8: (80, "db\x1b[2J")})


def sock(state: State = State.ESTABLISHED, **fields: object) -> Socket:
    """Give a socket of the process 70 at port 80."""
    given: dict[str, object] = {
        "port": 80,
        "remote": ip_address("198.51.100.1"),
        "remote_port": 5000,
        "inode": 7,
    }
    return Socket(state=state, **(given | fields))  # type: ignore[arg-type]


def sockets(
    kept: Iterable[Socket] = (),
    more: Mapping[tuple[State, int], Group] | None = None,
    listening: Iterable[Listening] = (),
    destinations: Mapping[Destination, Uses] | None = None,
    port_range: tuple[int, int] = (32_768, 60_999),
) -> Sockets:
    """Give a look at these, numbered from 1 on, and at groups of others beside them."""
    kept = tuple(kept)
    groups: dict[tuple[State, int], Group] = defaultdict(Group, more or {})
    for one in kept:
        groups[one.state, one.port] += Group(
            count=one.stands_for,
            unread=one.stands_for * (one.unread > 0),
            unread_bytes=one.stands_for * one.unread,
            unsent=one.stands_for * (one.unsent > 0),
            unsent_bytes=one.stands_for * one.unsent,
            retried=one.stands_for * (one.tries > 0),
            orphans=one.stands_for * (not one.inode),
        )
    return Sockets(
        groups=dict(groups),
        listening=tuple(listening),
        kept=dict(enumerate(kept, 1)),
        destinations=destinations or {},
        port_range=port_range,
    )


def facts(now: Sockets, before: Sockets | None = None, **fields: object) -> Facts:
    """Give facts of two looks that are the same, unless `before` says otherwise."""
    given: dict[str, object] = {
        "now": NOW,
        "watched_s": 2.0,
        "holders": WELL,
        "sockets": now,
        "before": before or now,
    }
    return Facts(**(given | fields))  # type: ignore[arg-type]


def once(told: Facts) -> Facts:
    """Give the same after a single look."""
    return replace(told, before=None, watched_s=0)


def grades(found: Iterable[Finding]) -> dict[str, Grade]:
    """Give the grade of each by its name."""
    return {one.name: one.grade for one in found}
