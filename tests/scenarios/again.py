"""Whether what a scene's agent recorded, replayed, comes to what that agent told.

All that an agent tells of sources, bans and the breaker has to come again: the same verdict
of the same source by the same rule, with the same count, at the same moment.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, TypeAlias

from agent.desk.replay.run import Run, replay
from agent.identify.vendors import read_vendors
from agent.model.frame import Frame
from agent.model.policy import Policy
from agent.record.events import Event, rfc3339
from tests.scenarios.scene import Scene

JUDGED = frozenset(
    {
        "ban.planned",
        "breaker.closed",
        "breaker.opened",
        "source.back_below",
        "source.exempt",
        "source.over_limit",
        "sources.summary",
    }
)
"""Events that come from the judgement alone. Others depend on a firewall, or on commands."""

Told: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""When, what, and its fields."""

_SHOWN_AT_MOST = 5


def is_repeated(scene: Scene) -> bool:
    """Whether a scene has only what a replay repeats: one policy, no person, a tape to be read.

    Neighbours are joined by whoever else is in their network, and a tape does not keep the
    light ones.
    """
    has_own_disk = scene.live is not None and scene.live.small_disk
    is_joined = scene.folder.name == "attacker-fills-networks"
    return not (has_own_disk or is_joined or any(one.policy or one.unban for one in scene.then))


def differences(frames: Iterable[Frame], policy: Policy, told: Sequence[Told]) -> Iterator[str]:
    """Give where a replay under the policy of then tells something else; the first few."""
    again: list[Told] = []

    def write(event: Event, now: datetime, _cycle: int) -> None:
        again.extend(told_by({"event": event.name, **event.fields}, rfc3339(now)))

    replay(frames, [Run(policy, read_vendors(), write=write)])
    different = [
        f"told {then}, replayed {now}" for then, now in zip_longest(told, again) if then != now
    ]
    for text in different[:_SHOWN_AT_MOST]:
        yield f"its tape replays otherwise: {text}"


def told_by(event: dict[str, Any], at: str) -> Iterator[Told]:
    """Give what of an event has to come again; nothing of the others.

    How few sockets a source has left that is back below is not kept, once it is below the floor.
    """
    if event["event"] in JUDGED:
        head = {"event", "timestamp", "level", "mode", "cycle", "firewall"}
        head |= {"count"} if event["event"] == "source.back_below" else set()
        fields = sorted(
            (name, json.dumps(value)) for name, value in event.items() if name not in head
        )
        yield at, event["event"], tuple(fields)
