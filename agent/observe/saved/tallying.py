"""One moment in the making: rows are counted, and what can't be read is kept in mind."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from agent.model.address import PACKED_BYTES, unpack
from agent.model.sample import State
from agent.observe.inet_diag import Raw
from agent.observe.saved.cells import Packed
from agent.observe.saved.forms import Form, Row, row_of
from agent.observe.saved.values import Example, Moment, Reason, Unread

MOST_SOCKETS = 1_000_000
"""Sockets of one moment that differ by source, port or state: some 250 MB."""
MOST_KEYS = 1 << 17
_MOST_OWN = 100_000
_JUDGED_KEYS = 1 << 14
"""Once so many keys are known, and each time they doubled, the lean way is judged."""
_EXAMPLES = 2
_SHOWN = 120
_KEY, _OWN = itemgetter(0), itemgetter(1)

Known: TypeAlias = dict[bytes, Row]
"""Rows by their keys."""


class Parsing:
    """Reads keys, and remembers some: moments of one machine have most of them in common."""

    def __init__(self, stateless: State) -> None:
        self._stateless = stateless
        self._known: dict[tuple[Form, bool], Known] = {}
        self._not_lean: set[Form] = set()

    def row(self, form: Form, key: bytes) -> Row | Reason:
        """Read the key of one row."""
        return form.parse(key, self._stateless)

    def is_lean(self, form: Form) -> bool:
        """Whether rows of this form are read in the lean way."""
        return form not in self._not_lean

    def rows(self, form: Form, keys: list[bytes], *, is_lean: bool) -> list[Row | None]:
        """Read keys that differ; None for each that is no row."""
        known = self._known.setdefault((form, is_lean), {})
        if len(known) > MOST_KEYS:
            known.clear()
        rows = [*map(known.get, keys)]
        if None not in rows:
            return rows
        before = len(known)
        for index in [at for at, row in enumerate(rows) if row is None]:
            key = keys[index]
            row = row_of(form, key, self._stateless, is_lean=is_lean)
            if row:
                rows[index] = known[key] = row
        has_doubled = before.bit_length() < len(known).bit_length()
        if is_lean and has_doubled and len(known) >= _JUDGED_KEYS:
            self._judge(form, known)
        return rows

    def _judge(self, form: Form, known: Known) -> None:
        """Leave the lean way if most lines differ by more than their remote port."""
        if len({key for key, _ in known.values()}) * 2 < len(known):
            self._not_lean.add(form)


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
        self._form: Form | None = None
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

    def count_rows(self, form: Form, keys: list[bytes], *, is_lean: bool) -> set[bytes]:
        """Count rows by their keys, as `forms.keys_of` gives them.

        Returns:
            The keys that are no rows. If there are any, nothing was counted.
        """
        if len(self._rows) > MOST_KEYS or form is not self._form:
            self._fold()
            self._form = form
        before = len(self._keys)
        self._keys.update(keys)
        new = [*islice(reversed(self._keys), len(self._keys) - before)][::-1]
        rows = self._parsing.rows(form, new, is_lean=is_lean)
        if None not in rows:
            self._rows.extend(filter(None, rows))
            self._is_stateless |= form.is_stateless and bool(keys)
            return set()
        self._keys.subtract(keys)
        for key in new:
            del self._keys[key]
        return {key for key, row in zip(new, rows, strict=True) if row is None}

    def count_doubtful(self, row: Row, line: Callable[[], Example]) -> None:
        """Keep a row that may have been cut until it is known whether any was."""
        if row not in self._doubtful and len(self._doubtful) >= MOST_SOCKETS:
            self._reasons[Reason.FULL] += 1
        else:
            self._doubtful[row] += 1
            if len(self._doubts) < _EXAMPLES:
                self._doubts.append(line())

    def trust(self) -> None:
        """Count the doubtful rows: nothing was cut."""
        self._add(self._doubtful.items())
        self._doubtful.clear()
        self._doubts.clear()

    def count_other(self) -> None:
        """Count a line that is no TCP socket."""
        self._others += 1

    def count_unread(self, reason: Reason, line: Callable[[], Example]) -> None:
        """Count a line that can't be read; it is only put into words if it is one of the first."""
        self._reasons[reason] += 1
        if self._reasons[reason] <= _EXAMPLES:
            self._examples.append(line())

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
        """Count the rows that so far are counted by their keys."""
        rows, counts = self._rows, self._keys.values()
        found = dict(zip(map(_KEY, rows), counts, strict=True))
        if not self._raw and len(found) == len(rows) <= MOST_SOCKETS:
            self._raw.update(found)
            self._own.update(map(_OWN, rows))
        else:
            self._add(zip(rows, counts, strict=True))
        self._keys.clear()
        rows.clear()

    def _add(self, rows: Iterable[tuple[Row, int]]) -> None:
        raw, own = self._raw, self._own
        for (key, local), count in rows:
            counted = raw.get(key, 0)
            if not counted and len(raw) >= MOST_SOCKETS:
                self._reasons[Reason.FULL] += count
            else:
                raw[key] = counted + count
                if len(own) < _MOST_OWN:
                    own.add(local)


def shown(text: bytes) -> str:
    """Give a text as a person may see it: shortened, nothing in it that a terminal obeys."""
    decoded = text[:_SHOWN].decode(errors="backslashreplace")
    visible = "".join(one if one.isprintable() else _escaped(one) for one in decoded)
    return visible if len(visible) <= _SHOWN >= len(text) else f"{visible[:_SHOWN]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
