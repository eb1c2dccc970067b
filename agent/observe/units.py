"""What units of systemd and its own configuration say, and which units a boot starts.

Source: systemd.unit(5) for the folders, their order, and drop-ins; systemd.exec(5);
journald.conf(5).
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

_FOLDERS = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_CONFIGURED = ("etc", "run", "usr/local/lib", "usr/lib")
_LINKS = ("*.wants", "*.requires")


def unit_file(unit: str, root: Path = Path("/")) -> Path | None:
    """Give the file of a unit, the one that holds; None where it is not installed.

    Args:
        unit: As ``abuse-agent.service``.
        root: Of the file system.
    """
    return next((path for one in _FOLDERS if _is_file(path := root / one / unit)), None)


def is_enabled(unit: str, root: Path = Path("/")) -> bool:
    """Whether a boot starts a unit that is installed.

    Args:
        unit: As ``abuse-agent.service``.
        root: Of the file system.
    """
    if unit_file(unit, root) is None:
        return False
    return any(
        _is_link(folder / unit)
        for one, links in product(_FOLDERS, _LINKS)
        for folder in _within(root / one, links)
    )


def said(unit: str, key: str, root: Path = Path("/")) -> str | None:
    """Give what a unit and its drop-ins say of a key, the last of it; None where nothing.

    Args:
        unit: As ``abuse-agent.service``.
        key: As ``LogRateLimitIntervalSec``.
        root: Of the file system.
    """
    found = [value for text in _texts(unit, root) for value in values_of(text, key)]
    return found[-1] if found else None


def configured(name: str, key: str, root: Path = Path("/")) -> str | None:
    """Give what a configuration of systemd says of a key; None where nothing.

    Args:
        name: As ``journald.conf``.
        key: As ``RateLimitIntervalSec``.
        root: Of the file system.
    """
    folders = [root / one / "systemd" for one in _CONFIGURED]
    # Of the file itself the first is read, and the drop-ins go by their names, whatever folder.
    files = [path for folder in folders if _is_file(path := folder / name)][:1]
    drop_ins: dict[str, Path] = {}
    for folder in folders:
        for path in _within(folder / f"{name}.d", "*.conf"):
            drop_ins.setdefault(path.name, path)
    texts = map(_text, (*files, *(drop_ins[one] for one in sorted(drop_ins))))
    found = [value for text in texts for value in values_of(text, key)]
    return found[-1] if found else None


def values_of(text: str, key: str) -> Iterator[str]:
    """Give each value of a key in a unit, in order."""
    for line in text.splitlines():
        name, is_one, value = line.strip().partition("=")
        if is_one and name.strip() == key:
            yield value.strip()


def _texts(unit: str, root: Path) -> Iterator[str]:
    file = unit_file(unit, root)
    if file is not None:
        yield _text(file)
    drop_ins: dict[str, Path] = {}
    for one in _FOLDERS:
        for path in _within(root / one / f"{unit}.d", "*.conf"):
            drop_ins.setdefault(path.name, path)
    yield from (_text(drop_ins[name]) for name in sorted(drop_ins))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _within(folder: Path, pattern: str) -> list[Path]:
    """Give what is in a folder; nothing where it is closed to this user."""
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        return False
