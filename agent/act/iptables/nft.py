"""The nf_tables variant of iptables: written by scripts, watched by the kernel's generation."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from agent.act.command import run
from agent.act.iptables.text import Change, script
from agent.act.iptables.variant import Commands
from agent.errors import FirewallError, ObserveError
from agent.kernel.nf_generation import generation


@dataclass(frozen=True, slots=True)
class NftVariant:
    """Keeps `agent.act.iptables.variant.Variant`."""

    commands: Commands = field(default_factory=Commands)

    def write(self, version: int, change: Change) -> None:
        """Carry out a change in one transaction."""
        run(self.commands.name(version, "-restore"), "--noflush", lines=script(change))

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold nothing: a transaction needs no lock."""
        return nullcontext()

    def look(self) -> int:
        """Give the generation."""
        try:
            return generation()
        except ObserveError as error:
            raise FirewallError(f"nf_tables can't be looked at: {error}") from error

    def expected(self, before: object, writes: int) -> int:
        """Count a generation for each write: a foreign one among them shows afterwards."""
        return (before if isinstance(before, int) else 0) + writes
