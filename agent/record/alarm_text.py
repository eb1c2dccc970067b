"""What concerns the machine as a whole, as a person reads it."""

from collections.abc import Mapping
from typing import Any

from agent.record.phrases import counted, duration

_Fields = Mapping[str, Any]


def flood(fields: _Fields) -> str:
    """Say that SYNs press somewhere, or no longer do."""
    where = fields["service"] or "some service"
    head = (
        f"SYNs press at {where}"
        if fields["event"] == "flood.suspected"
        else f"SYNs press at {where} no longer; it was for {duration(fields['lasted_s'])}, at worst"
    )
    sources = counted(fields["sources"], "source")
    spread = f"{sources} in {counted(fields['networks'], 'network')}"
    held = counted(fields["half_open"], "half-open connection")
    return f"{head}: {held} of {spread}, {fields['heaviest']} of the heaviest{_rest(fields)}"


def slow(fields: _Fields) -> str:
    """Say that an application accepts too slowly, or no longer does."""
    held = f"{counted(fields['waiting'], 'connection')} wait to be accepted"
    if fields["event"] == "backlog.full":
        head = f"the kernel drops connections to {fields['service']}: {held}"
    else:
        lasted = duration(fields["lasted_s"])
        head = f"{fields['service']} accepts again; for {lasted} it had not, at worst: {held}"
    return f"{head}, the backlog is {fields['backlog']}{_rest(fields)}"


def breaker(fields: _Fields) -> str:
    """Say that the breaker opened or closed."""
    if fields["event"] == "breaker.opened":
        return (
            f"{fields['reason']}: as long as that is so, only sources above three times their "
            "limit are banned; is a limit too low?"
        )
    known = counted(fields["known_clients"], "known client")
    return f"{fields['reason']} ({fields['candidates']} of {known})"


def behind_proxy(fields: _Fields) -> str:
    """Say that most connections come through somebody else's machines."""
    sources = counted(fields["sources"], "address", "addresses")
    return (
        f"{fields['connections']} of {counted(fields['total'], 'connection')} come from "
        f"{fields['vendor']}, {sources}, and have for long{_advice(fields)}"
    )


def _rest(fields: _Fields) -> str:
    grown = ", ".join(f"{name} +{count}" for name, count in fields["counters"].items())
    return f"{f'; {grown}' if grown else ''}{_advice(fields)}"


def _advice(fields: _Fields) -> str:
    return "".join(f"; {line}" for line in fields["advice"])
