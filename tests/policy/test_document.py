"""A document is a tree of texts that know their places."""

import time

import pytest

from agent.policy.block import plain
from agent.policy.document import DEEPEST, Broken, Mapping, parse_document


def tree(text: str) -> object:
    document = parse_document(text)
    assert document.troubles == ()
    assert document.root is not None
    return plain(document.root)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "010",
        "0x10",
        "1_000",
        "22:30",
        "1:2:3:4:5:6:7:8",
        "2027-01-31",
        "1.0",
        "~",
        "null",
        "true",
        ".inf",
        "80%",
        "<<",
        "=",
        "1e3",
        "+1",
        "0o7",
        "10m",
    ],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_scalar_stays_what_it_looks_like(text: str, quote: str) -> None:
    written = f"{quote}{text}{quote}"

    assert tree(f"{written}: [{written}]\n") == {text: [text]}


def test_nothing_is_an_empty_text() -> None:
    assert tree("a:\nb: ''\nc: [x, ]\n") == {"a": "", "b": "", "c": ["x"]}


def test_places_are_counted_from_one_in_characters() -> None:
    root = parse_document("\u00e9: 1\nb:\n  - {\U0001f600: c}\n").root

    assert isinstance(root, Mapping)
    assert (root.keys["b"].line, root.keys["b"].column) == (2, 1)
    assert (root.values["\u00e9"].line, root.values["\u00e9"].column) == (1, 4)


def test_a_text_without_a_value_has_no_root() -> None:
    assert parse_document("# nothing\n").root is None
    assert parse_document("").root is None


def test_what_stands_behind_a_trouble_is_still_read() -> None:
    document = parse_document("a: &x 1\nb: *x\nc: !!int 2\na: 3\n? [k]\n: 4\nd: 5\n")

    assert [(each.line, each.column) for each in document.troubles] == [
        (1, 4),
        (2, 4),
        (3, 4),
        (4, 1),
        (5, 3),
    ]
    assert isinstance(document.root, Mapping)
    assert plain(document.root) == {"a": "1", "b": "", "c": "2", "d": "5"}
    assert isinstance(document.root.values["b"], Broken)
    assert not document.whole


def test_an_anchor_or_a_tag_loses_nothing() -> None:
    assert parse_document("a: &x 1\nb: !!int 2\n").whole


def test_collections_go_no_deeper_than_that() -> None:
    assert tree("[" * DEEPEST + "]" * DEEPEST)
    assert not parse_document("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)).whole


@pytest.mark.parametrize(
    "text",
    [
        "[" * 2**20,
        "{a: " * 2**18,
        "- " * 2**19,
        "? " * 2**19,
        "a" * 2**20,
        "!" * 2**20,
        "&a " * 9,
        "[a, " * 2**18,
        "'" * 2**20,
        "*a " * 2**18,
        "- a\n" * 2**17,
        "a:\n" * 2**17,
        "|\n" * 2**19,
    ],
    ids=lambda text: text[:4].strip(),
)
def test_a_mebibyte_of_anything_is_read_in_time(text: str) -> None:
    began = time.monotonic()

    document = parse_document(text)

    assert document.root is not None or document.troubles
    assert time.monotonic() - began < 20
