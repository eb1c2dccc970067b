"""What both variants of iptables have in common, and which one the command is.

A table is read by ``iptables-save`` in both; they differ in how it is written, and in how
one can tell cheaply that somebody has written it.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.act.command import run
from agent.act.iptables.text import Change, Table, parse_saved
from agent.errors import FirewallError

_VERSION = re.compile(r"v\d[^()]*\((legacy|nf_tables)\)")


@dataclass(frozen=True, slots=True)
class Commands:
    """The names of the commands.

    Attributes:
        suffix: Empty for those in use on this machine; ``-legacy`` or ``-nft``.
    """

    suffix: str = ""

    def name(self, version: int, verb: str = "") -> str:
        """Give the command for a family, such as ``ip6tables-save``."""
        return f"{'iptables' if version == 4 else 'ip6tables'}{self.suffix}{verb}"  # noqa: PLR2004

    def read(self, version: int, table: str) -> Table:
        """Read a table with its counters.

        Raises:
            FirewallError: It can't be read.
        """
        return parse_saved(run(self.name(version, "-save"), "-c", "-t", table))

    def is_legacy(self) -> bool:
        """Whether they are the variant with tables of their own in the kernel.

        Raises:
            FirewallError: There is no such command, or it does not say.
        """
        said = run(self.name(4), "--version")
        found = _VERSION.search(said)
        if found is None:
            # Before 1.8 there was no other; it said nothing in brackets.
            if re.search(r"v1\.[0-7]\b", said):
                return True
            raise FirewallError(f"{self.name(4)} does not say which variant it is: {said.strip()}")
        return found[1] == "legacy"


class Variant(Protocol):
    """How tables are written, and watched."""

    @property
    def commands(self) -> Commands:
        """By which tables are read."""

    def write(self, version: int, change: Change) -> None:
        """Carry out a change, whole or not at all.

        Raises:
            FirewallError: It was not carried out.
        """

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep out those who write at the same time, as far as they keep to it.

        Raises:
            FirewallError: It can't be had.
        """

    def look(self) -> object:
        """Give something that differs after any change that this variant can see.

        Raises:
            FirewallError: It can't be told.
        """

    def expected(self, before: object, writes: int) -> object:
        """Give what `look` gives after so many writes of ours and nobody else's.

        Args:
            before: What it gave ahead of them.
            writes: Calls of `write`.

        Raises:
            FirewallError: It can't be told.
        """
