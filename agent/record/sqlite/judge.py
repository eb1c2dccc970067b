"""Whether a file is a ledger of ours, before SQLite touches it.

| what has the name | then |
| --- | --- |
| nothing, or no bytes | made anew |
| ours by the application id of its header | used, and brought up to the newest schema |
| ours, written by a newer agent | refused |
| ours, damaged | set aside under another name, and made anew |
| a broken header, but the text of our first table on the first page | ours, damaged |
| fewer bytes than a header has, beginning as SQLite does | damaged: no one's data fit in |
| anything else | refused, and left as it is |

A file whose first page is gone altogether can't be told from somebody else's: it is refused.
Losing it is a person's decision, and the text says what to do.

Source: sqlite.org/fileformat2.html 1.3 (the header).
"""

import os
import stat
from pathlib import Path

from agent.errors import StateError
from agent.record.sqlite import schema

SIDES = ("", "-wal", "-shm", "-journal")
"""What SQLite adds to a file's name for those beside it."""

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_ID_AT = slice(68, 72)
_PAGE_BYTES = 4096


def is_sound(path: Path) -> bool:
    """Whether the file is there and ours by its header; False: there is none, or it is damaged.

    Raises:
        StateError: It is somebody else's.
    """
    head = _head(path)
    if not head:
        return False
    is_sqlite = head.startswith(_MAGIC)
    is_ours = head[_ID_AT] == schema.APPLICATION_ID.to_bytes(4, "big")
    if is_sqlite and is_ours and len(head) >= _HEADER_BYTES:
        return True
    if (is_sqlite and len(head) < _HEADER_BYTES) or (not is_sqlite and schema.SIGN in head):
        return False
    raise StateError(
        f"{path}: this is not a ledger of abuse-agent; it was left as it is: "
        f"move it away, or name another directory with --state-dir"
    )


def _head(path: Path) -> bytes:
    """Read the first page of a file that may be opened at all.

    Raises:
        StateError: It is no file, or somebody could have put it there.
    """
    try:
        for side in SIDES:
            _refuse_alien(Path(f"{path}{side}"))
        with path.open("rb") as file:
            return file.read(_PAGE_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StateError(
            f"{path}: it can't be read ({error.strerror}); run this as root or as its owner"
        ) from error


def _refuse_alien(path: Path) -> None:
    """Refuse what only somebody else can have put there: root would follow a link of theirs."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    trusted = {0, os.geteuid()}
    if not stat.S_ISLNK(found.st_mode):
        trusted.add(path.parent.stat().st_uid)
        if not stat.S_ISREG(found.st_mode):
            raise StateError(f"{path}: it is not a file; move it away")
    if found.st_uid not in trusted:
        raise StateError(f"{path}: it belongs to another user (uid {found.st_uid}); move it away")
