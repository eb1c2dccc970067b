"""What is wrong with our rules among all the others, and what they have stopped. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from agent.act.iptables.rules import CHAIN, HELD_CHAIN, HOOKS, JUMP
from agent.act.iptables.text import OURS, Line, Table, written
from agent.model.inspection import Traffic

Tables = Mapping[tuple[int, str], Table]
"""By version of IP and name."""

_PASSING = frozenset({"ACCEPT", "RETURN", "QUEUE", "NFQUEUE", "TPROXY"})
_USE = re.compile(r"--(?:match|add)-set (\S+)")
_SET = re.compile(r"--match-set (\S+) src(?!,)")


def faults(tables: Tables) -> Iterator[str]:
    """Tell where packets do not come by our rules."""
    for (version, name), table in tables.items():
        tool = "iptables" if version == 4 else "ip6tables"  # noqa: PLR2004
        for hook in HOOKS[name]:
            if not table.is_hooked(hook):
                yield f"{tool}: {name} {hook} does not lead to {CHAIN}: nothing is stopped there"
            elif before := passing(table, hook):
                yield (
                    f"{tool}: in {name} {hook} packets pass by '{before}' before they come to "
                    f"{CHAIN}: put that rule behind ours"
                )


def passing(table: Table, hook: str) -> str | None:
    """Give the first rule ahead of ours that lets packets pass; None when there is none."""
    for line in table.chains.get(hook, ()):
        if line.text == written(JUMP):
            return None
        if _lets_pass(table, line, frozenset()):
            return line.text
    return None


def traffic(tables: Tables, elements: Mapping[str, int]) -> tuple[Traffic, ...]:
    """Sum up by set what our rules have stopped, or held."""
    packets: Counter[str] = Counter()
    size_bytes: Counter[str] = Counter()
    for line in _stopping(tables.values()):
        found = _SET.search(line.text)
        if found and found[1] in elements:
            packets[found[1]] += line.packets
            size_bytes[found[1]] += line.size_bytes
    return tuple(
        Traffic(
            name=name,
            elements=elements[name],
            packets=packets[name],
            size_bytes=size_bytes[name],
        )
        for name in sorted(packets)
    )


def uses(tables: Tables) -> Counter[str]:
    """Count by set the rules of ours that use it."""
    lines = (
        line for table in tables.values() for name in OURS for line in table.chains.get(name, ())
    )
    return Counter(name for line in lines for name in _USE.findall(line.text))


def _stopping(tables: Iterable[Table]) -> Iterator[Line]:
    for table in tables:
        for line in table.chains.get(CHAIN, ()):
            if line.target in {"DROP", HELD_CHAIN}:
                yield line


def _lets_pass(table: Table, line: Line, above: frozenset[str]) -> bool:
    """Whether a rule ends the way of packets that are not dropped; also in chains it leads to.

    A RETURN in those only leads back.
    """
    target = line.target
    if target == "RETURN":
        return not above
    if target in _PASSING:
        return True
    if target in above:
        return False
    below = table.chains.get(target, ())
    return any(_lets_pass(table, one, above | {target}) for one in below)
