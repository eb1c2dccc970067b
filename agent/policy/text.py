"""The bytes of a policy file -> text that is fit to be parsed and shown. Pure."""

import re
from dataclasses import dataclass

_BOM = "\ufeff"
_UNFIT = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and line ends
    "\u2028\u2029"  # further line ends, which editors count differently
    "\u202a-\u202e\u2066-\u2069"  # direction overrides, which show text in another order
    "\ufeff\ufffe\uffff"
    "]"
)
_LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """One policy file as it was read.

    Attributes:
        file: As the operator named it.
        folder: The absolute path of its folder; what it names is relative to that.
        raw: Its bytes.
    """

    file: str
    folder: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A policy path that gave no text.

    Attributes:
        file: As the operator named it.
        problem: Why, in one line.
        missing: Whether it just does not exist.
    """

    file: str
    problem: str
    missing: bool = False


class UnfitError(Exception):
    """Bytes that are no text, with the line and column of the first bad one."""

    def __init__(self, before: str, problem: str) -> None:
        lines = _LINE_END.split(before)
        self.line, self.column, self.problem = len(lines), len(lines[-1]) + 1, problem
        super().__init__(problem)


def decode(raw: bytes) -> str:
    """Give the text, without a byte order mark.

    Raises:
        UnfitError: It isn't UTF-8, or holds a character that has no place in a policy.
    """
    try:
        text = raw.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").removeprefix(_BOM)
        problem = f"the byte 0x{raw[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise UnfitError(before, problem) from error
    if unfit := _UNFIT.search(text):
        name = f"U+{ord(unfit[0]):04X}"
        raise UnfitError(text[: unfit.start()], f"the control character {name}: remove it")
    return text


def lines_of(text: PolicyText) -> list[str]:
    """Give the lines of a file, as faults count them; what is no UTF-8 is escaped."""
    decoded = text.raw.decode("utf-8", "backslashreplace").removeprefix(_BOM)
    return _LINE_END.split(decoded)
