"""One moment as a view has it: counted on packed bytes, and told of whoever is shown. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from agent.decide.case import Case
from agent.decide.nearest import Counted, Crowd, crowd_of
from agent.decide.prefixes import PrefixTable, prefix_table
from agent.desk.top.known import Known
from agent.desk.top.order import Nearest, first_by_address, first_by_limit, first_by_sockets
from agent.desk.top.values import Nearness, Order, Picture, Row, View
from agent.desk.top.wanted import Names, called, names_of, services_of, sockets_of, wanted
from agent.model.address import HOST, source_of
from agent.model.ban import Ban
from agent.model.policy import Mode
from agent.model.sample import SOCKETS, Sample, State
from agent.record.locks import Agent

T = TypeVar("T", State, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was read.

    Attributes:
        now: Aware, UTC.
        sample: The sockets; None where they can't be read.
        known: Who sources are, and by which policy; None where there is none.
        bans: In force, the longest to go first; None where this user may not look.
        kept_out: The same, by whom they keep out.
        agent: The running one.
        unread: Why something could not be had, by what.
    """

    now: datetime
    sample: Sample | None
    known: Known | None
    bans: tuple[Ban, ...] | None = None
    kept_out: PrefixTable[Ban] = field(default_factory=lambda: prefix_table(()))
    agent: Agent | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


def picture_of(view: View, moment: Moment) -> Picture:
    """Give the moment as a view has it."""
    sample = moment.sample
    tallies = sample.tallies if sample else {}
    crowds = {name: crowd_of(tally) for name, tally in tallies.items()}
    crowd = crowds.get(SOCKETS, {})
    policy = moment.known.policy if moment.known else None
    is_wanted, names = wanted(view, policy), names_of(policy)
    sockets = sockets_of(crowd, is_wanted)
    keys, nearest = _first(view, moment, crowds, sockets)
    rows: list[Row] = []
    for key in keys:
        items = [item for item in crowd[key] if is_wanted is None or is_wanted(item)]
        rows.append(_row(moment, key, _split(items, names), nearest.get(key)))
    return Picture(
        now=moment.now,
        sockets=sample.sockets if sample else 0,
        states=sample.states if sample else {},
        sources=len(crowd),
        matching=len(sockets),
        rows=tuple(rows),
        bans=moment.bans,
        agent=moment.agent,
        services=services_of(policy, tallies.get(SOCKETS, {}), names),
        unread=moment.unread,
    )


def _first(
    view: View, moment: Moment, crowds: Mapping[str, Crowd], sockets: Mapping[bytes, int]
) -> tuple[list[bytes], Nearest]:
    """Give who is shown, and the limits that they are nearest to."""
    most, known, now = view.most, moment.known, moment.now
    if view.order is Order.LIMIT and known:
        return first_by_limit(crowds, sockets.keys(), known.gauge, most, now)
    if view.order is Order.SOCKETS:
        keys = first_by_sockets(sockets, most)
    else:
        keys = first_by_address(sockets.keys(), most)
    return keys, known.gauge.nearest(crowds, frozenset(keys), now) if known else {}


def _split(items: Iterable[Counted], names: Names) -> tuple[Counter[State], Counter[str]]:
    """Count by state and by service; a port of several services counts for each."""
    states, services = Counter[State](), Counter[str]()
    for (_, state, port, _), number in items:
        states[State(state)] += number
        for name in called(port, names):
            services[name] += number
    return states, services


def _row(
    moment: Moment, key: bytes, split: tuple[Counter[State], Counter[str]], case: Case | None
) -> Row:
    source, known, now = source_of(key, HOST), moment.known, moment.now
    states, services = split
    line = source.prefix
    is_spared = known.is_spared(line, now) if known else False
    return Row(
        source=source,
        sockets=states.total(),
        states=_most_first(states),
        services=_most_first(services),
        who=known.who(line, now) if known else "",
        is_spared=is_spared,
        nearest=_nearness(case) if case and not is_spared else None,
        ban=max(
            (ban for ban in moment.kept_out.covering(line) if ban.rest(now)),
            key=lambda ban: ban.rest(now),
            default=None,
        ),
    )


def _most_first(counts: Counter[T]) -> dict[T, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _nearness(case: Case) -> Nearness:
    return Nearness(
        rule=case.rule.name,
        judged=case.source,
        count=case.count,
        limit=case.limit,
        is_watched_only=case.rule.mode is Mode.OBSERVE,
    )
