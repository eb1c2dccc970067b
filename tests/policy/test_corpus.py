"""Every bad policy of the corpus is told of at its places, all of them, and at no other."""

import re
from pathlib import Path

import pytest

from agent.errors import Fault, PolicyError
from agent.policy import PolicyText, excerpt, parse_policy

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
    assert len(BAD) >= 150
    assert all(expected(path.read_text()) for path in BAD)


MEANT = re.compile(r"did you mean (.*)\?$")


def faults_of(text: str) -> tuple[Fault, ...]:
    try:
        parse_policy((PolicyText(file="p.yaml", folder="/etc", raw=text.encode()),))
    except PolicyError as error:
        return error.faults
    return ()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_is_proposed_is_right_there(path: Path) -> None:
    text = path.read_bytes().decode(errors="replace")
    proposals = [(fault, MEANT.search(fault.problem)) for fault in faults_of(text)]

    for fault, meant in proposals:
        if meant is None:
            continue
        lines = re.split("\r\n|\r|\n", text)
        line = lines[fault.line - 1]
        _, caret = excerpt(PolicyText(file="", folder="", raw=line.encode()), 1, fault.column)
        end = fault.column - 1 + caret.count("^")
        lines[fault.line - 1] = f"{line[: fault.column - 1]}{meant[1]}{line[end:]}"
        left = faults_of("\n".join(lines))
        assert (fault.line, fault.column) not in [(one.line, one.column) for one in left]


def test_many_proposals_have_been_tried() -> None:
    told = [
        fault for path in BAD for fault in faults_of(path.read_bytes().decode(errors="replace"))
    ]

    assert sum(MEANT.search(fault.problem) is not None for fault in told) >= 60
