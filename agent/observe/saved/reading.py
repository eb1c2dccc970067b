"""How the lines of several streams become moments."""

import os
from collections.abc import Generator, Iterator

from agent.model.sample import State
from agent.observe.saved.forms import NETSTAT_WIDE, Form, Row, Tool
from agent.observe.saved.headers import FORM_BELOW, Header
from agent.observe.saved.lines import Plain, Width, told_by
from agent.observe.saved.tallying import Parsing, Tallying, shown
from agent.observe.saved.values import Example, Moment, Reason

_RESUMED = 16
"""How often in a piece all lines after one that changed the form are tried at once again."""


class Reading:
    """Where in the streams one is. After `begin` lines are taken, and at last it is `finished`.

    Attributes:
        name: Of the stream.
    """

    def __init__(self, stateless: State) -> None:
        self.name = ""
        self._parsing = Parsing(stateless)
        self._moment = Tallying(self._parsing)
        self._line = 0
        self._is_new_stream = False
        self._form: Form | None = None
        self._tool: Tool | None = None
        self._awaited: Header | None = None
        self._is_tcp = True

    @property
    def examples(self) -> tuple[Example, ...]:
        """Lines of the current moment that could not be read."""
        return self._moment.unread.examples

    def begin(self, name: str) -> None:
        """Go on with the next stream."""
        self.name, self._line, self._is_new_stream = shown(os.fsencode(name)), 0, True
        self._form, self._is_tcp = None, True

    def finished(self) -> Moment | None:
        """Give the last moment; None when nothing that can be read ever came."""
        return self._moment.finished() if self._moment.where else None

    def take(self, piece: bytes) -> Iterator[Moment]:
        """Read some whole lines, and give the moments that end in them."""
        begin, resumed = 0, 0
        while begin < len(piece):
            if self._form is None or resumed > _RESUMED:
                end = piece.index(b"\n", begin)
                yield from self._one(piece[begin:end])
                begin = end + 1
            else:
                resumed += 1
                begin = yield from self._many(piece, begin, self._form)

    def _many(self, piece: bytes, begin: int, form: Form) -> Generator[Moment, None, int]:
        """Count the rows of this form up to a line that changes it; give where that line ends."""
        keys = [*map(b"".join, form.rows.findall(piece, begin))]
        lines = _Lines(piece, begin)
        done = 0
        for _ in range(keys.count(b"")):
            odd = keys.index(b"", done)
            self._count(form, keys[done:odd], lines, done)
            yield from self._one(lines[odd])
            done = odd + 1
            if self._form is not form:
                return lines.end_of(odd)
        self._count(form, keys[done:], lines, done)
        return len(piece)

    def _count(self, form: Form, keys: list[bytes], lines: "_Lines", first: int) -> None:
        wrong = self._moment.count_rows(form, keys)
        if wrong:
            for index, key in enumerate(keys):
                if key in wrong:
                    self._refuse(lines[first + index], self._line + index + 1)
        self._line += len(keys)

    def _refuse(self, line: bytes, number: int) -> None:
        """Count a line that looks like a row, but can't be read."""
        told = told_by(line, self._form)
        if isinstance(told, Plain):
            row = self._parsing.row(told.form, told.key)
            told = row if isinstance(row, Reason) else None
        reason = told if isinstance(told, Reason) else Reason.JUNK
        self._moment.count_unread(self._example(line, number, reason))

    def _example(self, line: bytes, number: int, reason: Reason) -> Example:
        return Example(where=f"{self.name}:{number}", text=shown(line), reason=reason)

    def _one(self, line: bytes) -> Iterator[Moment]:
        """Read a line by itself."""
        self._line += 1
        told = told_by(line, self._form)
        if isinstance(told, Plain):
            if told.form.tool is Tool.PROC and not self._is_tcp:
                self._moment.count_other()
                return
            row = self._parsing.row(told.form, told.key)
            if not isinstance(row, Reason):
                yield from self._row(told, row, line)
                return
            told = row
        if isinstance(told, Reason):
            self._moment.count_unread(self._example(line, self._line, told))
        else:
            if told is not None:
                yield from self._header(told)
            self._moment.count_other()

    def _row(self, plain: Plain, row: Row, line: bytes) -> Iterator[Moment]:
        """Count a row."""
        tool = plain.form.tool
        if self._is_new_stream or tool is not self._tool:
            yield from self._new_moment(tool)
        if tool is not Tool.PROC:
            self._awaited = None
        if self._form is not NETSTAT_WIDE:
            self._form = plain.form
            if plain.width is Width.WIDE:
                self._form = NETSTAT_WIDE
                self._moment.trust()
        if plain.width is Width.FULL and self._form is not NETSTAT_WIDE:
            doubt = self._example(line, self._line, Reason.TRUNCATED)
            self._moment.count_doubtful(row, doubt)
        else:
            self._moment.count_row(plain.form, row)

    def _header(self, header: Header) -> Iterator[Moment]:
        """Begin what stands below a header."""
        self._is_tcp = header is not Header.NO_TCP
        self._form = form = FORM_BELOW[header]
        if form is None:
            return
        is_behind = header is Header.NETSTAT and not self._is_new_stream
        if header is self._awaited and (is_behind or header is Header.PROC6):
            self._is_new_stream = False
        else:
            yield from self._new_moment(form.tool)
        self._awaited = {Header.TITLE: Header.NETSTAT, Header.PROC: Header.PROC6}.get(header)
        # Nothing but a line that is read by itself tells that the columns' names are missing.
        self._form = None if header is Header.TITLE else form

    def _new_moment(self, tool: Tool) -> Iterator[Moment]:
        if self._moment.where:
            yield self._moment.finished()
            self._moment = Tallying(self._parsing)
        self._moment.where = f"{self.name}:{self._line}"
        self._is_new_stream, self._tool, self._form = False, tool, None
        self._awaited = Header.PROC6 if tool is Tool.PROC else None


class _Lines:
    """The lines of a piece from some place on, split only where one is asked for."""

    def __init__(self, piece: bytes, begin: int) -> None:
        self._piece, self._begin = piece, begin
        self._lines: list[bytes] = []

    def __getitem__(self, index: int) -> bytes:
        if not self._lines:
            self._lines = self._piece[self._begin :].split(b"\n")
        return self._lines[index]

    def end_of(self, index: int) -> int:
        """Give where the next line begins in the piece."""
        return self._begin + sum(map(len, self._lines[: index + 1])) + index + 1
