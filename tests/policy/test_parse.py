"""Whatever stands in a file, it gives a policy or faults with their places."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.errors import PolicyError
from agent.model.policy import Policy
from agent.policy import PolicyText, parse_policy

ROOT = Path(__file__).parents[2]
SEEDS = [
    (ROOT / "tests/corpus/good/design.yaml").read_bytes(),
    *(path.read_bytes() for path in sorted((ROOT / "policies").glob("*.yaml"))),
]
SNIPPETS = [
    *(b"[", b"]", b"{", b"}", b": ", b"- ", b",", b"\n", b"  ", b"\t", b"#", b"'", b'"', b"&a "),
    *(b"*a", b"!!int ", b"? ", b"---\n", b"...\n", b"%YAML 2.0\n", b"|", b">", b"\x00", b"\xff"),
    *(b"\x1b[2J", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"9" * 5000, b"0", b"-1", b"host", b"none"),
    *(b"manual", b"exempt", b"SYN_RECV", b"half_open", b"rules:\n", b"<<: ", b"::1", b"~", b"1/s"),
]


def outcome(raw: bytes) -> Policy | PolicyError:
    try:
        return parse_policy((PolicyText(file="p.yaml", folder="/", raw=raw),))
    except PolicyError as error:
        return error


def mutated(seed: bytes, rng: random.Random) -> bytes:
    lines = seed.splitlines(keepends=True)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[at]
                lines = lines or [b"\n"]
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2:
                lines[at] = b" " * rng.randint(0, 8) + lines[at].lstrip()
            case 3:
                cut = rng.randint(0, len(lines[at]))
                lines[at] = lines[at][:cut] + rng.choice(SNIPPETS) + lines[at][cut:]
            case 4:
                key, colon, _ = lines[at].partition(b":")
                lines[at] = key + colon + b" " + rng.choice(SNIPPETS) + b"\n"
            case _:
                cut = rng.randint(0, len(lines[at]))
                lines[at] = lines[at][:cut]
    return b"".join(lines)


def assert_sound(raw: bytes) -> None:
    told = outcome(raw)
    if isinstance(told, Policy):
        assert told.rules
        return
    lines = raw.count(b"\n") + raw.count(b"\r") + 2
    assert told.faults
    assert len(set(told.faults)) == len(told.faults)
    places = [(fault.line, fault.column) for fault in told.faults]
    assert places == sorted(places)
    for fault in told.faults:
        assert 0 <= fault.line <= lines
        assert (fault.line > 0) == (fault.column > 0)
        assert str(fault).isprintable()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_a_mutated_policy_is_a_policy_or_faults_with_places(
    seed: bytes, rng: random.Random
) -> None:
    assert_sound(mutated(seed, rng))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([*SNIPPETS, b"version: 1\n", b"a", b"services: "])).map(b"".join))
@example(b"? - a\n: b\n")
@example(b"rules: [&a [*a]]\n")
def test_any_text_is_a_policy_or_faults_with_places(raw: bytes) -> None:
    assert_sound(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"version: 1\nrules:\n" + b"- a\n" * 2**16, id="rules that are texts"),
        pytest.param(b"".join(b"k%d: 1\n" % n for n in range(2**16)), id="unknown keys"),
        pytest.param(
            b"version: 1\nrules:\n- {" + b"".join(b"k%d: 1, " % n for n in range(2**15)) + b"}\n",
            id="unknown keys of a rule",
        ),
        pytest.param(b"version: 1\nservices: {" + b"a: {}, " * 2**15 + b"}\n", id="one service"),
        pytest.param(b"version: 1\nrules: " + b"[" * 2**19, id="brackets"),
        pytest.param(b"{a: " * 2**18, id="braces"),
    ],
)
def test_a_large_file_full_of_faults_is_told_of_in_time(raw: bytes) -> None:
    began = time.monotonic()

    assert isinstance(outcome(raw), PolicyError)
    assert time.monotonic() - began < 20
