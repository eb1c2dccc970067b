"""What the files say that set the kernel's settings at boot.

Source: sysctl.d(5), sysctl(8) of procps: which folders, in which order, and that a file
hides one of the same name in a later folder; sysctl.conf(5) for the lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_FOLDERS = (
    "etc/sysctl.d",
    "run/sysctl.d",
    "usr/local/lib/sysctl.d",
    "usr/lib/sysctl.d",
    "lib/sysctl.d",
)
_LAST = "etc/sysctl.conf"
_MOST_BYTES = 256 * 1024
_MOST_FILES = 1000
_SWAPPED = str.maketrans("./", "/.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A line of a file that sets something at boot.

    Attributes:
        file: Its path from the root on.
        line: Counted from 1.
        name: As ``net.ipv4.tcp_fin_timeout``, however it is spelt there.
        value: Its words, one space between them.
    """

    file: str
    line: int
    name: str
    value: str


def read_written(root: Path = Path("/")) -> tuple[Written, ...]:
    """Give all lines that a boot goes by, in its order: of one name the last one holds.

    Args:
        root: Of the file system.
    """
    files: dict[str, Path] = {}
    for folder in _FOLDERS:
        for path in _listed(root / folder):
            files.setdefault(path.name, path)
    paths = [files[name] for name in sorted(files)]
    last = root / _LAST
    # Debian links it into /etc/sysctl.d as 99-sysctl.conf.
    if not any(_is_same(path, last) for path in paths):
        paths.append(last)
    return tuple(
        one for path in paths for one in parse_written(_content(path), f"/{path.relative_to(root)}")
    )


def parse_written(text: str, file: str) -> Iterator[Written]:
    """Read lines as ``net.ipv4.tcp_fin_timeout = 30``; what is none is left out.

    Args:
        text: Of the file.
        file: How it is told of.
    """
    for number, line in enumerate(text.split("\n"), 1):
        name, is_one, value = line.strip().partition("=")
        # A minus says that it is no fault when there is no such setting.
        key = name.strip().removeprefix("-").strip()
        if is_one and key and key[0] not in "#;" and value.strip():
            yield Written(file=file, line=number, name=dotted(key), value=" ".join(value.split()))


def dotted(name: str) -> str:
    """Give a name with dots, as sysctl reads one: by the first of the two that it finds."""
    first = next((one for one in name if one in "./"), ".")
    return name if first == "." else name.translate(_SWAPPED)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(
            islice((one for one in folder.iterdir() if one.suffix == ".conf"), _MOST_FILES)
        )
    except OSError:
        return []


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _content(path: Path) -> str:
    try:
        # A pipe would have the opening wait for whoever writes.
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
