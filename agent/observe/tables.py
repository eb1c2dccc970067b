"""All that the kernel counts of TCP and IP, and how much is there of what it counts.

Source: /proc/net/netstat and /proc/net/snmp, net/ipv4/proc.c; /proc/net/sockstat, there too;
/proc/net/softnet_stat, net/core/net-procfs.c, softnet_seq_show(): a line of hexadecimal
numbers for each processor, processed, dropped, squeezed and more.
"""

from collections.abc import Iterator
from pathlib import Path

from agent.errors import ObserveError

_PAIRS = ("proc/net/netstat", "proc/net/snmp")
_SOFTNET, _SOCKSTAT = "proc/net/softnet_stat", "proc/net/sockstat"
_SOFTNET_NAMES = ("Processed", "Dropped", "Squeezed")


def read_tables(root: Path = Path("/")) -> dict[str, int]:
    """Give all counters by table and name, as ``TcpExt.ListenDrops`` or ``Softnet.Dropped``.

    Args:
        root: Where the tree with ``proc`` begins.

    Raises:
        ObserveError: The counters of TCP are hidden, or not what they should be.
    """
    found: dict[str, int] = {}
    for name in _PAIRS:
        found |= parse_pairs(_text(root / name))
    if not any(name.startswith("TcpExt.") for name in found):
        raise ObserveError("/proc/net/netstat says nothing of TCP")
    for name, parse in ((_SOFTNET, parse_softnet), (_SOCKSTAT, parse_sockstat)):
        try:
            found |= parse(_text(root / name))
        except ObserveError:
            # Some kernels and sandboxes have none: all else is as good without it.
            continue
    return found


def parse_pairs(text: str) -> dict[str, int]:
    """Read pairs of lines that begin with the same word: names, then as many values.

    Raises:
        ObserveError: There is something else.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    found: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names[0] != values[0] or len(names) != len(values):
            raise ObserveError(f"{names[0][:20]!r} is no pair of names and numbers")
        table = names[0].removesuffix(":")
        found |= {
            f"{table}.{name}": _number(value)
            for name, value in zip(names[1:], values[1:], strict=True)
        }
    if len(lines) % 2:
        raise ObserveError("a line of names has no numbers")
    return found


def parse_softnet(text: str) -> dict[str, int]:
    """Add up what all processors took from the cards, dropped, and left for later.

    Raises:
        ObserveError: There is something else.
    """
    rows = [line.split()[: len(_SOFTNET_NAMES)] for line in text.splitlines()]
    if not rows or any(len(row) < len(_SOFTNET_NAMES) for row in rows):
        raise ObserveError("softnet_stat: too few columns")
    return {
        f"Softnet.{name}": sum(_number(row[place], 16) for row in rows)
        for place, name in enumerate(_SOFTNET_NAMES)
    }


def parse_sockstat(text: str) -> dict[str, int]:
    """Read ``TCP: inuse 5 orphan 0 ...`` as ``Sockstat.TCP.orphan``; ``mem`` is in pages.

    Raises:
        ObserveError: There is something else.
    """
    return dict(_amounts(text))


def _amounts(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        table, _, rest = line.partition(":")
        words = rest.split()
        for name, value in zip(words[::2], words[1::2], strict=False):
            yield f"Sockstat.{table}.{name}", _number(value)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ObserveError(f"{path.name}: {error.strerror or 'unreadable'}") from error


def _number(text: str, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError as error:
        raise ObserveError(f"{text[:20]!r} is no number") from error
