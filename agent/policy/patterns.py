"""What an editor can check of a value: regular expressions and types for the JSON schema.

They say the same as the readers of `scalars` and `names`, as far as a regular expression
can. Written for both ECMA 262, which editors have, and Python.

Source: JSON Schema draft 2020-12, validation 6.
"""

from collections.abc import Mapping
from typing import TypeAlias

Schema: TypeAlias = Mapping[str, object]

_READ_AS_TEXT = ["string", "integer", "number", "boolean"]
"""What an editor makes of a plain text, such as a name that is a number."""

_UNITS = ("w", "d", "h", "m", "s", "ms")
_COUNT = "(?:0|[1-9][0-9]{0,14})"
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NO_ADDRESS = r"(?!(?:[0-9]{1,3}\.){3}[0-9]{1,3}$)"
_TIME = r"[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_OFFSET = "(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"


def text(pattern: str) -> Schema:
    """Give the schema of a text."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def plain(pattern: str) -> Schema:
    """Give the schema of a text that an editor may take for a number or a truth."""
    return {"type": _READ_AS_TEXT, "pattern": f"^(?:{pattern})$"}


def but(schema: Schema, reserved: str) -> Schema:
    """Give the schema without one text."""
    return {**schema, "not": {"const": reserved}}


def whole(low: int, high: int) -> Schema:
    """Give the schema of a whole number, quoted or not."""
    bounds = {"minimum": low, "maximum": high}
    return {"type": ["integer", "string"], **bounds, "pattern": f"^{numbers(low, high)}$"}


def port() -> Schema:
    """Give the schema of a port or a range of them."""
    one = numbers(1, 65535)
    bounds = {"minimum": 1, "maximum": 65535}
    return {"type": ["integer", "string"], **bounds, "pattern": f"^{one}(?:-{one})?$"}


def numbers(low: int, high: int) -> str:
    """Give the pattern of the decimal numbers from `low` to `high`, without leading zeros."""
    first, last = str(low), str(high)
    parts = []
    while len(first) < len(last):
        parts += _same_length(first, "9" * len(first))
        first = f"1{'0' * len(first)}"
    parts += _same_length(first, last)
    return f"(?:{'|'.join(parts)})"


def _same_length(first: str, last: str) -> list[str]:
    """Give the alternatives for the numbers between two that have as many digits."""
    if not first:
        return [""]
    rest = len(first) - 1
    if first[1:] == "0" * rest and last[1:] == "9" * rest:
        return [f"{_digit(first[0], last[0])}{_digits(rest)}"]
    if first[0] == last[0]:
        return [first[0] + tail for tail in _same_length(first[1:], last[1:])]
    after, before = str(int(first[0]) + 1), str(int(last[0]) - 1)
    return [
        *(first[0] + tail for tail in _same_length(first[1:], "9" * rest)),
        *([f"{_digit(after, before)}{_digits(rest)}"] if after <= before else []),
        *(last[0] + tail for tail in _same_length("0" * rest, last[1:])),
    ]


def _digits(number: int) -> str:
    return f"[0-9]{{{number}}}" if number > 1 else "[0-9]" * number


def _digit(first: str, last: str) -> str:
    return first if first == last else f"[{first}-{last}]"


DURATION = text(
    "(?=.*[1-9])" + "".join(f"(?:{_COUNT}{u})?" for u in ("w", "d", "h", "m", "s", "ms"))
)
SHARE = text(f"{numbers(1, 100)}%")
WARNING = text(f"none|{numbers(1, 100)}%")
SUSTAINED = text(f"{numbers(1, 60)} +of +{numbers(1, 60)}")
SIZE = text(f"none|{numbers(1000, 10**9)}KB|{numbers(1, 10**6)}MB|{numbers(1, 1000)}GB|1TB")
RATE = text(f"{numbers(1, 10_000)}/[smh]")
PATIENCE = text(f"exempt|{numbers(2, 1000)}x")
END = text(f"[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:{_TIME}{_OFFSET})?")
SLUG = plain("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ACCOUNT = text(r"(?![0-9]+$)[^\s:,/]{1,64}")
HOST = plain(rf"{_NO_ADDRESS}(?=.{{1,254}}$){_LABEL}(?:\.{_LABEL})*\.?")
DOMAIN = text(rf"{_NO_ADDRESS}(?=.{{1,254}}$){_LABEL}(?:\.{_LABEL})+\.?")
PATH = plain(r"(?!.*://)[^\u0000-\u001f\u007f]+")
NETWORK = text(
    rf"(?:{numbers(0, 255)}\.){{3}}{numbers(0, 255)}(?:/{numbers(0, 32)})?"
    rf"|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:/{numbers(0, 128)})?"
)
