"""What is known of the firewall, the agent and the machine; None where it can't be told."""

from dataclasses import dataclass

from agent.desk.check import Checked
from agent.record.locks import Agent

DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left of a file system.

    Attributes:
        path: What is, or would be, on it.
        free_bytes: For those who are not root.
        total_bytes: All of it.
        read_only: Whether nothing can be written.
    """

    path: str
    free_bytes: int
    total_bytes: int
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fences:
    """The firewalls of this machine.

    Attributes:
        commands: Those that are installed, as ``iptables (nf_tables)`` or ``nft``.
        legacy: Tables of legacy iptables with rules in them, as ``filter``.
        beside: Whether the command in use sees other tables than those.
        saved: What is wrong with saved rule files, a sentence each.
        faults: What a check of the agent's rules finds; None where there is nothing to check.
    """

    commands: tuple[str, ...] = ()
    legacy: tuple[str, ...] = ()
    beside: bool = False
    saved: tuple[str, ...] = ()
    faults: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The agent on this machine.

    Attributes:
        running: It; None when none runs.
        capabilities: Of its process, a bit each; None where that can't be told.
        folder: The state directory.
        is_installed: Whether there is a ledger, or a unit.
        is_enabled: Whether a boot starts it.
        policy: What its files say.
        quiet_s: For how long the journal counts its lines before it drops some, by its unit,
            else by the journal's own configuration: 0 for never; None without a unit.
    """

    running: Agent | None = None
    capabilities: int | None = None
    folder: str = ""
    is_installed: bool = False
    is_enabled: bool = False
    policy: Checked | None = None
    quiet_s: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """All of it.

    Attributes:
        fences: The firewalls.
        service: The agent.
        rooms: File systems that matter.
        is_clock_set: Whether the clock is synchronised; None where the kernel does not tell.
    """

    fences: Fences = Fences()
    service: Service = Service()
    rooms: tuple[Room, ...] = ()
    is_clock_set: bool | None = None
