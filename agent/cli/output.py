"""What every command prints with: JSON for programs, printable lines for people."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

import click

from agent.record.events import Event, Json, rfc3339
from agent.record.phrases import printable
from agent.record.text import sentence_of


def show(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


def say(text: str, *, is_error: bool = False) -> None:
    """Print lines for a person; what others wrote in them can't play with the terminal."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=is_error)


def tell(news: Iterable[Event], *, now: datetime, is_json: bool) -> None:
    """Print what happened: events as JSON lines, or a sentence each; plans are left out."""
    for fields in _fields(news, now):
        click.echo(json.dumps(fields) if is_json else sentence_of(fields))


def sentences(news: Iterable[Event], *, now: datetime) -> Iterator[str]:
    """Give what happened, a sentence an event; plans are left out."""
    return map(sentence_of, _fields(news, now))


def _fields(news: Iterable[Event], now: datetime) -> Iterator[dict[str, Json]]:
    for event in news:
        if event.name == "ban.planned":
            continue
        head: dict[str, Json] = {"timestamp": rfc3339(now), "level": event.level.name.lower()}
        yield {**head, "event": event.name, "mode": "live", "cycle": None, **event.fields}
