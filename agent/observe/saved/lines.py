"""What one line of a listing is, looked at by itself. Pure.

Source: as in `forms`.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from agent.observe.saved import forms
from agent.observe.saved.cells import packed_of, port_of
from agent.observe.saved.forms import CELL_BYTES, CUT_CELL, LINE_BYTES, REMOTE_PORT, Form, Tool
from agent.observe.saved.headers import Header, header_of, is_other
from agent.observe.saved.states import OF_NETSTAT, OF_SS
from agent.observe.saved.values import Reason


class Width(Enum):
    """What the cells of a row tell of whether addresses were cut to their column."""

    FITTING = auto()
    """Nothing was cut in this row."""
    FULL = auto()
    """Something may have been cut in it."""
    WIDE = auto()
    """Nothing was cut in any row of the same listing."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A row.

    Attributes:
        form: How it is written.
        key: What counts of it, as `form` parses it.
        width: Whether it may have been cut.
    """

    form: Form
    key: bytes
    width: Width = Width.FITTING


Told: TypeAlias = Plain | Header | Reason | None
"""What a line is; None for one that is no TCP socket, a reason for one that can't be read."""

_FOREIGN = frozenset({b"TCP", b"UDP", b"tcp4", b"tcp46"})
_DOTTED_PORT = re.compile(rb"[0-9a-fA-F.:*%\w]+\.(?:[0-9]+|\*)")
_IPV6_CELL = re.compile(rb"[0-9a-fA-F.]*:[0-9a-fA-F.:]*:(?:[0-9]+|\*)")
_HEX_CELL = re.compile(rb"(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}")
_HEX_STATE = re.compile(rb"[0-9A-F]{2}")
_ROW_NUMBER = re.compile(rb"[0-9]+:")


def told_by(line: bytes, current: Form | None) -> Told:
    """Tell what a line is.

    Args:
        line: Without its line feed.
        current: The form of the rows before it.
    """
    if len(line) > LINE_BYTES:
        return Reason.LONG
    words = line.split()
    if not words:
        return None
    if row := _row(words, current):
        return row
    if header := header_of(words):
        return header
    is_more_of_ss = line.startswith(b"\t") and current is not None and current.tool is Tool.SS
    if is_more_of_ss or is_other(words):
        return None
    return Reason.FOREIGN if words[0] in _FOREIGN else Reason.JUNK


def _row(words: list[bytes], current: Form | None) -> Plain | Reason | None:
    """Read a line that begins as a row does; None for any other."""
    first = words[0]
    if first in {b"tcp", b"tcp6"}:
        return _tcp(words, current)
    if first in OF_SS:
        return _ss(words)
    if first.isdigit():
        return _stateless(words, forms.SS_STATELESS)
    return _proc(words) if _ROW_NUMBER.fullmatch(first) else None


def _tcp(words: list[bytes], current: Form | None) -> Plain | Reason:
    """Read a row of netstat, or one of ss that tells the protocol."""
    match words:
        case [_, state, *_] if state in OF_SS:
            return _ss(words[1:])
        case [_, received, sent, local, remote, state, *_] if state in OF_NETSTAT:
            pass
        case _ if current is forms.SS_STATELESS_NETID:
            return _stateless(words[1:], current)
        case [_, received, sent, local, remote, state, *_]:
            pass
        case _:
            return Reason.CUT
    if not (received.isdigit() and sent.isdigit()):
        return Reason.JUNK
    address, reason = _cells(local, remote)
    width = _width(local, remote)
    if reason:
        return Reason.TRUNCATED if width is Width.FULL else reason
    return Plain(forms.NETSTAT, b"%b %b:%b" % (local, address, state), width)


def _width(*cells: bytes) -> Width:
    longest = max((len(cell) for cell in cells if _IPV6_CELL.fullmatch(cell)), default=0)
    if longest == CUT_CELL:
        return Width.FULL
    return Width.WIDE if longest > CUT_CELL else Width.FITTING


def _ss(words: list[bytes]) -> Plain | Reason:
    match words:
        case [state, received, sent, local, remote, *_]:
            if not (received.isdigit() and sent.isdigit()):
                return Reason.JUNK
        case _:
            return Reason.CUT
    address, reason = _cells(local, remote)
    return reason or Plain(forms.SS, b"%b %b %b:" % (state, local, address))


def _stateless(words: list[bytes], form: Form) -> Plain | Reason:
    match words:
        case [received, sent, local, remote, *_] if received.isdigit() and sent.isdigit():
            address, reason = _cells(local, remote)
            return reason or Plain(form, b"%b %b:" % (local, address))
        case _:
            return Reason.JUNK


def _proc(words: list[bytes]) -> Plain | Reason:
    match words:
        case [_, local, remote, state, _, *_]:
            pass
        case _:
            return Reason.CUT
    if not (_HEX_CELL.fullmatch(local) and _HEX_CELL.fullmatch(remote)):
        return Reason.ADDRESS
    if not _HEX_STATE.fullmatch(state):
        return Reason.STATE
    address = remote.rpartition(b":")[0]
    return Plain(forms.PROC, b"%b %b:%b" % (local, address, state))


def _cells(local: bytes, remote: bytes) -> tuple[bytes, Reason | None]:
    """Give the remote address, and why the cells can't be read if they can't."""
    if max(len(local), len(remote)) > CELL_BYTES:
        return b"", Reason.ADDRESS
    address, _, port = remote.rpartition(b":")
    here, _, local_port = local.rpartition(b":")
    if REMOTE_PORT.fullmatch(port) and port_of(local_port) is not None:
        is_valid = packed_of(address) is not None and packed_of(here) is not None
        if is_valid:
            return address, None
        return b"", Reason.NAMES if _is_name(address) or _is_name(here) else Reason.ADDRESS
    if _DOTTED_PORT.fullmatch(local) and _DOTTED_PORT.fullmatch(remote):
        return b"", Reason.FOREIGN
    return b"", Reason.NAMES if _has_letters(port + local_port) else Reason.ADDRESS


def _is_name(address: bytes) -> bool:
    """Whether this might be a host's name: no address in digits, no colon."""
    return b":" not in address and _has_letters(address)


def _has_letters(text: bytes) -> bool:
    return any(bytes([one]).isalpha() for one in text)
