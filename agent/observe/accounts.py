"""Who of this machine's users are administrators.

Read from the files themselves: asking NSS may ask a directory on the network, and hang.

Source: passwd(5), group(5).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.model.policy import Administrators
from agent.observe.found import lines_of

PASSWD, GROUP = Path("etc/passwd"), Path("etc/group")
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4
_FILE_BYTES = 4_194_304
"""Some 60,000 users."""

_ROOT = 0
_DIGITS = 20
"""Of a number; the interpreter refuses to read one of thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Some users.

    Attributes:
        names: Their names, of those too whom no file knows.
        numbers: The user IDs of those that files know.
    """

    names: frozenset[str]
    numbers: frozenset[int]


def read_administrators(root: Path, who: Administrators) -> Accounts:
    """Give the administrators among the users."""
    return parse_administrators(
        lines_of(root / PASSWD, _FILE_BYTES), lines_of(root / GROUP, _FILE_BYTES), who
    )


def parse_administrators(
    passwd: Iterable[str], group: Iterable[str], who: Administrators
) -> Accounts:
    """Give who is named, is root by number, or is in a named group, as a member or primarily."""
    names, numbers, groups = {*who.users}, {_ROOT}, set[int]()
    for name, _, number, members in _rows(group, _GROUP_FIELDS):
        if name in who.groups:
            names.update(filter(None, members.split(",")))
            groups.add(int(number))
    for name, _, number, primary, *_ in _rows(passwd, _PASSWD_FIELDS):
        if name in names or int(number) == _ROOT or (is_number(primary) and int(primary) in groups):
            names.add(name)
            numbers.add(int(number))
    return Accounts(names=frozenset(names), numbers=frozenset(numbers))


def _rows(lines: Iterable[str], fields: int) -> Iterator[list[str]]:
    """Give the fields of each sound line; the third is a number."""
    for line in lines:
        row = line.split(":")
        if len(row) == fields and row[0] and is_number(row[2]):
            yield row


def is_number(text: str) -> bool:
    """Whether a text is the number of a user or a group, of any size that may be."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
