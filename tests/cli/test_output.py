import json

import pytest

from agent.cli.output import say, tell
from agent.record import ban_events
from tests.builders import NOW, ban


def test_what_a_person_reads_can_not_play_with_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("one\ntwo \x1b[2J\u202e")
    say("\x07", is_error=True)

    assert capsys.readouterr() == ("one\ntwo \\x1b[2J\\u202e\n", "\\x07\n")


def test_an_event_of_a_command_has_what_every_line_has(capsys: pytest.CaptureFixture[str]) -> None:
    news = [ban_events.ban_event(name, ban(), "nftables") for name in ("ban.planned", "ban.failed")]
    tell(news, now=NOW, is_json=True)

    (line,) = capsys.readouterr().out.splitlines()
    fields = json.loads(line)
    assert list(fields)[:5] == ["timestamp", "level", "event", "mode", "cycle"]
    assert (fields["level"], fields["event"], fields["cycle"]) == ("error", "ban.failed", None)


def test_an_event_of_a_command_is_a_sentence_for_a_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell([ban_events.ban_event("ban.applied", ban(), "nftables")], now=NOW, is_json=False)

    assert capsys.readouterr().out.startswith("192.0.2.10 is banned from web for 10m")
