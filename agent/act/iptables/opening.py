"""Which variants of iptables this machine has, and where rules of ours may still be.

Whoever switches the command from one variant to the other leaves our rules behind in the
first: they go on working, and hold on to our sets.
"""

from collections.abc import Iterator
from pathlib import Path

from agent.act.command import find
from agent.act.iptables.chains import Chains
from agent.act.iptables.legacy import LegacyVariant
from agent.act.iptables.nft import NftVariant
from agent.act.iptables.rules import TABLES
from agent.act.iptables.variant import Commands, Variant

_NET = Path("/proc/thread-self/net")
_LISTS = {4: "ip_tables_names", 6: "ip6_tables_names"}


def variant_of(commands: Commands, versions: tuple[int, ...]) -> Variant:
    """Give the variant that these commands are.

    Raises:
        FirewallError: There are no such commands.
    """
    return _variant(commands, versions, is_legacy=commands.is_legacy())


def other_than(variant: Variant, versions: tuple[int, ...]) -> Iterator[Chains]:
    """Give our chains in the variant that is not in use, where the machine has it."""
    is_legacy = not isinstance(variant, LegacyVariant)
    commands = Commands("-legacy" if is_legacy else "-nft")
    if find(commands.name(4, "-save")) is None:
        return
    # To look into a legacy table is to make it: only those that are there are looked at.
    there = tuple(one for one in versions if not is_legacy or _has_tables(one))
    if there:
        yield Chains(_variant(commands, there, is_legacy=is_legacy), there)


def _variant(commands: Commands, versions: tuple[int, ...], *, is_legacy: bool) -> Variant:
    return LegacyVariant(commands, versions) if is_legacy else NftVariant(commands)


def _has_tables(version: int) -> bool:
    try:
        names = (_NET / _LISTS[version]).read_text().split()
    except OSError:
        return False
    return any(name in TABLES for name in names)
