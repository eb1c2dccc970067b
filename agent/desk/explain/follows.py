"""What follows from a rule, in words."""

from agent.decide.weigh import Weight
from agent.desk.explain.values import Ruling
from agent.model.policy import Answer, Mode, Rule, Scope
from agent.model.verdict import Finding
from agent.record.phrases import counted, duration, printable

_ACTS = frozenset({Finding.BAN, Finding.THROTTLE, Finding.OBSERVED})


def follows(ruling: Ruling) -> str:
    """Say what follows for a source, now or once it has lasted."""
    weight = ruling.weight
    if not weight.is_above:
        return "below the limit"
    if weight.finding is None:
        return f"from {counted(weight.hosts, 'host')}, {weight.rule.members} needed"
    return _of(ruling, weight.finding)


def _of(ruling: Ruling, finding: Finding) -> str:
    weight = ruling.weight
    if finding in _ACTS:
        return f"{_lasting(ruling)}{_action(weight)}"
    if finding is Finding.EXEMPT:
        return f"exempt: {_by_whom(weight)}"
    if finding is Finding.PENDING:
        names = ", ".join(one.name for one in weight.grant.may_be)
        who = f", it may be {names}" if names else ""
        return f"its name is asked for first{who}; else {_action(weight)}"
    if finding is Finding.UNPROVEN:
        return _unproven(weight)
    return _WORDS.get(finding, finding.value)


_WORDS = {
    Finding.HELD: "banned already",
}


def _unproven(weight: Weight) -> str:
    """Say why half-open connections are no ground to act."""
    if weight.is_proven:
        return "unproven: half-open connections may be forged, and it was ESTABLISHED lately"
    service = weight.rule.service.name
    return (
        f"unproven: nobody may stand behind half-open connections; while SYNs press {service} "
        f"it is {_action(weight)}"
    )


def _lasting(ruling: Ruling) -> str:
    """Say how far it is sustained, and how far it has to be."""
    weight, sustained = ruling.weight, ruling.weight.rule.sustained
    if ruling.samples and weight.above >= sustained.times:
        return f"above in {weight.above} of the last {ruling.samples} samples: "
    if ruling.samples:
        return (
            f"above in {weight.above} of the last {ruling.samples} samples, "
            f"{sustained.times} needed, then "
        )
    if sustained.times == 1:
        return ""
    return f"once above in {sustained.times} of {sustained.of} samples "


def _action(weight: Weight) -> str:
    rule = weight.rule
    done = f"{_done(rule)} for {duration(weight.lasts.total_seconds())}"
    if weight.lasts > rule.lasts:
        done += f" (a first one {duration(rule.lasts.total_seconds())})"
    is_shadow = rule.mode is Mode.OBSERVE
    return f"it would be {done}, but the rule only observes" if is_shadow else done


def _done(rule: Rule) -> str:
    where = rule.service.name if rule.scope is Scope.SERVICE else "this host"
    if rule.answer is Answer.DROP:
        return f"banned from {where}"
    rate = rule.rate
    each = f" to {rate.count} per {duration(rate.per.total_seconds())}" if rate else ""
    return f"throttled at {where}{each}"


def _by_whom(weight: Weight) -> str:
    if weight.grant.guard is not None:
        return printable(weight.grant.guard)
    entry = weight.grant.entry
    return f"allowlist entry {entry.name}, {entry.declared_at}" if entry else "spared"
