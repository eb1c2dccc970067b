"""Rules that ban nobody whom another rule does not ban as soon, as long and as far.

Why that is certain of a rule A and another one B, both of them acting, with `per` alike:

* *Counts.* B counts the same measure over A's ports and states and perhaps more, and asks
  for no more members. So of each source it counts at least as much, and its limit is no
  higher: whenever A's is passed, so is B's.
* *Grants.* The same allowlist entries and guards hold for both, or neither: the services of
  the two share ports with the same services. So the same members are judged apart, with
  the same patience, and what an identity could still change for B it could change for A.
* *Sustained.* Where A finds a of its last m samples above, B finds at least a - (m - n) of its
  last n if that is fewer, and else a: that is enough for B.
* *What is done.* B's ban covers all that A's would, by the same test as a ban that is held
  (`decide/bans/court.py`): the same service, or the host with it. So A finds its ban held.
* *For how long.* B's first ban is no shorter, and its escalation grows as fast, as far, and
  looks back as long.
* *Caps.* Count over limit is at least as high for B, so it is heavy to the breaker and to
  the caps wherever A is, and comes first.
* *Half-open.* Such rules throttle, so they are of scope service and have the same service,
  which is pressed or not for both.
"""

from collections.abc import Iterator

from agent.model.caution import Caution
from agent.model.policy import Answer, Mode, Policy, Rule, Scope
from agent.policy.cautions.needless import MOST


def shadow_cautions(policy: Policy) -> Iterator[Caution]:
    """Tell of them; of two alike it is the later."""
    acting = [rule for rule in policy.rules if rule.mode is Mode.ENFORCE]
    if len(acting) > MOST:
        return
    shadowed: set[str] = set()
    for rule in reversed(acting):
        for other in acting:
            is_left = other is not rule and other.name not in shadowed
            if is_left and _shadows(other, rule, policy):
                shadowed.add(rule.name)
                yield _caution(rule, other)
                break


def _caution(rule: Rule, other: Rule) -> Caution:
    done = "bans" if rule.answer is Answer.DROP else "slows down"
    return Caution(
        kind="shadowed",
        about=("rules", rule.name),
        problem=f"{rule.name} {done} nobody whom {other.name} does not as soon and for as long, "
        f"above {other.limit}: remove it, or let it ask for something else",
    )


def _shadows(other: Rule, rule: Rule, policy: Policy) -> bool:
    return (
        _counts_as_much(other, rule)
        and _is_granted_alike(other, rule, policy)
        and _fires_as_soon(other, rule)
        and _does_as_much(other, rule, policy)
        and _lasts_as_long(other, rule)
    )


def _counts_as_much(other: Rule, rule: Rule) -> bool:
    return (
        other.measure == rule.measure
        and other.per == rule.per
        and other.states >= rule.states
        and other.service.ports >= rule.service.ports
        and other.limit <= rule.limit
        and other.members <= rule.members
    )


def _is_granted_alike(other: Rule, rule: Rule, policy: Policy) -> bool:
    """Whether whatever names services holds for both of these, or for neither."""
    if other.service == rule.service:
        return True
    groups = [entry.services for entry in policy.allowlist if entry.services]
    groups.append(frozenset(one.name for one in policy.services if one.is_ssh))
    touched = map(policy.touched, groups)
    return all((other.service.name in one) == (rule.service.name in one) for one in touched)


def _fires_as_soon(other: Rule, rule: Rule) -> bool:
    unseen = max(0, rule.sustained.of - other.sustained.of)
    return other.sustained.times <= rule.sustained.times - unseen


def _does_as_much(other: Rule, rule: Rule, policy: Policy) -> bool:
    if other.answer is not rule.answer or not _is_as_slow(other, rule):
        return False
    if other.scope is Scope.SERVICE:
        return rule.scope is Scope.SERVICE and other.service.name == rule.service.name
    # A ban of the host leaves ssh open unless its rule is about ssh.
    ssh = policy.touched(one.name for one in policy.services if one.is_ssh)
    return other.service.is_ssh or not (rule.service.is_ssh or rule.service.name in ssh)


def _is_as_slow(other: Rule, rule: Rule) -> bool:
    """Whether a throttle lets no more through, in a burst or over time."""
    if other.rate is None or rule.rate is None:
        return other.rate is rule.rate
    return other.rate.count <= rule.rate.count and other.rate.per >= rule.rate.per


def _lasts_as_long(other: Rule, rule: Rule) -> bool:
    ours, theirs = rule.escalation, other.escalation
    return (
        other.lasts >= rule.lasts
        and theirs.times >= ours.times
        and theirs.up_to >= ours.up_to
        and theirs.within >= ours.within
    )
