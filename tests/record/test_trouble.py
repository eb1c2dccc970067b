"""Trouble is told when it begins, changes and ends; once a minute at most."""

from datetime import timedelta

from agent.record.events import Level
from agent.record.trouble import Trouble
from tests.builders import NOW


def told(trouble: Trouble, reason: str | None, after_s: float) -> list[str]:
    news = trouble.news(reason, NOW + timedelta(seconds=after_s))
    return [f"{event.name} {event.fields.get('reason', '')}".strip() for event in news]


def test_nothing_is_told_while_all_is_well() -> None:
    assert told(Trouble("identify"), None, 0) == []


def test_it_is_told_when_it_begins_changes_and_ends() -> None:
    trouble = Trouble("identify")

    assert told(trouble, "dns", 0) == ["identify.troubled dns"]
    assert told(trouble, "dns", 100) == []
    assert told(trouble, "files", 200) == ["identify.troubled files"]
    assert told(trouble, None, 300) == ["identify.recovered"]
    assert told(trouble, None, 400) == []


def test_what_comes_and_goes_is_told_once_a_minute() -> None:
    trouble = Trouble("identify")

    lines = [told(trouble, reason, at) for at in range(0, 120, 2) for reason in ("dns", None)]

    assert sum(map(len, lines)) == 2


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    trouble = Trouble("identify")
    told(trouble, "dns", 0)

    assert told(trouble, None, -3600) == ["identify.recovered"]


def test_it_is_a_warning() -> None:
    (event,) = Trouble("identify").news("dns", NOW)

    assert event.level is Level.WARNING
