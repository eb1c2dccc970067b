"""How long a source has been near a limit, and what of it is news.

Told once an episode: a source that swings around its limit is one line, not one
a sample. An episode ends after as many quiet samples as the rule looks back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from agent.decide.count import counted, rows_of
from agent.decide.memory import Track
from agent.model.policy import Rule
from agent.model.sample import Tally
from agent.model.verdict import Finding, Verdict

Tracks: TypeAlias = Mapping[Rule, Mapping[bytes, Track]]
Named: TypeAlias = Mapping[str, Mapping[bytes, Track]]
"""Tracks by the names of the rules of one policy."""

_TOLD_BY_THE_BAN = frozenset({Finding.BAN, Finding.THROTTLE, Finding.HELD})


def samples_after(track: Track | None, rule: Rule, *, above: bool) -> int:
    """Give the rule's last samples of a source, this one included, as bits."""
    before = track.samples if track else 0
    return (before << 1 | above) & ((1 << rule.sustained.of) - 1)


def is_news(track: Track | None, finding: Finding) -> bool:
    """Whether a finding has not been told in this episode, by itself or by a ban's event."""
    return track is None or (finding not in track.told and finding not in _TOLD_BY_THE_BAN)


def tracks_after(
    tracks: Named, verdicts: Iterable[tuple[bytes, int, Verdict]], rules: Sequence[Rule]
) -> dict[Rule, dict[bytes, Track]]:
    """Give the tracks after this sample.

    Args:
        tracks: Those before it.
        verdicts: This sample's: key, last samples as bits, verdict.
        rules: The policy's; what other rules remembered is forgotten.
    """
    after: dict[str, dict[bytes, Track]] = {
        rule.name: {
            key: replace(
                track,
                samples=samples_after(track, rule, above=False),
                quiet=track.quiet + 1,
            )
            for key, track in tracks[rule.name].items()
            if track.quiet + 1 < rule.sustained.of
        }
        for rule in rules
    }
    for key, samples, verdict in verdicts:
        before = tracks[verdict.rule.name].get(key)
        told = (before.told if before else frozenset[Finding]()) | {verdict.finding}
        after[verdict.rule.name][key] = Track(samples, 0, told, verdict)
    return {rule: after[rule.name] for rule in rules}


def ended(before: Tracks, after: Tracks, tally_of: Mapping[str, Tally]) -> Iterator[Verdict]:
    """Give the last verdict of each episode that ended, with the count of now."""
    for rule, tracks in before.items():
        # Of a rule that was changed or removed nothing ends: the source may be where it was.
        gone = tracks.keys() - after[rule].keys() if rule in after else None
        if not gone:
            continue
        rows = rows_of(tally_of.get(rule.measure.tally, {}), rule.per, gone)
        for key in gone:
            count = sum(row.number for row in counted(rows.get(key, ()), rule))
            yield replace(tracks[key].last, count=count, above=0)
