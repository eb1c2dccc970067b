"""What our table looks like in the kernel, and how that differs from what is wanted."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.act.nftables.layout import TABLE, Hook, Wanted
from agent.kernel import nf_tables
from agent.kernel.nf_tables import Kind, attributes, items, number, text

_TABLE_NAME, _TABLE_FLAGS = 1, 2
_CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY = 3, 4, 5
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_CHAIN, _RULE_EXPRESSIONS, _RULE_COMMENT = 2, 4, 7
_SET_NAME, _SET_FLAGS, _SET_KEY_BYTES, _SET_LIMIT = 2, 3, 5, 17
_EXPRESSION_NAME, _EXPRESSION_DATA = 1, 2
_COUNTER_BYTES, _COUNTER_PACKETS, _LOOKUP_SET = 1, 2, 1
_ANONYMOUS, _INTERVAL, _TIMEOUT = 0x1, 0x4, 0x10
_KEY_BYTES = {"ipv4_addr": 4, "ipv6_addr": 16, "inet_service": 4}
_TYPES = re.compile(r"type ([a-z0-9_ .]+);")
_NUMBERED = re.compile(rf"{TABLE} ([0-9a-f]+) (\d+)/(\d+)")
_ACCEPT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SetShape:
    """What tells whether a set is the one that was asked for."""

    key_bytes: int
    is_interval: bool
    has_timeout: bool
    has_limit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseShape:
    """Where packets enter a chain, and what happens to them at its end."""

    hook: int
    priority: int
    policy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its comment, the set that decides, and what it has counted."""

    comment: str | None
    set_name: str
    packets: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """All of it.

    Attributes:
        is_there: Whether there is a table of our name.
        flags: Of the table; a dormant one has some.
        sets: By name.
        chains: By name; None for one that no packet enters by itself.
        rules: By chain, in order.
    """

    is_there: bool = False
    flags: int = 0
    sets: Mapping[str, SetShape] = field(default_factory=dict)
    chains: Mapping[str, BaseShape | None] = field(default_factory=dict)
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)


def read() -> Structure:
    """Read the table.

    Raises:
        ObserveError: It can't be read.
    """
    tables = [attributes(row) for row in nf_tables.dump(Kind.TABLE, TABLE)]
    ours = [one for one in tables if text(one.get(_TABLE_NAME)) == TABLE]
    if not ours:
        return Structure()
    rules: dict[str, list[Rule]] = {}
    for rule in _rows(Kind.RULE):
        rules.setdefault(text(rule.get(_RULE_CHAIN)), []).append(_rule(rule))
    return Structure(
        is_there=True,
        flags=number(ours[0].get(_TABLE_FLAGS)),
        sets=set_shapes(),
        chains={text(one.get(_CHAIN_NAME)): _base(one) for one in _rows(Kind.CHAIN)},
        rules={chain: tuple(each) for chain, each in rules.items()},
    )


def set_shapes() -> dict[str, SetShape]:
    """Read the sets that have names.

    Raises:
        RefusedError: The kernel does not let us ask, or there is no table of ours.
        ObserveError: They can't be read.
    """
    named = (one for one in _rows(Kind.SET) if not number(one.get(_SET_FLAGS)) & _ANONYMOUS)
    return {text(one.get(_SET_NAME)): _shape(one) for one in named}


def is_there() -> bool:
    """Whether there is a table of ours.

    Raises:
        ObserveError: It can't be told.
    """
    rows = nf_tables.dump(Kind.TABLE, TABLE)
    return any(text(attributes(row).get(_TABLE_NAME)) == TABLE for row in rows)


def wanted_shape(declaration: str) -> SetShape:
    """Give the shape of a set as it is declared."""
    types = _TYPES.match(declaration)
    fields = types[1].split(" . ") if types else []
    return SetShape(
        key_bytes=sum(_KEY_BYTES[one] for one in fields),
        is_interval="interval" in declaration,
        has_timeout="timeout" in declaration,
        has_limit=" limit rate over " in declaration,
    )


def wanted_base(hook: Hook | None) -> BaseShape | None:
    """Give the shape of a chain with this hook."""
    if hook is None:
        return None
    return BaseShape(hook=hook.number, priority=hook.priority, policy=_ACCEPT)


