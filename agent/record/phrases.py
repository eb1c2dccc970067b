"""Numbers, times and foreign words as a person reads them."""

from datetime import UTC, datetime


def duration(seconds: float) -> str:
    """Write a duration in its largest units, as the policy would: 1h30m, 5s, 200ms."""
    left, parts = round(seconds * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def until(moment: datetime) -> str:
    """Write when something ends, the same wherever a person reads it."""
    return f"until {moment_text(moment)}"


def moment_text(moment: datetime) -> str:
    """Write a moment, the same wherever a person reads it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def counted(count: int, one: str, many: str = "") -> str:
    """Write how many there are: ``1 ban``, ``2 bans``, ``2 entries`` when `many` says so."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def printable(text: str) -> str:
    """Write what is no printable character (Unicode's classes Cc, Cf ...) as Python escapes it.

    So nobody's words can move the cursor of a terminal, ring it, or turn a line around.
    """
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
