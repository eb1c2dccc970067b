"""Rules for this machine, out of what is normal on it, and what they would have done.

A limit is twice what nearly every source, and every known client, ever held: so a rule bans
only what stands far out. Whether that was an attack, the operator sees by whom it hits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from agent.desk.norms.norm import Norm, Norms, Peak
from agent.desk.norms.who import Who
from agent.desk.replay.fit import fits
from agent.desk.replay.journal import Outcome
from agent.desk.replay.run import Run
from agent.model.address import HOST
from agent.model.frame import Frame
from agent.model.policy import Policy, Rule
from agent.policy import PolicyText, parse_policy

FACTOR = 2
LEAST = 20
"""A limit that a single browser with a few tabs does not reach."""

_TWO_DIGITS = 100

MEMBERS = 8
"""Of a wide rule: fewer hosts are no crowd, and are judged one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a source.

    Attributes:
        peak: Its largest count.
        who: What it is, in some words each; empty where nothing is known.
    """

    peak: Peak
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One subject, and the rule for it.

    Attributes:
        norm: What is normal.
        top: The sources with the largest counts.
        rule: To be pasted, under ``rules:``.
    """

    norm: Norm
    top: tuple[Known, ...]
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """All of them.

    Attributes:
        each: By subject.
        outcome: What the rules, all together and beside nothing else, would have done; None
            where nothing was recorded.
        skipped: Cycles that are left out of that: a crowd had raised their floor above a limit.
    """

    each: tuple[Suggestion, ...]
    outcome: Outcome | None
    skipped: int = 0


def suggest(frames: Callable[[], Iterable[Frame]], policy: Policy) -> Suggestions:
    """Look at moments twice: for what is normal, and for what the rules would have done.

    Args:
        frames: Gives the moments, from the first on, each time it is called.
        policy: Its services are looked at, by the widths of its rules; its allowlist holds.
    """
    norms = Norms(policy)
    for frame in frames():
        norms.take(frame)
    each = tuple(
        Suggestion(
            norm=norm,
            top=tuple(_known(norms.who, norm, peak) for peak in norm.top),
            rule=rule_text(norm, limit_of(norm)),
        )
        for norm in norms.norms()
    )
    if not each:
        return Suggestions(each=(), outcome=None)
    tried = replace(policy, rules=rules_of(policy, (one.rule for one in each)))
    run, skipped = Run(tried), 0
    for frame in frames():
        if fits(tried, frame):
            run.play(frame)
        else:
            skipped += 1
    return Suggestions(each=each, outcome=run.journal.outcome(), skipped=skipped)


def limit_of(norm: Norm) -> int:
    """Give a limit far above what is normal, and never below the floor; of two digits."""
    wanted = max(LEAST, norm.floor, FACTOR * max(norm.spread.p999, norm.known_most))
    step = 1
    while wanted > _TWO_DIGITS * step:
        step *= 10
    return -(-wanted // step) * step


def rule_text(norm: Norm, limit: int) -> str:
    """Write the rule as a policy has it."""
    measure, is_wide = norm.measure, norm.width != HOST
    name = f"{norm.service.name}-{measure.name.replace('_', '-')}"
    lines = [
        f"- name: {name}-suggested{f'-{norm.width.ipv4}' if is_wide else ''}",
        f"  service: {norm.service.name}",
        f"  count: {measure.name}",
        f"  above: {limit}",
        *([f"  per: {norm.width}", f"  members: {MEMBERS}"] if is_wide else []),
        *([] if measure.proves else ["  throttle: 1/s"]),
    ]
    return "\n".join(lines)


def rules_of(policy: Policy, texts: Iterable[str]) -> tuple[Rule, ...]:
    """Read rules as the policy's own files would be read, with its services.

    Raises:
        PolicyError: A text is no rule.
    """
    services = (
        f"  {one.name}: {{ports: [{', '.join(map(str, sorted(one.ports)))}]}}"
        for one in policy.services
    )
    rules = (f"  {line}" for text in texts for line in text.split("\n"))
    text = "\n".join(("version: 1", "services:", *services, "rules:", *rules, ""))
    return parse_policy((PolicyText(file="suggested", folder="/", raw=text.encode()),)).rules


def _known(who: Who, norm: Norm, peak: Peak) -> Known:
    words = tuple(who.words(peak.source, norm.service.name))
    return Known(peak=peak, who=(*words, *(("a known client",) if peak.is_known else ())))
