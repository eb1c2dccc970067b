"""What each exit status says. Source: sysexits.h."""

from collections.abc import Mapping
from types import MappingProxyType

BUG = 70
OUTPUT = 74
INTERRUPTED = 130

STATUSES: Mapping[int, str] = MappingProxyType(
    {
        0: "Done.",
        1: "The command found wrong what it looks for, or refused: verify, doctor, replay "
        "--against, and ban where somebody is spared.",
        2: "Wrong usage.",
        65: "What was given to be read holds nothing that can be read.",
        66: "No such source, policy or file.",
        69: "The firewall is not there, or did not do as told.",
        BUG: "A bug, or no answer of the kernel.",
        73: "The state directory or the ledger can't be used.",
        OUTPUT: "The output can't be written.",
        75: "Another agent, or another command, is at it.",
        77: "A capability is missing; the message names it.",
        78: "The policy is wrong.",
        INTERRUPTED: "Interrupted at the keyboard.",
    }
)
"""Each exit status with its meaning; those of errors are declared in `agent.errors`."""
