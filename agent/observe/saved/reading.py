"""How the lines of several streams become moments."""

import os
from collections.abc import Callable, Generator, Iterator

from agent.model.sample import State
from agent.observe.saved.forms import NETSTAT_WIDE, Form, Row, Tool, keys_of
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
        for left in range(_RESUMED, -1, -1):
            if self._form is None or not left:
                piece = yield from self._each(piece, until_form=bool(left))
            else:
                piece = yield from self._many(piece, self._form)
            if not piece:
                return

    def _each(self, piece: bytes, *, until_form: bool) -> Generator[Moment, None, bytes]:
        """Read lines one by one; give those that are left when the form is known."""
        lines = piece.split(b"\n")
        for index, line in enumerate(lines[:-1], 1):
            yield from self._one(line)
            if self._form is not None and until_form:
                return b"\n".join(lines[index:])
        return b""

    def _many(self, piece: bytes, form: Form) -> Generator[Moment, None, bytes]:
        """Count the rows of this form up to a line that changes it; give the lines behind that."""
        is_lean = self._parsing.is_lean(form)
        keys = keys_of(form, piece, is_lean=is_lean)
        no_rows = self._moment.count_rows(form, keys, is_lean=is_lean)
        if not no_rows:
            self._pass(len(keys))
            return b""
        lines, done = piece.split(b"\n"), 0
        for odd in [index for index, key in enumerate(keys) if key in no_rows]:
            self._moment.count_rows(form, keys[done:odd], is_lean=is_lean)
            self._pass(odd - done)
            yield from self._one(lines[odd])
            done = odd + 1
            if self._form is not form or self._parsing.is_lean(form) is not is_lean:
                break
        else:
            self._moment.count_rows(form, keys[done:], is_lean=is_lean)
            self._pass(len(keys) - done)
            done = len(keys)
        return b"\n".join(lines[done:])

    def _pass(self, rows: int) -> None:
        """Go on behind so many rows that were counted."""
        self._line += rows
        if rows and self._awaited is Header.NETSTAT:
            self._awaited = None

    def _example(self, line: bytes, reason: Reason) -> Callable[[], Example]:
        """Give what makes an example of the line that was read last."""
        where = f"{self.name}:{self._line}"
        return lambda: Example(where=where, text=shown(line), reason=reason)

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
            self._moment.count_unread(told, self._example(line, told))
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
            self._moment.count_doubtful(row, self._example(line, Reason.TRUNCATED))
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
        self._form = form

    def _new_moment(self, tool: Tool) -> Iterator[Moment]:
        if self._moment.where:
            yield self._moment.finished()
            self._moment = Tallying(self._parsing)
        self._moment.where = f"{self.name}:{self._line}"
        self._is_new_stream, self._tool, self._form = False, tool, None
        self._awaited = Header.PROC6 if tool is Tool.PROC else None
