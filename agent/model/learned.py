"""What the agent has learned and would be a pity to forget over a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.model.address import Address, Prefix

Clients: TypeAlias = Mapping[bytes, tuple[int, int]]
"""Who was here, by key (of width `HOST`): in how many looks it was ESTABLISHED on a listening
port, and the second of the epoch at the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """An address whose name was confirmed.

    Attributes:
        entries: The allowlist entries that it belongs to; not empty.
        at: When that was confirmed last; aware, UTC.
        names: The names that were confirmed, in lower case: under a policy that lists other
            domains it belongs to other entries.
    """

    entries: frozenset[str]
    at: datetime
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Everything of that kind; each part is bounded by whoever fills it.

    Attributes:
        clients: Who was here before.
        sessions: By address, when an administrator was last logged in from there; aware, UTC.
        verified: Addresses with confirmed names.
        hosts: What host names of the policy stood for, by host name.
        tried: The hash of the policy whose first cycles are over; empty for none.
    """

    clients: Clients = field(default_factory=dict)
    sessions: Mapping[Address, datetime] = field(default_factory=dict)
    verified: Mapping[Address, Verified] = field(default_factory=dict)
    hosts: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)
    tried: str = ""
