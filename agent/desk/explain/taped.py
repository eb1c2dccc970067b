"""What a tape tells of one source. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from agent.decide.weigh import Scales, narrowed, neighbourhood
from agent.desk.explain.present import counts_of
from agent.desk.explain.values import Above, Peak, Taped
from agent.model.address import HOST, Prefix, overlaps
from agent.model.frame import Frame
from agent.model.policy import Policy


def told_by(frames: Iterable[Frame], prefix: Prefix, policy: Policy) -> Taped:
    """Sum up what recorded moments tell of a prefix, judged by the policy in force now.

    Args:
        frames: Oldest first; each is looked at once.
        prefix: Who.
        policy: Whose limits, whatever was in force then.
    """
    wide, scales, told = neighbourhood(prefix, policy), Scales(policy), Taped()
    for frame in frames:
        told = _with_frame(told, frame)
        near = replace(frame, inputs=narrowed(frame.inputs, wide))
        if any(near.inputs.sample.tallies.values()):
            told = _with_rows(told, near, prefix, scales)
    return told


def _with_frame(told: Taped, frame: Frame) -> Taped:
    floors = [rest.floor for rest in frame.rest if rest.width == HOST]
    return replace(
        told,
        frames=told.frames + 1,
        begins=told.begins or frame.at,
        ends=frame.at,
        floor=max(told.floor, *floors, 0),
    )


def _with_rows(told: Taped, near: Frame, prefix: Prefix, scales: Scales) -> Taped:
    """Add a moment in which somebody of the neighbourhood was kept."""
    at, peaks, above = near.at, dict(told.peaks), dict(told.above)
    counts = counts_of(near.inputs.sample, prefix, scales.policy)
    for place, count in counts.items():
        if place not in peaks or count > peaks[place].count:
            peaks[place] = Peak(count=count, at=at)
    over: dict[str, int] = {}
    for case in scales.cases(near.inputs, at):
        if case.is_above and overlaps(case.source.prefix, prefix):
            over[case.rule.name] = max(case.count, over.get(case.rule.name, 0))
    for name, count in over.items():
        above[name] = _once_more(above.get(name), Peak(count=count, at=at))
    told = replace(told, peaks=peaks, above=above)
    if not counts:
        return told
    return replace(told, seen=told.seen + 1, first=told.first or at, last=at)


def _once_more(before: Above | None, now: Peak) -> Above:
    if before is None:
        return Above(cycles=1, first=now.at, last=now.at, most=now)
    most = now if now.count > before.most.count else before.most
    return replace(before, cycles=before.cycles + 1, last=now.at, most=most)
