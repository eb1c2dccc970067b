"""What every command prints with: JSON for programs, printable lines for people."""

import json
from collections.abc import Iterable
from datetime import datetime

import click

from agent.record.events import Event, rfc3339
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
    for event in news:
        if event.name == "ban.planned":
            continue
        head = {"timestamp": rfc3339(now), "level": event.level.name.lower()}
        fields = {**head, "event": event.name, "mode": "live", "cycle": None, **event.fields}
        click.echo(json.dumps(fields) if is_json else sentence_of(fields))
