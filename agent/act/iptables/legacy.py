"""The legacy variant of iptables: written through python-iptables, under the lock of xtables.

Three things of the library are worked around. It keeps its tables for ever, so that each
change begins with a fresh look. Its check of a rule puts a pipe in the place of the
process's standard output, and memory that is free already in the place of an extension's
own: the check is made here. And asking for a chain by name makes it load all tables that the
kernel knows, nat as well: it is told that those which we don't use are not there.
"""

import ctypes
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from agent.act.iptables.info import read_info
from agent.act.iptables.lock import xtables_lock
from agent.act.iptables.rules import JUMP, TABLES, Part, Rule
from agent.act.iptables.text import Change
from agent.act.iptables.variant import Commands
from agent.errors import FirewallError
from agent.without import without

_UNUSED = {"filter": False, "nat": False, "security": False}


@dataclass(frozen=True, slots=True)
class LegacyVariant:
    """Keeps `agent.act.iptables.variant.Variant`.

    Attributes:
        commands: By which tables are read.
        versions: Of IP that are watched.
    """

    commands: Commands = field(default_factory=Commands)
    versions: tuple[int, ...] = (4, 6)

    def write(self, version: int, change: Change) -> None:
        """Carry out a change in one commit, which fails when somebody was quicker."""
        iptc = _library()
        try:
            table = _fresh(iptc, version, change.table)
            _carry_out(_Writer(iptc, version, table), change)
            table.commit()
        except (iptc.IPTCError, iptc.XTablesError, ValueError) as error:
            raise FirewallError(f"{self.commands.name(version)}: {error}") from error

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock of xtables."""
        return xtables_lock()

    def look(self) -> tuple[bytes, ...]:
        """Give what the kernel says about our tables."""
        return tuple(read_info(version, table) for version in self.versions for table in TABLES)

    def expected(self, before: object, writes: int) -> object:  # noqa: ARG002 - one knows by looking
        """Look again: under the lock nobody else was at it."""
        return self.look()


@dataclass(frozen=True, slots=True)
class _Writer:
    """A table of the library that holds changes until they are committed."""

    iptc: Any
    version: int
    table: Any

    def empty(self, name: str) -> None:
        """Make a chain be there, without rules."""
        if self.table.is_chain(name):
            self.table.flush_entries(name)
        else:
            self.table.create_chain(name)

    def rule(self, rule: Rule) -> Any:  # noqa: ANN401 - the library has no types
        """Give the bytes of a rule."""
        made = self.iptc.Rule() if self.version == 4 else self.iptc.Rule6()  # noqa: PLR2004
        if rule.protocol:
            made.protocol = rule.protocol
        for match in rule.matches:
            _fill(made.create_match(match.name), match)
        _fill(made.create_target(rule.target.name), rule.target)
        return made.rule

    def remove_at(self, chain: str, position: int) -> None:
        """Remove a rule, whatever it is: one that is not ours is never taken apart."""
        call = self.table._iptc.iptc_delete_num_entry  # noqa: SLF001 - the library hides it
        if not call(chain.encode(), ctypes.c_uint(position), self.table._handle):  # noqa: SLF001
            raise ValueError(f"rule {position + 1} of {chain} can't be removed")


def _carry_out(writer: _Writer, change: Change) -> None:
    for chain in change.rewrite:
        writer.empty(chain.name)
    for chain in change.rewrite:
        for rule in chain.rules:
            writer.table.append_entry(chain.name, writer.rule(rule))
    for name in change.hook:
        writer.table.insert_entry(name, writer.rule(JUMP), 0)
    for name, position, _ in change.unhook:
        writer.remove_at(name, position)
    for name in change.drop:
        writer.table.flush_entries(name)
    for name in change.drop:
        writer.table.delete_chain(name)


def _fill(part: Any, wanted: Part) -> None:  # noqa: ANN401 - the library has no types
    """Set the options of a match or target, and have its extension check them together."""
    module = part._module  # noqa: SLF001 - see the head of this file
    own = (ctypes.c_ubyte * max(1, getattr(module, "udata_size", 0)))()
    module.udata = ctypes.cast(own, ctypes.c_void_p)
    for name, *values in wanted.options:
        part.set_parameter(name, values)
    part._final_check()  # noqa: SLF001 - ditto
    module.udata = None


def _fresh(iptc: Any, version: int, name: str) -> Any:  # noqa: ANN401 - the library has no types
    """Give the table as it is now, in this namespace, and keep changes until a commit."""
    kind = iptc.Table if version == 4 else iptc.Table6  # noqa: PLR2004
    kind.existing_table_names.update(_UNUSED)
    table = kind(name, autocommit=False)
    table.refresh()
    return table


def _library() -> Any:  # noqa: ANN401 - the library has no types
    """Load python-iptables where it is needed.

    It asks distutils for a folder, for which setuptools would come in with 20 MB of memory;
    where there is no distutils, as from Python 3.12 on, it asks sysconfig instead.

    Raises:
        FirewallError: It is not there, or does not find the libraries of xtables.
    """
    try:
        with warnings.catch_warnings(), without("distutils"):
            warnings.simplefilter("ignore")
            import iptc  # noqa: PLC0415 - see above
    except Exception as error:
        raise FirewallError(f"python-iptables can't be loaded: {error}") from error
    return iptc
