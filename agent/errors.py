"""Every error that the agent raises on purpose, with its exit status.

    AgentError
    ├── PolicyError      78  policy files are wrong, each fault at a known place
    │   └── MissingFileError 66  a policy path does not exist
    ├── ObserveError     70  the kernel's answer can't be had or can't be read
    │   └── RefusedError     77  the kernel refuses to tell; another reader may be tried
    ├── FirewallError    69  the firewall is not there, or did not do as told
    │   └── PrivilegeError   77  this process may not use it; names the capability
    ├── StateError       73  the state directory or the ledger can't be used
    ├── BusyError        75  another agent, or another command, holds what is needed
    ├── MissingSourceError 66  the source asked for is not there
    ├── InputError       66  a file that was named to be read is not there, or no file
    │   └── UnreadableError  65  what was given to be read holds nothing that can be read
    └── SparedError       1  a ban by hand would reach somebody who is spared

The statuses are those of sysexits.h; a broad ``except`` stands only at the
outermost edge, in ``agent.cli.entry`` and around a cycle.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing wrong in a policy file, and where.

    Attributes:
        file: The file as the operator named it.
        line: Counted from 1; 0 when the file as a whole is meant.
        column: Counted from 1; 0 when the file as a whole is meant.
        path: Where in the document, as ``rules[0].above``; may be empty.
        problem: What is wrong there and what would be right, in one line.
    """

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    problem: str

    def __str__(self) -> str:
        """One line beginning with ``file:line:column``."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.problem}" if self.path else f"{place}: {self.problem}"


class AgentError(Exception):
    """Something the operator can be told about in one line."""

    exit_status: ClassVar[int] = 70


class PolicyError(AgentError):
    """Policy files are wrong.

    Attributes:
        faults: All that is wrong, in the order of the files; at least one.
    """

    exit_status = 78

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class MissingFileError(PolicyError):
    """None of the faults is worse than a path that does not exist."""

    exit_status = 66


class ObserveError(AgentError):
    """The kernel's answer can't be had, or can't be read."""


class RefusedError(ObserveError):
    """This process may not ask the kernel in this way at all."""

    exit_status = 77


class FirewallError(AgentError):
    """The firewall is not there, or did not do as it was told."""

    exit_status = 69


class PrivilegeError(FirewallError):
    """This process may not use the firewall; the text names the capability that it lacks."""

    exit_status = 77


class StateError(AgentError):
    """The state directory or the ledger can't be used."""

    exit_status = 73


class BusyError(AgentError):
    """Another agent, or another command, holds what is needed."""

    exit_status = 75


class MissingSourceError(AgentError):
    """The source that a command is about is not there."""

    exit_status = 66


class InputError(AgentError):
    """A file that was named to be read is not there, or is not a file."""

    exit_status = 66


class UnreadableError(InputError):
    """What was given to be read holds nothing that can be read."""

    exit_status = 65


class SparedError(AgentError):
    """A ban by hand would reach somebody who is guarded or exempt."""

    exit_status = 1
