"""Trees to YAML in many spellings that mean the same, and mistakes that people make in them."""

from copy import deepcopy
from random import Random
from typing import Any

PLAIN_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
PLAIN = PLAIN_FIRST | frozenset("._-/%")
ODD = (
    *("", "~", "null", "yes", "no", "0", "-1", "00", "010", "1.0", "1e3", "0x1F", "1_000", "+5"),
    *("9" * 400, "5 s", "5sec", "5S", "ms", "1h1d", "1/0", "1/s ", "0%", "101%", "80 %", "0x"),
    *("1x", "exempt ", "Exempt", "SYN_RECV", "established", "LISTEN", "host", "none", "3 of 0"),
    *("\u0661", "\u00e9", "\u65e5\u672c", "\u200b", "a\u0301", "\U0001f600", "\ufb01", "\uff11"),
    *("10.0.0.1/8", "10.0.0.0/33", "::1/129", "fe80::1%eth0", "256.1.1.1", "0.0.0.0/0", "*"),
    *("10.0.0.0/08", "10.0.0.0/255.0.0.0", "com", "2027-02-30", "2027-13-01", "9999-12-31"),
    *("22:30", "manual", "trusted_proxies", "a b", "-a", "61 of 61", "2026-01-01T10:00:00"),
)


def scalar(rng: Random, text: str) -> str:
    """Write a text plainly or in quotes."""
    is_plain = text[:1] in PLAIN_FIRST and set(text) <= PLAIN | {" "} and text == text.strip()
    if is_plain and rng.random() < 0.8:
        return text
    if rng.random() < 0.5 and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    escaped = "".join(
        one if one.isprintable() and one not in '"\\' else f"\\U{ord(one):08x}" for one in text
    )
    return f'"{escaped}"'


def flow(rng: Random, node: Any) -> str:
    """Write a node within brackets."""
    if isinstance(node, dict):
        inner = ", ".join(f"{scalar(rng, key)}: {flow(rng, one)}" for key, one in node.items())
        return f"{{{inner}}}"
    if isinstance(node, list):
        return f"[{', '.join(flow(rng, one) for one in node)}]"
    return scalar(rng, node)


def block(rng: Random, node: Any, indent: int) -> str:
    """Write a node behind a key or a hyphen, which stand at `indent`."""
    if not node or isinstance(node, str) or rng.random() < 0.3:
        return f" {flow(rng, node)}\n"
    pad = " " * (indent + rng.choice([1, 2, 2, 4]))
    note = "   # why" if rng.random() < 0.1 else ""
    if isinstance(node, list):
        return f"{note}\n" + "".join(f"{pad}-{block(rng, one, len(pad))}" for one in node)
    lines = [f"{pad}{scalar(rng, key)}:{block(rng, one, len(pad))}" for key, one in node.items()]
    return f"{note}\n{''.join(lines)}"


def written(rng: Random, tree: dict[str, Any]) -> str:
    """Write a policy."""
    keys = list(tree)
    rng.shuffle(keys)
    text = "".join(f"{scalar(rng, key)}:{block(rng, tree[key], 0)}" for key in keys)
    if rng.random() < 0.1:
        text = text.replace("\n", rng.choice(["\r\n", "\n\n", "  \n"]))
    return rng.choice(["", "", "---\n", "# a policy\n", "\ufeff"]) + text


def places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Give the way to every value in a tree."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    found: list[tuple[str | int, ...]] = []
    for key, one in items:
        found.append((*path, key))
        if isinstance(one, dict | list):
            found += places(one, (*path, key))
    return found


def misspelt(rng: Random, text: str) -> str:
    """Put one mistake into a text."""
    at = rng.randrange(len(text) + 1)
    match rng.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + rng.choice("abz019-_. %/:x\u00e9") + text[at:]
        case 2:
            return text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :]
        case _:
            return text.swapcase()


def mutated(rng: Random, tree: dict[str, Any]) -> dict[str, Any]:
    """Give the tree with up to three mistakes in it."""
    tree = deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        ways = places(tree)
        if not ways:
            break
        *way, last = rng.choice(ways)
        node: Any = tree
        for step in way:
            node = node[step]
        _break(rng, node, last)
    return tree


def _break(rng: Random, node: Any, last: Any) -> None:
    value = node[last]
    match rng.randrange(7):
        case 0:
            del node[last]
        case 1 if isinstance(node, dict):
            del node[last]
            node[misspelt(rng, last)] = value
        case 2 if isinstance(value, str):
            node[last] = misspelt(rng, value)
        case 3:
            node[last] = rng.choice(ODD)
        case 4:
            node[last] = rng.choice([[], {}, [value], {"a": value}, [[value]]])
        case 5 if isinstance(node, dict):
            other = rng.choice(list(node))
            node[last], node[other] = node[other], node[last]
        case _ if isinstance(node, list):
            node.append(deepcopy(value))
        case _:
            node[rng.choice(["throttle", "ban", "for", "scope", "states", "per", "until"])] = value
