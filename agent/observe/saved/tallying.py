"""One moment in the making: rows are counted, and what can't be read is kept in mind."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice

from agent.model.address import PACKED_BYTES, unpack
from agent.model.sample import State
from agent.observe.inet_diag import Raw
from agent.observe.saved.cells import Packed
from agent.observe.saved.forms import Form, Row
from agent.observe.saved.values import Example, Moment, Reason, Unread

MOST_SOCKETS = 1_000_000
"""Sockets of one moment that differ by source, port or state: some 250 MB."""
MOST_KEYS = 65_536
_EXAMPLES = 2
_SHOWN = 120


class Parsing:
    """Reads keys, and remembers some: moments of one machine have most of them in common."""

    def __init__(self, stateless: State) -> None:
        self._stateless = stateless
        self._parse: Callable[[bytes, State], Row | Reason] | None = None
        self._known: dict[bytes, Row | Reason] = {}

    def row(self, form: Form, key: bytes) -> Row | Reason:
        """Read a key."""
        return form.parse(key, self._stateless)

    def rows(self, form: Form, keys: list[bytes]) -> list[Row | Reason]:
        """Read some keys that differ."""
        known = self._known
        if form.parse is not self._parse or len(known) > MOST_KEYS:
            known.clear()
            self._parse = form.parse
        for key in keys:
            if key not in known:
                known[key] = form.parse(key, self._stateless)
        return [known[key] for key in keys]


class Tallying:
    """What one moment holds so far.

    Keys of several forms may be mixed: those of one socket differ or mean the same.

    Attributes:
        where: Where it begins; empty as long as no row or header has come.
    """

    def __init__(self, parsing: Parsing) -> None:
        self.where = ""
        self._parsing = parsing
        self._is_stateless = False
        self._keys: Counter[bytes] = Counter()
        self._rows: list[Row] = []
        self._raw: Raw = Counter()
        self._own: set[Packed] = set()
        self._others = 0
        self._reasons: Counter[Reason] = Counter()
        self._examples: list[Example] = []
        self._doubtful: Counter[Row] = Counter()
        self._doubts: list[Example] = []

    def count_row(self, form: Form, row: Row) -> None:
        """Count a row that was read by itself."""
        self._is_stateless |= form.is_stateless
        self._add(((row, 1),))

    def count_rows(self, form: Form, keys: list[bytes]) -> set[bytes]:
        """Count rows by their keys, and give the keys that can't be parsed: these don't count."""
        before = len(self._keys)
        self._keys.update(keys)
        new = list(islice(reversed(self._keys), len(self._keys) - before))
        new.reverse()
        wrong = set()
        for key, row in zip(new, self._parsing.rows(form, new), strict=True):
            if isinstance(row, Reason):
                del self._keys[key]
                wrong.add(key)
            else:
                self._rows.append(row)
        self._is_stateless |= form.is_stateless and bool(self._keys)
        if len(self._keys) > MOST_KEYS:
            self._fold()
        return wrong

    def count_doubtful(self, row: Row, line: Example) -> None:
        """Keep a row that may have been cut until it is known whether any was."""
        if row not in self._doubtful and len(self._doubtful) >= MOST_SOCKETS:
            self._reasons[Reason.FULL] += 1
        else:
            self._doubtful[row] += 1
            if len(self._doubts) < _EXAMPLES:
                self._doubts.append(line)

    def trust(self) -> None:
        """Count the doubtful rows: nothing was cut."""
        self._add(self._doubtful.items())
        self._doubtful.clear()
        self._doubts.clear()

    def count_other(self) -> None:
        """Count a line that is no TCP socket."""
        self._others += 1

    def count_unread(self, line: Example) -> None:
        """Count a line that can't be read."""
        self._reasons[line.reason] += 1
        if self._reasons[line.reason] <= _EXAMPLES:
            self._examples.append(line)

    def finished(self) -> Moment:
        """Give the moment; nothing may be counted afterwards."""
        self._fold()
        if self._doubtful:
            self._reasons[Reason.TRUNCATED] += self._doubtful.total()
            self._examples.extend(self._doubts)
        return Moment(
            where=self.where,
            raw=self._raw,
            own=frozenset(unpack(*one) for one in self._own if one[1] != bytes(PACKED_BYTES)),
            lines=self._raw.total(),
            others=self._others,
            unread=self.unread,
            is_stateless=self._is_stateless,
        )

    @property
    def unread(self) -> Unread:
        """What can't be read so far."""
        return Unread(
            count=self._reasons.total(),
            reasons=dict(self._reasons),
            examples=tuple(self._examples),
        )

    def _fold(self) -> None:
        """Count what was parsed, and forget the keys."""
        self._add(zip(self._rows, self._keys.values(), strict=True))
        self._keys.clear()
        self._rows.clear()

    def _add(self, rows: Iterable[tuple[Row, int]]) -> None:
        raw, own = self._raw, self._own
        for (key, local), count in rows:
            counted = raw.get(key, 0)
            if not counted and len(raw) >= MOST_SOCKETS:
                self._reasons[Reason.FULL] += count
            else:
                raw[key] = counted + count
                own.add(local)


def shown(text: bytes) -> str:
    """Give a text as a person may see it: shortened, nothing in it that a terminal obeys."""
    decoded = text[:_SHOWN].decode(errors="backslashreplace")
    visible = "".join(one if one.isprintable() else _escaped(one) for one in decoded)
    return visible if len(visible) <= _SHOWN >= len(text) else f"{visible[:_SHOWN]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
