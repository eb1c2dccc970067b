"""The blocks of a policy file: which keys each has, and of what type. Declarations only.

A key that a rule may leave to the defaults is None when it is absent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent.model.address import HOST
from agent.model.policy import Mode, Recording, Safety
from agent.policy import fields as f
from agent.policy import respell
from agent.policy.typed import Text, word


class Shape(BaseModel):
    """A mapping with known keys. Each is checked as it is assigned, apart from the others."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)


class WidthShape(Shape):
    """How wide a judged source is, in bits of prefix length."""

    ipv4: f.Ipv4Width = Field(HOST.ipv4, description="For IPv4; 32 if left out.")
    ipv6: f.Ipv6Width = Field(HOST.ipv6, description="For IPv6; 64 if left out.")


class EscalateShape(Shape):
    """How much longer the next ban of the same source is."""

    times: f.Times | None = Field(
        None, description="The factor for each earlier ban; 2 if left out everywhere."
    )
    up_to: f.Length | None = Field(
        None, description="No ban gets longer than this; 24h if left out everywhere."
    )
    within: f.Within | None = Field(
        None, description="How far back an earlier ban counts; 7d if left out everywhere."
    )


Per = Annotated[
    WidthShape,
    word("host", {}, "host, or a mapping as {ipv4: 24, ipv6: 48}", respell.width),
]
Escalate = Annotated[
    EscalateShape,
    word(
        "none",
        {"times": "1"},
        "none, or a mapping as {times: 2, up_to: 24h}",
        respell.close_to(["none"], [("off", "none"), ("no", "none"), ("never", "none")]),
    ),
]


_TAPE = Recording()


class TapeShape(Shape):
    """How much of each cycle the tape keeps, and for how long."""

    floor: f.Floor = Field(
        _TAPE.floor, description="Hosts with more sockets are kept; 10 if left out."
    )
    prefix_floor: f.Floor = Field(
        _TAPE.prefix_floor, description="Wider sources with more sockets are kept; 100 if left out."
    )
    size: f.Size = Field(_TAPE.size_bytes, description="Of all files together; 200MB if left out.")
    age: f.Age = Field(_TAPE.age, description="What is older is forgotten; 14d if left out.")


Tape = Annotated[
    TapeShape,
    word(
        "none",
        {"size": "none"},
        "none, or a mapping as {floor: 10, size: 200MB}",
        respell.close_to(["none"], [("off", "none"), ("no", "none"), ("never", "none")]),
    ),
]


_SAFETY = Safety()


class SafetyShape(Shape):
    """Limits on what the agent itself may do."""

    new_bans_per_cycle: f.NewBans = Field(
        _SAFETY.new_bans_per_cycle,
        description="The heaviest are banned, the others next time; 1000 if left out.",
    )
    max_bans: f.MaxBans = Field(
        _SAFETY.max_bans, description="Bans in force at once; 100000 if left out."
    )
    known_clients_share: f.Share = Field(
        _SAFETY.known_clients_share,
        description="Above this share of the known clients the breaker opens; 20% if left out.",
    )


class Defaults(Shape):
    """What holds for every rule that does not say otherwise."""

    sustained: f.Sustained | None = Field(
        None, description="Samples above the limit; 3 of 5 if left out everywhere."
    )
    ban: f.Length | None = Field(
        None, description="The length of a first ban; 10m if left out everywhere."
    )
    scope: f.ScopeOf | None = Field(
        None, description="What a ban covers; service if left out everywhere."
    )
    escalate: Escalate | None = Field(
        None,
        description="Growth of later bans; {times: 2, up_to: 24h, within: 7d} if left out.",
    )
    warn: f.Warning_ | None = Field(
        None, description="Tell above this share of a limit; 80% if left out everywhere."
    )


class ServiceShape(Shape):
    """A name for local ports."""

    ports: f.Ports = Field(description="As the local socket has them.")


class PartyShape(Shape):
    """Sources that belong together, and what services that is about."""

    prefixes: tuple[f.Network, ...] = Field((), min_length=1, description="Networks.")
    ranges: tuple[f.Path, ...] = Field(
        (), min_length=1, description="Files of published ranges, relative to this file."
    )
    hosts: tuple[f.Host, ...] = Field(
        (), min_length=1, description="Host names that are resolved again and again."
    )
    services: tuple[f.Reference, ...] = Field(
        (), min_length=1, description="The services it is for; all if left out."
    )


class ProxiesShape(PartyShape):
    """Who speaks for many clients from its own addresses: never banned."""


class AdministratorsShape(Shape):
    """Whose far ends of sessions are remembered for ssh, beside root and some groups."""

    users: tuple[f.Account, ...] = Field((), min_length=1, description="Names of users.")
    groups: tuple[f.Account, ...] = Field(
        (), min_length=1, description="Names of groups, beside root, sudo, wheel and adm."
    )


