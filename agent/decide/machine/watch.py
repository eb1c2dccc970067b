"""What is going on at the machine as a whole: pressure of SYNs, floods, a proxy in front."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.decide.case import Case
from agent.decide.machine.advice import Ground, flood_advice, slow_advice
from agent.decide.machine.flood import Episodes, Scene, Signs, Step, course, news, step_of
from agent.decide.machine.pressure import (
    growth,
    half_open_of,
    places_of,
    pressed_ports,
    slow_ports,
)
from agent.decide.machine.proxy import Front, front_after, is_attack
from agent.model.alarm import Alarm, Flood, Slow
from agent.model.inputs import Counters, Inputs
from agent.model.policy import Policy

UNANSWERED_A_SECOND = 20
"""Cookies that nobody answers: port scanners leave one now and then."""

UNTOLD = ""
"""The place of a flood that leaves nothing behind which tells where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered of it.

    Attributes:
        at: The last moment.
        counters: The kernel's, as of then.
        floods: Where SYNs press.
        slow: Where an application accepts too slowly.
        pressed: Names of the services that are under pressure of SYNs.
        front: Who may stand in front of this machine.
    """

    at: datetime | None = None
    counters: Counters = field(default_factory=dict)
    floods: Episodes = field(default_factory=dict)
    slow: Episodes = field(default_factory=dict)
    pressed: frozenset[str] = frozenset()
    front: Front = field(default_factory=Front)


def watched(
    watch: Watch, inputs: Inputs, policy: Policy, cases: Sequence[Case], now: datetime
) -> tuple[Watch, tuple[Alarm, ...]]:
    """Go on watching, and give what began or ended.

    Args:
        watch: What was remembered.
        inputs: The moment.
        policy: In force.
        cases: Who is near or above a limit.
        now: The moment.
    """
    grown = growth(watch.counters, inputs.counters)
    step = step_of(watch.at, now, policy.every, grown)
    is_quiet = inputs.counters and not any(grown.values())
    scene = Scene(
        half_open={} if is_quiet else half_open_of(inputs.sample),
        sample=inputs.sample,
        listeners=inputs.listeners,
    )
    floods = course(watch.floods, _pressed(watch, step, inputs, policy, scene), step, scene)
    slow = course(watch.slow, _places(slow_ports(grown, inputs), policy), step, scene)
    pressed = frozenset(place for place, one in floods.items() if one.is_held(step))
    is_loud = bool(pressed) or is_attack(cases)
    front, behind = front_after(watch.front, inputs, policy, now, is_loud=is_loud)
    after = Watch(
        at=now,
        counters=inputs.counters,
        floods=floods,
        slow=slow,
        pressed=pressed,
        front=front,
    )
    return after, (
        *(_flood(Ground(one, inputs, policy)) for one in news(watch.floods, floods)),
        *(_slow(Ground(one, inputs, policy)) for one in news(watch.slow, slow)),
        *behind,
    )


def _pressed(watch: Watch, step: Step, inputs: Inputs, policy: Policy, scene: Scene) -> Signs:
    """Give where SYNs press at this moment."""
    ports = pressed_ports(step.grown, inputs, scene.half_open)
    if ports or any(watch.floods):
        return _places(ports, policy)
    sent = step.grown.get("SyncookiesSent", 0)
    unanswered = sent - step.grown.get("SyncookiesRecv", 0)
    is_many = unanswered > UNANSWERED_A_SECOND * step.elapsed.total_seconds()
    return {UNTOLD: frozenset()} if is_many and unanswered * 2 > sent else {}


def _places(ports: frozenset[int], policy: Policy) -> Signs:
    return places_of(ports, {one.name: one.ports for one in policy.services}) if ports else {}


def _flood(ground: Ground) -> Flood:
    news, figures = ground.news, ground.news.figures
    return Flood(
        service=news.place,
        half_open=figures.half_open,
        sources=figures.sources,
        networks=figures.networks,
        heaviest=figures.heaviest,
        counters=_grown(news.episode.grown),
        lasted=news.episode.lasted,
        advice=() if news.is_over else flood_advice(ground),
        is_over=news.is_over,
    )


def _slow(ground: Ground) -> Slow:
    news = ground.news
    return Slow(
        service=news.place,
        waiting=news.figures.waiting,
        backlog=news.figures.backlog,
        counters=_grown(news.episode.grown),
        lasted=news.episode.lasted,
        advice=() if news.is_over else slow_advice(ground),
        is_over=news.is_over,
    )


def _grown(counters: Counters) -> Counters:
    return {name: count for name, count in counters.items() if count}
