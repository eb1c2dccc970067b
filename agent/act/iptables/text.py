"""Rules as ``iptables-save`` writes them and ``iptables-restore`` reads them. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.act.interface import DIFFERS
from agent.act.iptables.rules import CHAIN, HELD_CHAIN, HOOKS, JUMP, Chain, Part, Rule

_LINE = re.compile(r"(?:\[(\d+):(\d+)\] )?-A (\S+) ?(.*)")
_JUMP = re.compile(r"(?:^|\s)-[jg] (\S+)")
_NO_BURST = re.compile(r"(--hashlimit-(?:above|upto) \S+)(?! --hashlimit-burst)(?=\s)")
_USUAL_BURST = r"\1 --hashlimit-burst 5"
"""What a limit has where nothing is printed; iptables 1.8.9 on nf_tables prints it as well."""
OURS = (CHAIN, HELD_CHAIN)


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as it was read.

    Attributes:
        text: Without its chain.
        packets: That came by.
        size_bytes: Of these packets.
    """

    text: str
    packets: int = 0
    size_bytes: int = 0

    @property
    def target(self) -> str:
        """Where it sends packets; empty when it only counts."""
        found = _JUMP.search(self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Attributes:
        chains: The rules of each chain.
    """

    chains: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)

    def holds(self, chain: Chain) -> bool:
        """Whether the chain is there with exactly these rules, in either spelling of a burst."""
        texts = self.texts(chain.name)
        if texts is None:
            return False
        return tuple(map(_with_burst, texts)) == tuple(map(written, chain.rules))

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Give the rules of a chain, without their counters; None when there is no such chain."""
        lines = self.chains.get(name)
        return None if lines is None else tuple(line.text for line in lines)

    def is_hooked(self, name: str) -> bool:
        """Whether every packet of a chain, as far as it gets there, is sent to ours."""
        return written(JUMP) in (self.texts(name) or ())

    def references(self) -> Iterator[tuple[str, int, str]]:
        """Give chain, position from 0 and text of all rules outside that lead into our chains.

        The last ones first, so that removing one moves none of the others.
        """
        for name, lines in self.chains.items():
            if name in OURS:
                continue
            for position, line in reversed(list(enumerate(lines))):
                if line.target in OURS:
                    yield name, position, line.text


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one table, all at once.

    Attributes:
        table: Which.
        rewrite: Chains of ours to be as said.
        hook: Chains of the system to send everything into ours first.
        unhook: Rules to remove, as `Table.references` gives them.
        drop: Chains of ours to remove.
        there: Chains of ours that were found.
    """

    table: str
    rewrite: tuple[Chain, ...] = ()
    hook: tuple[str, ...] = ()
    unhook: tuple[tuple[str, int, str], ...] = ()
    drop: tuple[str, ...] = ()
    there: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.rewrite or self.hook or self.unhook or self.drop)

    def names(self, version: int) -> Iterator[str]:
        """Tell what is to be changed, for a person."""
        return (name for name, _ in self._parts(version))

    def lacks(self, version: int) -> Iterator[str]:
        """Tell what is missing, and what is there but `DIFFERS`."""
        return (f"{name}{DIFFERS if is_there else ''}" for name, is_there in self._parts(version))

    def _parts(self, version: int) -> Iterator[tuple[str, bool]]:
        family = "" if version == 4 else " (IPv6)"  # noqa: PLR2004
        for name in (*(one.name for one in self.rewrite), *self.drop):
            yield f"{self.table} chain {name}{family}", name in self.there
        for name in dict.fromkeys((*self.hook, *(name for name, _, _ in self.unhook))):
            yield f"{self.table} {name}{family}", False


def written(rule: Rule) -> str:
    """Write a rule as it is printed, without its chain."""
    words = ["-p", rule.protocol] if rule.protocol else []
    for match in rule.matches:
        words += ["-m", match.name, *_options(match)]
    return " ".join([*words, "-j", rule.target.name, *_options(rule.target)])


def _with_burst(text: str) -> str:
    """Give a rule as it was read with the burst that may be left out."""
    return _NO_BURST.sub(_USUAL_BURST, text)


def parse_saved(text: str) -> Table:
    """Read one table from what ``iptables-save`` wrote, with or without counters."""
    chains: dict[str, list[Line]] = {}
    for line in text.splitlines():
        if line.startswith(":"):
            chains.setdefault(line[1:].split(" ", 1)[0], [])
        elif found := _LINE.fullmatch(line):
            packets, size_bytes, chain, rule = found.groups()
            chains.setdefault(chain, []).append(Line(rule, int(packets or 0), int(size_bytes or 0)))
    return Table({name: tuple(lines) for name, lines in chains.items()})


def script(change: Change) -> Iterator[str]:
    """Write a change for ``iptables-restore --noflush``, which carries it out whole or not at all.

    To name a chain of ours is to empty it, or to make it.
    """
    yield f"*{change.table}\n"
    for chain in change.rewrite:
        yield f":{chain.name} - [0:0]\n"
    for chain in change.rewrite:
        for rule in chain.rules:
            yield f"-A {chain.name} {written(rule)}\n"
    for name in change.hook:
        yield f"-I {name} 1 {written(JUMP)}\n"
    for name, _, text in change.unhook:
        yield f"-D {name} {text}\n"
    for name in change.drop:
        yield f"-F {name}\n"
    for name in change.drop:
        yield f"-X {name}\n"
    yield "COMMIT\n"


def difference(table: str, found: Table, wanted: tuple[Chain, ...]) -> Change:
    """Give what makes a table hold these chains of ours, and send packets there."""
    chains = tuple(chain for chain in wanted if chain.table == table)
    names = {chain.name for chain in chains}
    drop = tuple(name for name in OURS if name in found.chains and name not in names)
    rewrite = tuple(chain for chain in chains if not found.holds(chain))
    if drop:
        # What refers to them has to be empty of it in the same change.
        rewrite = chains
    hook = tuple(name for name in HOOKS[table] if not found.is_hooked(name))
    there = found.chains.keys() & OURS
    return Change(table, rewrite=rewrite, hook=hook, drop=drop, there=frozenset(there))


def removal(table: str, found: Table) -> Change:
    """Give what removes all that is ours from a table."""
    drop = tuple(name for name in OURS if name in found.chains)
    return Change(table, unhook=tuple(found.references()), drop=drop)


def _options(part: Part) -> Iterator[str]:
    for name, *values in part.options:
        yield f"--{name}"
        yield from values