def stale_sets(there: Structure, want: Wanted) -> tuple[str, ...]:
    """Give the sets that are not wanted, or not as they are."""
    shapes = {name: wanted_shape(each) for name, each in want.sets.items()}
    return tuple(name for name, shape in there.sets.items() if shapes.get(name) != shape)


def wrong_chains(there: Structure, want: Wanted) -> tuple[str, ...]:
    """Give the chains that are missing, not wanted, or not as they are wanted."""
    comments, wrong = want.comments(), []
    for name in {**want.chains, **there.chains}:
        chain = want.chains.get(name)
        found = tuple(rule.comment for rule in there.rules.get(name, ()))
        if (
            chain is None
            or name not in there.chains
            or there.chains[name] != wanted_base(chain.hook)
            or found != comments[name]
        ):
            wrong.append(name)
    return tuple(wrong)


def faults(there: Structure) -> Iterator[str]:
    """Say what is wrong with the table, without knowing the layout that it was made for."""
    mend = "start the agent, which makes it again"
    if not there.is_there:
        yield f"there is no table inet {TABLE}, so that nobody is kept out: {mend}"
        return
    if there.flags:
        yield (
            f"the table inet {TABLE} is dormant, so that no packet comes by: "
            f"nft add table inet {TABLE}"
        )
    for name, hook in _HOOKS.items():
        if there.chains.get(name) != hook:
            yield f"the chain {name} of inet {TABLE} is missing or not hooked as it was: {mend}"
    if why := _disorder(there):
        yield f"{why} in inet {TABLE}: {mend}"


_HOOKS = {
    "prerouting": BaseShape(hook=0, priority=-310, policy=_ACCEPT),
    "input": BaseShape(hook=1, priority=-160, policy=_ACCEPT),
    "forward": BaseShape(hook=2, priority=-160, policy=_ACCEPT),
}


def _disorder(there: Structure) -> str | None:
    """Say what is wrong with the rules: each is numbered, and says how many there are."""
    found = [
        _NUMBERED.fullmatch(rule.comment or "") for rules in there.rules.values() for rule in rules
    ]
    ours = [one for one in found if one]
    if not ours:
        return "there are no rules"
    if len(ours) < len(found):
        return f"{len(found) - len(ours)} rules are not the agent's"
    total = max(int(one[3]) for one in ours)
    if len({one[1] for one in ours}) > 1 or len(ours) > total:
        return "rules of different layouts are mixed"
    if Counter(int(one[2]) for one in ours) != Counter(range(1, total + 1)):
        return f"{total - len({one[2] for one in ours})} of {total} rules are missing"
    return None


def _rows(kind: Kind) -> Iterator[nf_tables.Attributes]:
    for row in nf_tables.dump(kind, TABLE):
        one = attributes(row)
        if text(one.get(_TABLE_NAME)) == TABLE:
            yield one


def _shape(one: nf_tables.Attributes) -> SetShape:
    flags = number(one.get(_SET_FLAGS))
    return SetShape(
        key_bytes=number(one.get(_SET_KEY_BYTES)),
        is_interval=bool(flags & _INTERVAL),
        has_timeout=bool(flags & _TIMEOUT),
        has_limit=_SET_LIMIT in one,
    )


def _base(one: nf_tables.Attributes) -> BaseShape | None:
    if _CHAIN_HOOK not in one:
        return None
    hook = attributes(one[_CHAIN_HOOK])
    return BaseShape(
        hook=number(hook.get(_HOOK_NUMBER)),
        priority=int.from_bytes(hook.get(_HOOK_PRIORITY, b""), "big", signed=True),
        policy=number(one.get(_CHAIN_POLICY)),
    )


def _rule(one: nf_tables.Attributes) -> Rule:
    set_name, packets, size = "", 0, 0
    for item in items(one.get(_RULE_EXPRESSIONS, b"")):
        expression = attributes(item)
        data = attributes(expression.get(_EXPRESSION_DATA, b""))
        name = text(expression.get(_EXPRESSION_NAME))
        if name == "lookup":
            set_name = text(data.get(_LOOKUP_SET))
        elif name == "counter":
            packets = number(data.get(_COUNTER_PACKETS))
            size = number(data.get(_COUNTER_BYTES))
    return Rule(
        comment=nf_tables.comment(one.get(_RULE_COMMENT)),
        set_name=set_name,
        packets=packets,
        size_bytes=size,
    )
