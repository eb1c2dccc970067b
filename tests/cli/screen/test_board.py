"""The screen at the keys of whoever sits there, on pictures that the test shows it."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli.screen.ask.confirm import Confirm
from agent.cli.screen.keys import KEYS
from agent.desk.top.values import Order
from agent.errors import ObserveError, PrivilegeError
from agent.model.sample import State
from tests.builders import prefix, source
from tests.cli.screen.pictures import (
    FIRST,
    LATER,
    SECOND,
    THREE,
    Seat,
    kept_out,
    many,
    near,
    picture,
    row,
    sit,
)


def test_a_small_terminal_has_all_of_it_uncut() -> None:
    shown = replace(
        picture(
            row("2001:db8:1:2::/64", 1234, nearest=near(FIRST, 1990, 2000), who="office"),
            row(FIRST, 30, ban=kept_out(FIRST)),
            bans=(kept_out(FIRST),),
        ),
        sources=10_000,
    )

    async def drive(seat: Seat) -> None:
        assert len(seat.lines) == 24
        assert all(len(line) <= 80 for line in seat.lines)
        for word in ("SOURCE", "SOCKETS", "EST", "SYN", "LIMIT", "BANNED", "SERVICE", "WHO"):
            assert word in seat.lines[4]
        busy = seat.line("> 2001:db8:1:2::/64")
        assert busy.split()[2:] == ["1234", "1234", "0", "0", "99%", "███░", "web", "office"]
        assert seat.line(f" x{FIRST}").split()[-2:] == ["10m", "web"]
        assert "BANS: 1 in force" in seat.text
        assert "10000 sources" in seat.lines[1]
        assert seat.lines[-1].endswith("? help  q quit")

    sit(shown, drive)


def test_a_large_terminal_has_room_for_rules_states_and_services() -> None:
    shown = picture(row(FIRST, 30, nearest=near(FIRST, 30, 40), services={"web": 20, "ssh": 10}))

    async def drive(seat: Seat) -> None:
        assert len(seat.lines) == 60
        told = seat.line(f"> {FIRST}")
        assert "web-connections 30/40 75%" in told
        assert "web 20, ssh 10" in told
        assert "TIME_WAIT" in seat.line("SOURCE")
        assert seat.line("FIN_WAIT2")

    sit(shown, drive, size=(200, 60))


def test_the_choice_follows_the_source_not_the_line() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("down")
        assert seat.chosen == SECOND
        await seat.look(replace(THREE, rows=THREE.rows[::-1]))
        assert seat.chosen == SECOND
        await seat.look(replace(THREE, rows=(THREE.rows[1], THREE.rows[0], THREE.rows[2])))
        assert seat.lines[5].startswith(f"> {SECOND}")

    sit(THREE, drive)


def test_who_is_gone_stays_chosen_and_comes_back() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("down")
        await seat.look(replace(THREE, rows=(THREE.rows[0], THREE.rows[2])))
        assert seat.chosen == ""
        assert seat.line("not among those shown now").startswith(SECOND)
        assert seat.board.showing.chosen == source(SECOND)
        await seat.look(THREE)
        assert seat.chosen == SECOND

    sit(THREE, drive)


def test_another_question_chooses_among_its_answers() -> None:
    async def drive(seat: Seat) -> None:
        seat.picture = replace(THREE, rows=THREE.rows[1:])
        await seat.press("s")
        await seat.look()
        assert seat.chosen == SECOND

    sit(THREE, drive)


def test_a_long_list_is_walked_through() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("end")
        assert seat.chosen == "198.18.0.100"
        assert "of 10000 shown" in seat.lines[1]
        await seat.press("pageup")
        above = seat.chosen
        assert above not in {"198.18.0.100", "198.18.0.1"}
        await seat.press("pagedown")
        assert seat.chosen == "198.18.0.100"
        await seat.press("home")
        assert (seat.chosen, seat.lines[5].split()[1]) == ("198.18.0.1", "198.18.0.1")

    sit(many(10_000), drive)


def test_refreshing_scrolls_nothing_away_from_under_ones_eyes() -> None:
    turned = many(100)

    async def drive(seat: Seat) -> None:
        top = seat.lines[5].split()[-5:]
        await seat.look(replace(turned, rows=(*turned.rows[1:], turned.rows[0])))
        assert seat.lines[5].split()[0] == "198.18.0.2"
        assert seat.board.showing.chosen == source("198.18.0.1")
        assert top

    sit(turned, drive)


def test_keys_sort_and_filter_and_tell_so() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("s")
        assert seat.asked[-1].order is Order.LIMIT
        await seat.press("t", "down", "space", "down", "down", "space", "enter")
        assert seat.asked[-1].states == {State.ESTABLISHED, State.SYN_RECV}
        assert "only ESTABLISHED, SYN_RECV" in seat.lines[1]
        await seat.press("v", "down", "down", "enter")
        assert seat.asked[-1].service == "ssh"
        await seat.press("slash", *"198.51.100.0/24", "enter")
        assert seat.asked[-1].prefix == prefix("198.51.100.0/24")
        assert "ESTABLISHED, SYN_RECV ssh in 198.51.100.0/24" in seat.lines[1]
        await seat.press("c")
        assert seat.asked[-1] == replace(seat.asked[0], order=Order.LIMIT)
        assert "only" not in seat.lines[1]

    sit(THREE, drive)


def test_escape_leaves_a_filter_as_it_is() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("slash", *"198.51.100.7", "enter")
        for key in ("t", "v", "slash"):
            await seat.press(key, "down", "escape")
        assert seat.asked[-1].prefix == prefix("198.51.100.7/32")
        assert not seat.asked[-1].states
        assert not seat.asked[-1].service

    sit(THREE, drive)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            ("slash", *"nowhere", "enter"), "'nowhere' is a name; give an address", id="a name"
        ),
        pytest.param(
            ("slash", *"10.0.0.1/8", "enter"), "no address and no prefix", id="bits behind"
        ),
        pytest.param(
            ("b", "ctrl+u", *"10x", "enter"), "'10x' is no duration of 1s to", id="no duration"
        ),
        pytest.param(
            ("b", "tab", "ctrl+u", *"smtp", "enter"), "no service is called 'smtp'", id="no service"
        ),
        pytest.param(
            ("b", "tab", "ctrl+u", *"host web", "enter"), "host is all of it", id="too many"
        ),
        pytest.param(("a", "ctrl+u", "enter"), "'' is no duration", id="nothing"),
    ],
)
def test_what_is_wrong_is_said_in_place(
    keys: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.cli.screen.by_hand.demand", lambda _capability: None)

    async def drive(seat: Seat) -> None:
        await seat.press(*keys)
        assert expected in seat.text
        await seat.press("escape")
        assert expected not in seat.text
        assert seat.board.failure is None

    sit(THREE, drive)


def test_a_ban_says_what_will_happen_and_waits_for_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.cli.screen.by_hand.demand", lambda _capability: None)

    async def drive(seat: Seat) -> None:
        await seat.press("down", "b", "ctrl+u", *"1h30m", "tab", "ctrl+u", *"web,ssh")
        await seat.press("tab", *"[red]scans us", "enter")
        assert isinstance(seat.board.screen, Confirm)
        told = " ".join(seat.text.split())
        assert f"{SECOND} is kept from web, ssh for 1h30m" in told
        assert "Reason: [red]scans us" in told
        await seat.press("enter", "n")
        assert "nothing was changed" in seat.text

    sit(THREE, drive)


def test_without_the_capability_it_is_said_at_once() -> None:
    async def drive(seat: Seat) -> None:
        def demand(_capability: str) -> None:
            raise PrivilegeError("this needs CAP_NET_ADMIN: run it as root")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("agent.cli.screen.by_hand.demand", demand)
            for key in "bua":
                await seat.press(key)
                assert "this needs CAP_NET_ADMIN: run it as root" in seat.text
        await seat.press("down")
        assert "CAP_NET_ADMIN" not in seat.text

    sit(THREE, drive)


def test_frozen_nothing_moves_and_that_is_told() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("space")
        assert seat.lines[0].endswith("FROZEN")
        looked = len(seat.asked)
        await seat.press("down", "up")
        assert len(seat.asked) == looked
        seat.picture = replace(THREE, now=LATER)
        await seat.press("space")
        assert "FROZEN" not in seat.text
        assert len(seat.asked) == looked + 1

    sit(THREE, drive)


def test_a_look_that_ends_after_it_was_frozen_is_not_shown() -> None:
    async def drive(seat: Seat) -> None:
        before, looked = seat.lines[0].split()[-4], len(seat.asked)
        seat.is_over.clear()
        seat.picture = replace(THREE, now=LATER)
        seat.board.look_now()
        while len(seat.asked) == looked:
            await seat.pause(0.01)
        await seat.press("space")
        seat.is_over.set()
        await seat.pause(0.1)
        assert seat.lines[0].endswith("FROZEN")
        assert before in seat.lines[0]

        await seat.press("space")
        await seat.pause(0.1)
        assert before not in seat.lines[0]

    sit(THREE, drive)


def test_a_look_that_fails_keeps_the_last_picture_and_says_so() -> None:
    async def drive(seat: Seat) -> None:
        for failed in (
            ObserveError("the kernel refused"),
            replace(picture(), now=LATER, unread={"sockets": "the kernel refused"}),
        ):
            await seat.look(failed)
            assert seat.chosen == FIRST
            assert "as of 03:00:00 UTC: the kernel refused" in seat.text
            await seat.look(THREE)
            assert "refused" not in seat.text

    sit(THREE, drive)


def test_before_anything_could_be_seen_the_reason_is_told() -> None:
    async def drive(seat: Seat) -> None:
        assert "the kernel refused" in seat.text

    sit(ObserveError("the kernel refused"), drive)


def test_who_may_not_look_at_bans_is_told_so() -> None:
    shown = replace(THREE, bans=None, unread={"state": "this user may not look: run it as root"})

    async def drive(seat: Seat) -> None:
        assert "bans unknown" in seat.lines[1]
        assert "BANS: this user may not look: run it as root" in seat.text
        assert "whether an agent runs is not known" in seat.lines[0]

    sit(shown, drive)


def test_bans_can_be_gone_to_and_are_what_keys_are_about() -> None:
    bans = (kept_out("203.0.113.9"), kept_out("203.0.113.0/24"))

    async def drive(seat: Seat) -> None:
        await seat.press("tab", "down")
        assert seat.chosen == "203.0.113.0/24"
        assert seat.board.showing.chosen == source("203.0.113.0/24")
        await seat.look(replace(THREE, bans=bans[:1]))
        await seat.look(replace(THREE, bans=()))
        assert seat.board.showing.chosen == source(FIRST)

    sit(replace(THREE, bans=bans), drive)


def test_what_others_wrote_is_text_and_nothing_else() -> None:
    foul = "a\x1b[31mb[bold]\u202ec\r\n"
    shown = picture(
        row(FIRST, who=foul, services={foul: 10}),
        bans=(kept_out(SECOND, reasons=(foul,)),),
        services=("web", foul),
    )

    async def drive(seat: Seat) -> None:
        assert "a\\x1b[31mb[bold]\\u202ec\\r\\n" in seat.text
        await seat.press("v")
        assert "a\\x1b[31mb[bold]\\u202ec\\r\\n" in seat.text
        assert not set("\x1b\u202e\r") & set(seat.text)

    sit(shown, drive, size=(200, 60))


def test_another_size_keeps_the_chosen_one_in_sight() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press(*["down"] * 9)
        for size in ((60, 12), (200, 60), (80, 24), (20, 5)):
            await seat.resize(*size)
            assert len(seat.lines) == size[1]
            assert seat.chosen.startswith("198.18.0.10"), seat.text
        await seat.resize(1, 1)

    sit(many(100), drive)


def test_the_pace_is_changed_by_keys() -> None:
    async def drive(seat: Seat) -> None:
        seat.board.showing.every_s = 2.0
        await seat.press("minus")
        assert "every 3s" in seat.lines[0]
        await seat.press("plus", "plus", "plus", "plus", "plus")
        assert "every 500ms" in seat.lines[0]

    sit(THREE, drive)


def test_help_tells_every_key_and_goes_away() -> None:
    async def drive(seat: Seat) -> None:
        await seat.press("question_mark")
        told = seat.text
        await seat.press("end")
        told += seat.text
        assert all(key.told in told for key in KEYS)
        await seat.press("escape")
        assert seat.chosen == FIRST

    sit(THREE, drive)


def test_explaining_what_cannot_be_explained_says_why(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    path.mkdir()

    async def drive(seat: Seat) -> None:
        await seat.press("e")
        assert f"abuse-agent explain {FIRST}" in seat.text
        await seat.press("q")
        assert seat.chosen == FIRST

    assert sit(THREE, drive, folder=tmp_path).failure is None


def test_a_bug_ends_the_screen_and_is_handed_on() -> None:
    async def drive(seat: Seat) -> None:
        seat.picture = ZeroDivisionError("a bug")
        seat.board.look_now()
        for _ in range(100):
            if seat.board.failure:
                break
            await seat.pause(0.02)

    assert isinstance(sit(THREE, drive).failure, ZeroDivisionError)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_leaving_ends_it_well(key: str) -> None:
    async def drive(seat: Seat) -> None:
        await seat.press(key)

    board = sit(THREE, drive)
    assert (board.failure, board.signal, board.return_code) == (None, None, 0)
