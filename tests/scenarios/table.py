"""The results in docs/scenarios.md, which ``./dev bench scenarios`` writes below its prose."""

from collections.abc import Iterable, Sequence

from tests.scenarios.group import Group, Role
from tests.scenarios.happened import Outcome
from tests.scenarios.witness import BANS_FROM

PAGE = "docs/scenarios.md"
MARK = "<!-- results, by ./dev bench scenarios -->"

_TOLD = (
    "agent.degraded",
    "breaker.closed",
    "breaker.opened",
    "flood.ended",
    "flood.suspected",
    "identify.recovered",
    "identify.troubled",
    "tape.recovered",
    "tape.troubled",
    "proxy.suspected",
    "set.filling",
    "set.full",
    "source.exempt",
    "sources.summary",
)
"""Events that say something about a scene."""


def page(before: str, outcomes: Sequence[Outcome], about: str) -> str:
    """Write the page anew.

    Args:
        before: The page as it is; what stands above the mark stays.
        outcomes: Of all scenes.
        about: The machine and the day, in a line.
    """
    ordered = sorted(outcomes, key=lambda one: one.scene.name)
    prose = before.partition(MARK)[0]
    results = (MARK, "", about, "", *_summary(ordered), "", *_table(ordered), "")
    return prose + "\n".join(results)


def _summary(outcomes: Sequence[Outcome]) -> Iterable[str]:
    live = sum(one.scene.live is not None for one in outcomes)
    failed = sum(bool(one.failures) for one in outcomes)
    innocent = sum(_sources(one, Role.INNOCENT, Role.FORGED) for one in outcomes)
    guilty = sum(_sources(one, Role.GUILTY) for one in outcomes)
    yield (
        f"{len(outcomes)} scenes, {live} of them live; {failed} failed. "
        f"{innocent:,} innocent sources, {guilty:,} guilty ones."
    )
    for program in BANS_FROM:
        banned, missed = (sum(one.rivals[program][at] for one in outcomes) for at in (0, 1))
        hurt = sum(bool(one.rivals[program][0]) for one in outcomes)
        blind = sum(bool(one.rivals[program][1]) for one in outcomes)
        yield (
            f"The rule of {program} bans {banned:,} innocent sources in {hurt} scenes, "
            f"and misses {missed:,} guilty ones in {blind}."
        )


def _table(outcomes: Sequence[Outcome]) -> Iterable[str]:
    first = ("scene", "what happens", "played", "innocent", "guilty", "stopped within", "told")
    yield f"| {' | '.join((*first, *BANS_FROM))} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    yield from map(_row, outcomes)


def _row(outcome: Outcome) -> str:
    scene = outcome.scene
    guilty = _sources(outcome, Role.GUILTY)
    within = f"{outcome.worst} cycles, {outcome.allowed} allowed" if guilty else "-"
    cells = (
        f"[{scene.name}](../tests/scenarios/{scene.name}/scene.yaml)",
        scene.title,
        "series" if scene.live is None else f"live, {scene.live.firewall}",
        f"{_sources(outcome, Role.INNOCENT, Role.FORGED):,}",
        f"{guilty:,}",
        f"FAILED: {outcome.failures[0]}" if outcome.failures else within,
        ", ".join(name for name in _TOLD if name in outcome.told),
        *("[{}, {}]".format(*outcome.rivals.get(program, (0, 0))) for program in BANS_FROM),
    )
    return f"| {' | '.join(cells)} |"


def _sources(outcome: Outcome, *roles: Role) -> int:
    groups: Iterable[Group] = (group for _, group in outcome.scene.of_role(*roles))
    return len({address for group in groups for address in group.addresses})
