"""Running ipset: making sets, changing what is in them, and removing them.

``ipset restore`` stops at the first line that the kernel refuses and keeps what came before.
Every line of ours can be sent twice, so that what was stopped is sent again in parts, until
each refused line stands alone.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from agent.act.command import run, stream
from agent.act.ipset.headers import read_headers, read_sets
from agent.act.ipset.names import create_lines, is_ours, kind_of
from agent.errors import FirewallError

_RUNS = 64
"""For the lines of one set: enough to find five refused ones among a thousand."""

_PATIENCE_S = 10.0
"""For all parts: an ipset that hangs must not keep the agent from its next cycle for long."""

_ATTEMPTS = 40
_PAUSE_S = 0.05


def create(names: Iterable[str]) -> tuple[str, ...]:
    """Make these sets be there, and give those that were not.

    Raises:
        FirewallError: Not all are there.
    """
    missing = sorted(set(names) - read_headers().keys())
    if missing:
        restore(create_lines(missing))
    return tuple(missing)


def strangers(names: Iterable[str]) -> dict[str, int]:
    """Give those of these sets that are there as another kind, and how many rules use each.

    Raises:
        FirewallError: They can't be listed.
    """
    there = read_sets()
    return {
        name: there[name].references
        for name in names
        if name in there and there[name].kind != kind_of(name)
    }


def destroy(names: Iterable[str]) -> tuple[str, ...]:
    """Make these sets be gone, and give those that were there.

    A rule that was just removed holds its set for some milliseconds more: the kernel frees
    rules of nf_tables later.

    Raises:
        FirewallError: Some are still there.
    """
    there = left = sorted(set(names) & read_headers().keys())
    failure: FirewallError | None = None
    for _ in range(_ATTEMPTS):
        if not left:
            return tuple(there)
        before = len(left)
        try:
            restore(f"destroy {name}\n" for name in left)
        except FirewallError as error:
            failure = error
        still = read_headers()
        left = [name for name in left if name in still]
        # The first is the one in use: the others need not wait for it.
        left = left[1:] + left[:1]
        if len(left) == before:
            time.sleep(_PAUSE_S)
    raise FirewallError(f"still there: {', '.join(sorted(left))}; {failure}")


def ours() -> dict[str, int]:
    """Give the sets that carry our name, and how many elements each has.

    Raises:
        FirewallError: They can't be listed.
    """
    return {name: count for name, count in read_headers().items() if is_ours(name)}


def save(name: str = "") -> str:
    """Give one set, or all of them, as ``ipset save`` writes them.

    Raises:
        FirewallError: There is no such set.
    """
    return run("ipset", "save", *([name] if name else []))


def restore(lines: Iterable[str]) -> None:
    """Send lines to ipset; what is there need not be added, nor what is not there be removed.

    Raises:
        FirewallError: One was refused; those after it were not sent.
    """
    stream("ipset", "restore", "-exist", lines=lines)


def restore_each(lines: Callable[[], Iterable[str]]) -> None:
    """Send lines to ipset so that a refused one does not keep the others out.

    Args:
        lines: Makes them; is called again when some were refused.

    Raises:
        FirewallError: Some were refused; the others were carried out.
    """
    with suppress(FirewallError):
        return restore(lines())
    by_set: dict[str, list[str]] = defaultdict(list)
    for line in lines():
        by_set[line.split(" ", 2)[1]].append(line)
    until = time.monotonic() + _PATIENCE_S
    parts = [_Parts(until) for _ in by_set]
    for part, some in zip(parts, by_set.values(), strict=True):
        part.send(some)
    if refused := sum(part.refused for part in parts):
        why = next((part.failure for part in parts if part.failure), "it took too long")
        raise FirewallError(f"{refused} of {sum(map(len, by_set.values()))} refused: {why}")
    return None


@dataclass(slots=True)
class _Parts:
    """The lines of one set, sent in ever smaller parts as long as runs are left."""

    until: float
    refused: int = 0
    failure: FirewallError | None = None
    _runs: int = field(default=_RUNS)

    def send(self, lines: Sequence[str]) -> None:
        if not self._runs or time.monotonic() > self.until:
            self.refused += len(lines)
            return
        self._runs -= 1
        try:
            restore(lines)
        except FirewallError as error:
            self.failure = error
            if len(lines) == 1:
                self.refused += 1
                return
            middle = len(lines) // 2
            self.send(lines[:middle])
            self.send(lines[middle:])
