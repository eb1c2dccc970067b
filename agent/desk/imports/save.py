"""A policy and its range files -> the disk, all of it or nothing."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from agent.desk.imports.write import Written


def save(written: Written, output: Path, *, may_replace: bool) -> None:
    """Write the policy, and the range files into the same folder ahead of it.

    Raises:
        OSError: It can't be written, or something is there already; then nothing changed.
    """
    output = output.resolve() if output.is_symlink() else output
    files = {output.with_name(name): text for name, text in written.ranges.items()}
    files[output] = written.text
    for path in files:
        _refuse(path, may_replace=may_replace)
    drafts = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    try:
        for path, draft in drafts.items():
            _write(draft, files[path])
        _move(drafts, may_replace=may_replace)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "refused"
        raise OSError(error.errno, f"{output}: {reason}") from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _refuse(path: Path, *, may_replace: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not S_ISREG(mode):
        raise OSError(None, f"{path} is there and no regular file")
    if not may_replace:
        raise OSError(None, f"{path} is there already: --force replaces it")


def _write(path: Path, text: str) -> None:
    """Write a new file, for its owner to write and for everybody to read as far as umask lets."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8") as stream:
        stream.write(text)


def _move(drafts: Mapping[Path, Path], *, may_replace: bool) -> None:
    """Give all files their names; what is new goes again when one fails."""
    new: list[Path] = []
    try:
        for path, draft in drafts.items():
            if may_replace and path.exists():
                draft.replace(path)
            else:
                path.hardlink_to(draft)
                new.append(path)
    except OSError:
        for path in new:
            path.unlink(missing_ok=True)
        raise
