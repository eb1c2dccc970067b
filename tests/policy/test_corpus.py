"""Every bad policy of the corpus is told of at its places, all of them, and at no other."""

import re
from pathlib import Path

import pytest

from agent.errors import PolicyError
from agent.policy import PolicyText, parse_policy

CORPUS = Path(__file__).parents[1] / "corpus"
BAD = sorted((CORPUS / "policies").glob("*.yaml"))
EXPECTED = re.compile(r"# expect: (\d+):(\d+) (.*?): (.*)")


def expected(text: str) -> list[tuple[int, int, str, str]]:
    lines = (EXPECTED.fullmatch(line.rstrip()) for line in text.splitlines())
    return [(int(m[1]), int(m[2]), m[3], m[4]) for m in lines if m]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_everything_wrong_is_told_once_at_its_place(path: Path) -> None:
    raw = path.read_bytes()
    wanted = expected(raw.decode())

    with pytest.raises(PolicyError) as told:
        parse_policy((PolicyText(file=path.name, folder="/etc/abuse-agent", raw=raw),))

    found = [(fault.line, fault.column, fault.path) for fault in told.value.faults]
    assert found == [(line, column, place) for line, column, place, _ in wanted]
    for fault, (*_, part) in zip(told.value.faults, wanted, strict=True):
        assert part in fault.problem


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_message_is_one_printable_line_of_our_own_words(path: Path) -> None:
    with pytest.raises(PolicyError) as told:
        parse_policy((PolicyText(file="p.yaml", folder="/", raw=path.read_bytes()),))

    for line in str(told.value).split("\n"):
        assert line.startswith("p.yaml:")
        assert line.isprintable()
        assert not re.search("pydantic|Input should|yaml\\.|<class|\\bNone\\b|\\bdict\\b", line)


def test_the_corpus_is_large_enough_to_trust() -> None:
    assert len(BAD) >= 60
    assert all(expected(path.read_text()) for path in BAD)
