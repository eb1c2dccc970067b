"""Totals of the last moments."""

from datetime import timedelta

from agent.desk.top.history import History
from agent.desk.top.values import Picture
from agent.model.sample import State
from tests.builders import NOW, ban


def picture(second: int, established: int, **changes: object) -> Picture:
    usual: dict[str, object] = {
        "now": NOW + timedelta(seconds=second),
        "sockets": established + 1,
        "states": {State.ESTABLISHED: established, State.LISTEN: 1},
        "sources": 2,
        "matching": 0,
        "rows": (),
        "bans": (ban(),),
        "agent": None,
    }
    return Picture(**(usual | changes))  # type: ignore[arg-type]


def test_moments_are_kept_oldest_first_with_their_totals() -> None:
    found = History().then(picture(0, 5)).then(picture(2, 7))

    assert [one.at for one in found.moments] == [NOW, NOW + timedelta(seconds=2)]
    assert found.of(State.ESTABLISHED) == (5, 7)
    assert found.of(State.TIME_WAIT) == (0, 0)
    assert (found.sockets, found.sources, found.bans) == ((6, 8), (2, 2), (1, 1))


def test_no_more_are_kept_than_asked_for() -> None:
    found = History(most=2)
    for second in range(5):
        found = found.then(picture(second, second))

    assert found.of(State.ESTABLISHED) == (3, 4)


def test_what_could_not_be_read_is_no_total() -> None:
    found = History().then(picture(0, 5)).then(picture(2, 0, unread={"sockets": "refused"}))
    assert found.of(State.ESTABLISHED) == (5,)

    assert found.then(picture(4, 3, bans=None)).bans == (1,)