class EntryShape(PartyShape):
    """Sources that are spared, or judged with patience."""

    name: f.EntryName = Field(description="Unique among the entries.")
    kind: f.KindOf = Field(description="Why it is there.")
    grants: f.Patience = Field(description="Full exemption, or patience.")
    names: tuple[f.Domain, ...] = Field(
        (), min_length=1, description="Domains of reverse names, confirmed forwards."
    )
    until: f.End | None = Field(
        None, description="Through this day (UTC), or to this moment; for ever if left out."
    )


class RuleShape(Defaults):
    """A limit, and what follows when a source is above it."""

    name: f.RuleName = Field(description="Unique among the rules.")
    service: f.Reference = Field(description="Whose ports it watches.")
    count: f.Measure = Field(description="What it counts.")
    above: f.Limit = Field(description="It fires when a count is above this.")
    states: tuple[f.State, ...] | None = Field(
        None, min_length=1, description="Which states it sums; ESTABLISHED if left out."
    )
    per: Per = Field(
        WidthShape.model_construct(), description="How wide a source is; a host if left out."
    )
    members: f.Members = Field(1, description="So many different hosts at least; 1 if left out.")
    mode: f.ModeOf = Field(
        Mode.ENFORCE, description="A shadow rule observes and bans nobody; enforce if left out."
    )
    throttle: f.Rate | None = Field(
        None, description="Slow new connections of the source down to this, instead of a ban."
    )
    lasts: f.Length | None = Field(
        None, alias="for", description="The length of a first throttle; that of a ban if left out."
    )


class HeadShape(Shape):
    """The plain values at the top of a file."""

    version: f.Version = Field(description="In every file.")
    every: f.Every | None = Field(None, description="Time between two cycles; 5s if left out.")
    tape: Tape = Field(TapeShape.model_construct(), description="What is recorded.")


class FileShape(HeadShape):
    """One policy file; several are joined."""

    model_config = ConfigDict(defer_build=True)

    safety: SafetyShape = Field(SafetyShape.model_construct(), description="In one file only.")
    defaults: Defaults = Field(Defaults.model_construct(), description="In one file only.")
    services: dict[f.Slug, ServiceShape] = Field(default={}, description="By name.")
    allowlist: tuple[EntryShape, ...] = Field((), description="Who is spared, and how.")
    trusted_proxies: ProxiesShape = Field(
        ProxiesShape.model_construct(), description="Who brings clients; in one file only."
    )
    administrators: AdministratorsShape = Field(
        AdministratorsShape.model_construct(), description="In one file only."
    )
    rules: tuple[RuleShape, ...] = Field((), description="Limits.")


NESTED: Mapping[str, type[Shape]] = MappingProxyType(
    {"per": WidthShape, "escalate": EscalateShape, "tape": TapeShape}
)
"""Keys whose value is a mapping with known keys of its own."""


ALSO_CALLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        word: tuple(names.split())
        for words, names in (
            ("limit", "above grants"),
            ("threshold more_than connlimit", "above"),
            ("factor patience", "grants"),
            ("measure metric", "count"),
            ("bantime duration ban_for", "ban"),
            ("ips ip addresses networks cidr cidrs", "prefixes"),
            ("domains domain dns ptr", "names"),
            ("files lists", "ranges"),
            ("expires expiry valid_until", "until"),
            ("port listen", "ports"),
            ("interval cycle", "every"),
            ("whitelist allow ignore ignoreip exempt", "allowlist"),
            ("type", "kind"),
            ("rate", "throttle"),
        )
        for word in words.split()
    }
)
"""What other tools call a key of ours."""

WHO = ("prefixes", "names", "ranges", "hosts")
"""Keys of a party of which it needs one."""

EXCLUDED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ban": ("throttle", "for"), "throttle": ("ban",), "for": ("ban",)}
)
"""Keys that can't stand beside a key."""

EXCLUDED_IF_UNPROVEN = ("ban", "states")
"""Keys that a rule can't have whose measure proves nothing."""


def text_of(shape: type[Shape], key: str) -> Text | None:
    """Give how the value of a key is read; None for lists and mappings."""
    info = shape.model_fields.get(key)
    texts = (one for one in info.metadata if isinstance(one, Text)) if info else iter(())
    return next(texts, None)


def keys(shape: type[Shape]) -> dict[str, str]:
    """Give the keys of a block, the required ones first, each with its attribute."""
    first = sorted(shape.model_fields.items(), key=lambda field: not field[1].is_required())
    return {info.alias or name: name for name, info in first}
