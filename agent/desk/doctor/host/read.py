"""Reading what there is around the sockets: firewalls, the agent, the clock, the disk."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.act.command import find
from agent.act.iptables.info import read_info
from agent.act.iptables.variant import Commands
from agent.act.saved import faults_of
from agent.desk.check import Checked, checked
from agent.desk.doctor.host.values import DRY_RUN, Fences, Host, Room, Service
from agent.desk.site import agent_of
from agent.desk.verify import verify
from agent.desk.where import Where
from agent.errors import AgentError, FirewallError, ObserveError
from agent.observe.machine import is_clock_set
from agent.observe.units import configured, is_enabled, said, unit_file
from agent.policy import default_paths
from agent.record.locks import Agent
from agent.record.sqlite.file import NAME

UNIT = "abuse-agent.service"
_LEGACY = {4: "proc/net/ip_tables_names", 6: "proc/net/ip6_tables_names"}
_INFO = struct.Struct("=I5I5III")
_MOST_NAMES = 4096
_JOURNAL_S = "30s"
"""In which the journal takes 10,000 lines, unless told otherwise. Source: journald.conf(5)."""


@dataclass(slots=True)
class HostReader:
    """Reads, and keeps why something could not be read.

    Attributes:
        where: Of the agent.
        root: Of the file system.
        unread: Filled with why, by what.
    """

    where: Where
    root: Path
    unread: dict[str, str] = field(default_factory=dict)

    def read(self) -> Host:
        """Read all of it; what can't be had is told in `unread`."""
        service = self._service()
        return Host(
            fences=self._fences(service),
            service=service,
            rooms=tuple(_rooms(self.where.folder, self.root / "var/log")),
            is_clock_set=self._clock(),
        )

    def _clock(self) -> bool | None:
        try:
            return is_clock_set()
        except ObserveError as error:
            self.unread["clock"] = str(error)
            return None

    def _service(self) -> Service:
        agent: Agent | None = None
        try:
            agent = agent_of(self.where)
        except AgentError as error:
            self.unread["agent"] = str(error)
        return Service(
            running=agent,
            capabilities=_capabilities(agent.pid, self.root) if agent and agent.pid else None,
            folder=str(self.where.folder),
            is_installed=_is_there(self.where.folder / NAME)
            or unit_file(UNIT, self.root) is not None,
            is_enabled=is_enabled(UNIT, self.root),
            policy=self._policy(agent),
            quiet_s=_quiet(self.root),
        )

    def _policy(self, agent: Agent | None) -> Checked | None:
        try:
            paths = self.where.paths or (agent.policies if agent else ()) or default_paths()
            return checked([str(one) for one in paths], self.where.now)
        except AgentError as error:
            self.unread["policy"] = str(error)
            return None

    def _fences(self, service: Service) -> Fences:
        legacy = tuple(dict.fromkeys(self._legacy()))
        return Fences(
            commands=tuple(_commands()),
            legacy=legacy,
            beside=bool(legacy) and not _is_legacy(),
            saved=self._saved(),
            faults=self._verified() if _has_rules_of_ours(service, self.where.folder) else None,
        )

    def _saved(self) -> tuple[str, ...]:
        try:
            return tuple(faults_of(self.root))
        except OSError as error:
            self.unread["saved rules"] = str(error)
            return ()

    def _verified(self) -> tuple[str, ...] | None:
        try:
            return verify(self.where).faults
        except AgentError as error:
            self.unread["firewall"] = str(error)
            return None

    def _legacy(self) -> Iterator[str]:
        """Give the tables that have rules; only of those that are there already."""
        for version, file in _LEGACY.items():
            try:
                names = (self.root / file).read_text(errors="replace")[:_MOST_NAMES].split()
                yield from (name for name in names if _has_rules(read_info(version, name)))
            except (OSError, FirewallError):
                # Root alone may read it, and it is there only where legacy tables are.
                continue


def _has_rules_of_ours(service: Service, folder: Path) -> bool:
    """Whether there may be any: a dry run makes none, nor does what never kept a ledger."""
    agent = service.running
    return agent.firewall != DRY_RUN if agent else _is_there(folder / NAME)


def _has_rules(info: bytes) -> bool:
    """Whether there is more than a policy for each hook, and the end of the table."""
    hooks, *_, entries, _size = _INFO.unpack_from(info)
    return bool(entries > hooks.bit_count() + 1)


def _commands() -> Iterator[str]:
    if find("iptables"):
        yield f"iptables ({'legacy' if _is_legacy() else 'nf_tables'})"
    for tool in ("ipset", "nft"):
        if find(tool):
            yield tool


def _is_legacy() -> bool:
    try:
        return bool(find("iptables")) and Commands().is_legacy()
    except FirewallError:
        return False


def _rooms(*paths: Path) -> Iterator[Room]:
    devices = set()
    for path in paths:
        there = next((one for one in (path, *path.parents) if _is_there(one)), Path("/"))
        try:
            found, device = os.statvfs(there), there.stat().st_dev
        except OSError:
            continue
        if device not in devices and found.f_blocks:
            devices.add(device)
            yield Room(
                path=str(there),
                free_bytes=found.f_bavail * found.f_frsize,
                total_bytes=found.f_blocks * found.f_frsize,
                read_only=bool(found.f_flag & os.ST_RDONLY),
            )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _quiet(root: Path) -> str | None:
    """Give the interval that the journal counts the agent's lines by; None without a unit."""
    if unit_file(UNIT, root) is None:
        return None
    return (
        said(UNIT, "LogRateLimitIntervalSec", root)
        or configured("journald.conf", "RateLimitIntervalSec", root)
        or _JOURNAL_S
    )


def _capabilities(pid: int, root: Path) -> int | None:
    try:
        text = (root / f"proc/{pid}/status").read_text(errors="replace")
        return int(text.partition("CapEff:")[2].split()[0], 16)
    except (OSError, ValueError, IndexError):
        return None
