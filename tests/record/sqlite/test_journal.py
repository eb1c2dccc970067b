"""What is on its way into the file, and what is told of others' rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model.ban import Ban
from agent.record.sqlite import rows, schema
from agent.record.sqlite.clocks import Clock
from agent.record.sqlite.journal import Journal
from tests.builders import NOW, ban


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Journal, Journal]]:
    """Give the journals of two processes at one file."""
    made = [
        Journal(path=tmp_path / "ledger.db", clock=Clock("a", lambda: 1000.0)) for _ in range(2)
    ]
    for one in made:
        one.clock.look(NOW)
        one.open(NOW)
        # The first time reads all anew; it is not what is asked here.
        one.news(NOW)
    yield made[0], made[1]
    for one in made:
        one.close()


def put(journal: Journal, number: int) -> Ban:
    one = ban(f"192.0.2.{number}/32", ban_id=f"b{number}")
    journal.put([rows.ban_row(one, journal.clock, schema.IN_FORCE, None, held=True)])
    return one


def test_between_others_rows_those_of_this_process_are_not_read_back(
    pair: tuple[Journal, Journal],
) -> None:
    left, right = pair
    put(left, 1)
    theirs = [put(right, 2)]
    put(left, 3)
    theirs.append(put(right, 4))
    put(left, 5)

    assert left.news(NOW).in_force == theirs
    assert left.news(NOW).in_force == []
