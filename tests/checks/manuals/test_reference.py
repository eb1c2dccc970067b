"""The reference and the man page have every key that the schema has, with what it says of it."""

import re
from pathlib import Path

import pytest

from agent.policy.shapes import NESTED, Shape, keys
from checks.manuals import reference
from checks.manuals.reference import BLOCKS, Key, keys_of, rewritten, table, unmarked

TREE = Path(__file__).parents[3]
PAGE = (TREE / reference.PAGE).read_text()
MAN = (TREE / "share/man/man5/abuse-agent-policy.5").read_text().replace("\\-", "-")
SHAPES: list[type[Shape]] = list(dict.fromkeys((*BLOCKS.values(), *NESTED.values())))


def section(name: str) -> str:
    marked = re.search(rf"<!-- schema: {name} -->(.*?)<!-- /schema -->", PAGE, re.DOTALL)
    assert marked is not None
    return marked[1]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_key_stands_in_the_table_of_its_block(name: str) -> None:
    assert [key for key in keys(BLOCKS[name]) if f"`{key}`" not in section(name)] == []


@pytest.mark.parametrize("name", BLOCKS)
def test_every_key_stands_in_the_man_page(name: str) -> None:
    bold = set(re.findall(r"^\\fB(.*?)\\fR", MAN, re.MULTILINE))
    own = [key.name.strip("[]()#`").partition("`")[0] for key in keys_of(BLOCKS[name])]

    assert [key for key in own if key not in bold] == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_key_has_a_type_and_a_meaning(shape: type[Shape]) -> None:
    for key in keys_of(shape):
        assert key.means
        assert key.kind or key.default == "those of `defaults`"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "top",
            Key(
                name="`every`",
                kind="duration",
                default="`5s`",
                bounds="200ms to 60s",
                means="the time between the starts of two cycles",
            ),
        ),
        (
            "top",
            Key(
                name="[`tape`](#tape)",
                kind="`none`, or a block as `{floor: 10, size: 200MB}`",
                default="see there",
                means="how much of each cycle is recorded",
            ),
        ),
        (
            "defaults",
            Key(
                name="`escalate.within`",
                kind="duration",
                default="`7d`",
                bounds="1m to 365d",
                means="how far back an earlier ban counts",
            ),
        ),
        (
            "allowlist",
            Key(name="`prefixes`", kind="list of prefixes", means="networks"),
        ),
        (
            "rules",
            Key(
                name="`mode`",
                kind="`enforce`, `observe`",
                default="`enforce`",
                means="a shadow rule observes and bans nobody",
            ),
        ),
    ],
)
def test_a_key_is_told_with_type_default_and_bounds(block: str, expected: Key) -> None:
    assert expected in keys_of(BLOCKS[block])


def test_a_default_that_is_told_is_the_one_that_holds() -> None:
    for shape in SHAPES:
        for name, attribute in keys(shape).items():
            told = next((one for one in keys_of(shape) if one.name == f"`{name}`"), None)
            default = shape.model_fields[attribute].default
            if told and isinstance(default, int) and told.kind == "number":
                assert told.default == f"`{default}`"


def test_a_column_in_which_nothing_stands_is_left_out() -> None:
    assert table(BLOCKS["administrators"]).startswith("| key | type | default | |\n")


def test_only_the_marked_tables_of_a_page_are_written_anew() -> None:
    page = "a\n<!-- schema: services -->\nold\n<!-- /schema -->\nb\n"

    new = rewritten(page)

    assert new == f"a\n<!-- schema: services -->\n{table(BLOCKS['services'])}<!-- /schema -->\nb\n"
    assert rewritten(new) == new
    assert unmarked(page) == [name for name in BLOCKS if name != "services"]


def test_this_page_has_room_for_every_block() -> None:
    assert unmarked(PAGE) == []
