"""Ten thousand generated policies: right ones mean what was meant, and no nonsense is taken."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PolicyError
from agent.model.policy import AllowEntry, Policy, Rule
from agent.policy import PolicyText, parse_policy
from tests.policy.language import Meant, right
from tests.policy.oracle import Nonsense, understood
from tests.policy.spelling import mutated, written

DAMAGE = (b"", b"\t", b": ", b"[", b'"', b"\xff", b"#", b"\x1b[2J", b"- ", b"\n")


def parse(raw: bytes) -> Policy | PolicyError:
    try:
        return parse_policy((PolicyText(file="p.yaml", folder="/", raw=raw),))
    except PolicyError as error:
        return error


def meaning(policy: Policy) -> Meant:
    """Give a policy in the plain values that the language has."""
    return Meant(
        every_s=policy.every.total_seconds(),
        services={one.name: set(one.ports) for one in policy.services},
        entries=[_entry(one) for one in policy.allowlist],
        rules=[_rule(one) for one in policy.rules],
        max_bans=policy.safety.max_bans,
    )


def _entry(entry: AllowEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind.value,
        "patience": entry.patience,
        "prefixes": entry.prefixes,
        "names": entry.names,
        "services": entry.services,
        "until": entry.until,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "service": rule.service.name,
        "measure": rule.measure.name,
        "limit": rule.limit,
        "states": {state.name for state in rule.states},
        "per": (rule.per.ipv4, rule.per.ipv6),
        "members": rule.members,
        "mode": rule.mode.value,
        "scope": rule.scope.value,
        "lasts_s": rule.lasts.total_seconds(),
        "rate": (rule.rate.count, rule.rate.per.total_seconds()) if rule.rate else None,
        "sustained": (rule.sustained.times, rule.sustained.of),
    }


def oracle(tree: dict[str, Any]) -> Meant | None:
    try:
        return understood(tree)
    except Nonsense:
        return None


def assert_told_well(error: PolicyError, raw: bytes) -> None:
    lines = raw.count(b"\n") + raw.count(b"\r") + 2
    for fault in error.faults:
        assert str(fault).startswith("p.yaml:")
        assert str(fault).isprintable()
        assert 0 <= fault.line <= lines
        assert fault.problem


@settings(max_examples=10_000, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 2**64 - 1))
def test_what_is_right_means_what_was_meant_and_nonsense_is_refused(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - no secret
    drawn = right(rng)
    is_right = rng.random() < 0.3
    tree = drawn.tree if is_right else mutated(rng, drawn.tree)
    raw = written(rng, tree).encode()

    found, meant = parse(raw), oracle(tree)

    if is_right:
        assert meant == drawn.meant
    if meant is None:
        assert isinstance(found, PolicyError), raw.decode()
        assert_told_well(found, raw)
    else:
        assert isinstance(found, Policy), f"{found}\n{raw.decode()}"
        assert meaning(found) == meant


@settings(max_examples=1_000, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 2**64 - 1))
def test_a_text_that_was_damaged_gives_a_policy_or_faults(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - no secret
    raw = bytearray(written(rng, right(rng).tree).encode())
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(raw))
        raw[at : at + rng.choice([0, 1, 5])] = rng.choice(
            [b"", b"\t", b": ", b"[", b'"', b"\xff", b"#"]
        )

    found = parse(bytes(raw))

    if isinstance(found, PolicyError):
        assert_told_well(found, bytes(raw))
    else:
        assert found.rules
