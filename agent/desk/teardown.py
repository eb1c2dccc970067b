"""Leaving a machine as if the agent had never been there."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from agent.act.choose import teardown_everywhere
from agent.act.saved import notes_after_teardown
from agent.desk.site import PATIENCE_S, agent_of, ledger_of
from agent.desk.where import Where
from agent.errors import BusyError, StateError
from agent.record.ledger import End
from agent.record.turns import writer_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What is gone.

    Attributes:
        names: Of chains, sets and tables, with the firewall's name first.
        bans: How many were in force.
        notes: What is left to the operator: saved rule files that still name our sets.
    """

    names: tuple[str, ...]
    bans: int
    notes: tuple[str, ...]


def teardown(where: Where) -> Removed:
    """Remove everything of ours from every firewall of this machine, and end all bans.

    Raises:
        BusyError: An agent is running: it would put everything back.
        FirewallError: Something of ours is still there.
        StateError: The state directory or the ledger can't be used; the text says whether
            anything is left.
    """
    agent = agent_of(where)
    if agent is not None:
        raise BusyError(
            f"an agent is running (pid {agent.pid}): stop it first, the service with "
            "systemctl disable --now abuse-agent"
        )
    with writer_lock(where.folder, PATIENCE_S) if _is_folder(where) else nullcontext():
        ledger = ledger_of(where)
        bans = ledger.in_force() if ledger else ()
        if ledger:
            # First: were this killed in between, what is still there is known to be over.
            ledger.end((*bans, *ledger.intended().values()), where.now, End.LIFTED)
        removed = _removed(len(bans))
        why = ledger.trouble() if ledger else None
    if why is not None:
        raise StateError(
            f"all is removed, but the ledger can't be written: {why}; an agent's next start "
            "would put the bans back: make room, or mend the disk, and try again"
        )
    return removed


def _is_folder(where: Where) -> bool:
    """Whether there is a state directory: none is made only to be torn down."""
    return where.folder.is_dir()


def _removed(bans: int) -> Removed:
    names = teardown_everywhere()
    return Removed(names=names, bans=bans, notes=tuple(notes_after_teardown(Path("/"))))
