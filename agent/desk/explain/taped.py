"""What a tape tells of one source. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from agent.decide import Memory
from agent.decide.weigh import Scales, scales_for, widest_of
from agent.desk.explain.present import counts_of
from agent.desk.explain.values import Above, Counts, Peak, Taped
from agent.model.address import HOST, Prefix, holder
from agent.model.frame import Frame
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Tally

_REMEMBERED = 65_536
"""Addresses."""


def told_by(frames: Iterable[Frame], prefix: Prefix, policy: Policy) -> Taped:
    """Sum up what recorded moments tell of a prefix, judged by the policy in force now.

    Args:
        frames: Oldest first; each is looked at once.
        prefix: Who.
        policy: Whose limits, whatever was in force then.
    """
    told, scales = Taped(), scales_for(prefix, policy, Memory())
    # Who comes again in the next moment is looked up, not worked out again.
    holds = lru_cache(_REMEMBERED)(holder(widest_of(scales)))
    for each in frames:
        told = _with_frame(told, each)
        tally = each.inputs.sample.tallies.get(SOCKETS, {})
        rows = {key: count for key, count in tally.items() if holds(key[0], key[3])}
        if rows:
            frame = _with_rows(each, rows)
            told = _with_counts(told, frame, counts_of(frame.inputs.sample, prefix, policy))
            told = _with_cases(told, frame, scales)
    return told


def _with_rows(frame: Frame, rows: Tally) -> Frame:
    sample = replace(frame.inputs.sample, tallies={SOCKETS: rows})
    return replace(frame, inputs=replace(frame.inputs, sample=sample))


def _with_frame(told: Taped, frame: Frame) -> Taped:
    floors = [rest.floor for rest in frame.rest if rest.width == HOST]
    return replace(
        told,
        frames=told.frames + 1,
        begins=told.begins or frame.at,
        ends=frame.at,
        floor=max(told.floor, *floors, 0),
    )


def _with_counts(told: Taped, frame: Frame, counts: Counts) -> Taped:
    """Add what the source held in a moment in which it was kept."""
    if not counts:
        return told
    peaks = dict(told.peaks)
    for place, count in counts.items():
        if place not in peaks or count > peaks[place].count:
            peaks[place] = Peak(count=count, at=frame.at)
    return replace(
        told, peaks=peaks, seen=told.seen + 1, first=told.first or frame.at, last=frame.at
    )


def _with_cases(told: Taped, frame: Frame, scales: Iterable[Scales]) -> Taped:
    """Add by which rules it was above a limit."""
    over: dict[str, int] = {}
    for one in scales:
        for case in one.above(frame.inputs, frame.at):
            over[case.rule.name] = max(case.count, over.get(case.rule.name, 0))
    if not over:
        return told
    above = dict(told.above)
    for name, count in over.items():
        above[name] = _once_more(above.get(name), Peak(count=count, at=frame.at))
    return replace(told, above=above)


def _once_more(before: Above | None, now: Peak) -> Above:
    if before is None:
        return Above(cycles=1, first=now.at, last=now.at, most=now)
    most = now if now.count > before.most.count else before.most
    return replace(before, cycles=before.cycles + 1, last=now.at, most=most)
