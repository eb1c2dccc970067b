"""How values of a policy are shown in a message: short, and unable to forge anything."""

from collections.abc import Iterable

_SHOWN_CHARACTERS = 40


def escaped(text: str) -> str:
    """Give `text` with everything unprintable, quotes and backslashes written as escapes."""
    return "".join(_escape(character) for character in text)


def shown(text: str) -> str:
    """Give `text` in quotes, escaped, cut after 40 characters."""
    return f"'{shortened(text)}'"


def shortened(text: str) -> str:
    """Give `text` escaped and cut after 40 characters."""
    if len(text) <= _SHOWN_CHARACTERS:
        return escaped(text)
    return f"{escaped(text[:_SHOWN_CHARACTERS])}..."


def found(value: object) -> str:
    """Say what stands where something else was expected, as the end of a sentence."""
    match value:
        case "":
            return "but it is empty"
        case str():
            return f"not {shown(value)}"
        case dict():
            return "not a mapping"
        case _:
            return "not a list"


def listed(names: Iterable[str], last: str = "and") -> str:
    """Give names as a sentence has them: ``a, b and c``."""
    *first, final = names
    return f"{', '.join(first)} {last} {final}" if first else final


def did_you_mean(name: str | None) -> str:
    """Propose a name, as the end of a sentence; nothing where there is none to propose."""
    return f"did you mean {escaped(name)}?" if name else ""


def _escape(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
