"""Whether what a scene's agent recorded, replayed, comes to what that agent told.

All that an agent tells of sources, bans and the breaker has to come again: the same verdict
of the same source by the same rule, with the same count, at the same moment.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from agent.desk.replay.run import Run, replay
from agent.identify.vendors import read_vendors
from agent.model.policy import Policy
from agent.record.events import Event, rfc3339
from agent.record.tape.reader import read_tape
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a scene's agent recorded, and what it told.

    Attributes:
        policy: In force.
        pieces: The files of the tape, by name.
        told: All that has to come again, in its order.
    """

    policy: Policy
    pieces: Mapping[str, bytes]
    told: Sequence[Told]


def recorded(tape: Path, policy: Policy, told: Iterable[Told]) -> Recorded:
    """Keep a tape over the end of its folder."""
    pieces = {one.name: one.read_bytes() for one in tape.iterdir()} if tape.is_dir() else {}
    return Recorded(policy=policy, pieces=pieces, told=tuple(told))


def differences(found: Recorded, folder: Path) -> list[str]:
    """Give where a replay under the policy of then tells something else; the first few.

    Args:
        found: What was recorded.
        folder: An empty one for the tape.
    """
    again: list[Told] = []

    def write(event: Event, now: datetime, _cycle: int) -> None:
        again.extend(told_by({"event": event.name, **event.fields}, rfc3339(now)))

    for name, content in found.pieces.items():
        (folder / name).write_bytes(content)
    replay(read_tape(folder), [Run(found.policy, read_vendors(), write=write)])
    return [
        f"told {then}, replayed {now}"
        for then, now in zip_longest(found.told, again)
        if then != now
    ][:_SHOWN_AT_MOST]


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
