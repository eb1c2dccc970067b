"""The draft of a policy: what a peer's files say, in our words, with the line that says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from agent.desk.imports.notes import Notes
from agent.desk.imports.spot import Spot
from agent.model.address import Prefix
from agent.model.policy import Kind, Mode, Scope

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Generic[T]):
    """Somebody in a list.

    Attributes:
        what: A network, or a text that was read as the name of a host or as a domain.
        spot: Where it stands.
        remark: What the comment beside it says, or what was changed; may be empty.
    """

    what: T
    spot: Spot
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the allowlist, exempt.

    Attributes:
        name: Unique among the entries.
        kind: Why it is there, as far as that can be told.
        comment: Lines above it.
        prefixes: Networks.
        hosts: Host names.
        domains: Of reverse names.
        services: Those it is for; empty for all.
    """

    name: str
    kind: Kind
    comment: tuple[str, ...] = ()
    prefixes: tuple[Item[Prefix], ...] = ()
    hosts: tuple[Item[str], ...] = ()
    domains: tuple[Item[str], ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A rule.

    Attributes:
        name: Unique among the rules.
        service: Of the draft.
        comment: Lines above it.
        states: Names of those that are summed; empty for a rule that counts half-open ones.
        above: The limit.
        lasts: The length of a first ban or throttle.
        network_bits: How wide an IPv4 source is; 32 for a host.
        scope: What a ban covers.
        mode: Whether it acts.
    """

    name: str
    service: str
    comment: tuple[str, ...] = ()
    states: tuple[str, ...]
    above: int
    lasts: timedelta
    network_bits: int = 32
    scope: Scope
    mode: Mode = Mode.ENFORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What holds for all rules of a draft.

    Attributes:
        every: Time between two cycles.
        every_from: What says so; empty where nothing does.
        escalate: As the policy writes it.
        escalate_from: What says so; empty where nothing does.
    """

    every: timedelta
    every_from: str = ""
    escalate: str = "none"
    escalate_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All of it.

    Attributes:
        peer: Its name, for people.
        files: Those that were read, as they were named.
        differs: What is counted or done differently, a sentence each.
        head: None where the peer has no limits: then the default policy's hold.
        services: By name, their ports.
        entries: In the order of the files.
        limits: Empty where the peer has none.
        notes: The lines that have no counterpart.
    """

    peer: str
    files: tuple[str, ...]
    differs: tuple[str, ...]
    head: Head | None = None
    services: Mapping[str, tuple[range, ...]] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    limits: tuple[Limit, ...] = ()
    notes: Notes = field(default_factory=Notes)
