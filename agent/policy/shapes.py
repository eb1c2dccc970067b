"""The blocks of a policy file: which keys each has, and of what type. Declarations only.

A key that a rule may leave to the defaults is None when it is absent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from agent.model.address import HOST
from agent.model.policy import Mode, Recording, Safety
from agent.policy import fields as f
from agent.policy import respell
from agent.policy.typed import Text, key, word


class Shape(BaseModel):
    """A mapping with known keys. Each is checked as it is assigned, apart from the others."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)


class WidthShape(Shape):
    """How wide a judged source is, in bits of prefix length."""

    ipv4: f.Ipv4Width = key(HOST.ipv4, means="For IPv4.", unless="`32`")
    ipv6: f.Ipv6Width = key(HOST.ipv6, means="For IPv6.", unless="`64`")


class EscalateShape(Shape):
    """How much longer the next ban of the same source is."""

    times: f.Times | None = key(
        None, means="The factor for each earlier ban.", unless="`2`", shared=True
    )
    up_to: f.Length | None = key(
        None,
        means="No ban gets longer than this; not below the first ban.",
        unless="`24h`",
        shared=True,
    )
    within: f.Within | None = key(
        None, means="How far back an earlier ban counts.", unless="`7d`", shared=True
    )


_NONE = respell.close_to(["none"], [("off", "none"), ("no", "none"), ("never", "none")])

Per = Annotated[WidthShape, word("host", {}, "{ipv4: 24, ipv6: 48}", respell.width)]
Escalate = Annotated[EscalateShape, word("none", {"times": "1"}, "{times: 2, up_to: 24h}", _NONE)]


_TAPE = Recording()


class TapeShape(Shape):
    """How much of each cycle the tape keeps, and for how long."""

    floor: f.Floor = key(
        _TAPE.floor,
        means="Hosts with more sockets than this are kept one by one, with all that they have.",
        unless="`10`",
    )
    prefix_floor: f.Floor = key(
        _TAPE.prefix_floor,
        means="So are all members of wider sources (`per` of a rule) with more sockets than this.",
        unless="`100`",
    )
    size: f.Size = key(
        _TAPE.size_bytes,
        means="Of all files together; the oldest make room. `none` records nothing.",
        unless="`200MB`",
    )
    age: f.Age = key(_TAPE.age, means="What is older is forgotten.", unless="`14d`")


Tape = Annotated[TapeShape, word("none", {"size": "none"}, "{floor: 10, size: 200MB}", _NONE)]


_SAFETY = Safety()


class SafetyShape(Shape):
    """Limits on what the agent itself may do."""

    new_bans_per_cycle: f.NewBans = key(
        _SAFETY.new_bans_per_cycle,
        means="The heaviest are banned, the others deferred to the next cycle.",
        unless="`1000`",
    )
    max_bans: f.MaxBans = key(_SAFETY.max_bans, means="Bans in force at once.", unless="`100000`")
    known_clients_share: f.Share = key(
        _SAFETY.known_clients_share,
        means="The breaker opens when more of the known clients would be banned; "
        "`100%` keeps it closed.",
        unless="`20%`",
    )


class Defaults(Shape):
    """What holds for every rule that does not say otherwise."""

    sustained: f.Sustained | None = key(
        None,
        means="So many of the last samples must be above the limit; with `every: 5s`, "
        "3 of 5 is 10 s at least.",
        unless="`3 of 5`",
        shared=True,
    )
    ban: f.Length | None = key(
        None, means="The length of a first ban.", unless="`10m`", shared=True
    )
    scope: f.ScopeOf | None = key(
        None,
        means="What a ban covers: only the service's TCP ports, or everything but ssh.",
        unless="`service`",
        shared=True,
    )
    escalate: Escalate | None = key(
        None,
        means="How later bans of the same source grow; `none` keeps the length.",
        unless="`{times: 2, up_to: 24h, within: 7d}`",
    )
    warn: f.Warning_ | None = key(
        None,
        means="A source above this share of a limit is told of.",
        unless="`80%`",
        shared=True,
    )


class ServiceShape(Shape):
    """A name for local ports."""

    ports: f.Ports = key(means="As the local socket has them, so behind a redirect too.")


class PartyShape(Shape):
    """Sources that belong together, and what services that is about."""

    prefixes: tuple[f.Network, ...] = key((), at_least=1, means="Networks.")
    ranges: tuple[f.Path, ...] = key(
        (),
        at_least=1,
        means="Files of published ranges, relative to the file that names them; those of "
        "large CDNs lie in policies/ranges.",
    )
    hosts: tuple[f.Host, ...] = key(
        (), at_least=1, means="Host names that are resolved again and again, A and AAAA."
    )
    services: tuple[f.Reference, ...] = key(
        (),
        at_least=1,
        means="Those it is for, and any other service with one of their ports.",
        unless="all",
    )


class ProxiesShape(PartyShape):
    """Who speaks for many clients from its own addresses: never banned."""

    services: tuple[f.Reference, ...] = key(
        (), at_least=1, means="Those that it brings clients to.", unless="all"
    )


class AdministratorsShape(Shape):
    """Whose far ends of sessions are remembered for ssh, beside root and some groups."""

    users: tuple[f.Account, ...] = key(
        (), at_least=1, means="Administrators beside root.", unless="root"
    )
    groups: tuple[f.Account, ...] = key(
        (),
        at_least=1,
        means="Groups of administrators beside these.",
        unless="`root`, `sudo`, `wheel`, `adm`",
    )


class EntryShape(PartyShape):
    """Sources that are spared, or judged with patience."""

    name: f.EntryName = key(means="Unique among the entries.")
    kind: f.KindOf = key(means="Why it is there; for people, it changes nothing.")
    grants: f.Patience = key(means="Never banned, or a factor of each limit.")
    names: tuple[f.Domain, ...] = key(
        (),
        at_least=1,
        means="Reverse names, confirmed forwards; names below a domain are meant too. "
        "A domain has two labels at least.",
    )
    until: f.End | None = key(
        None, means="Through that day in UTC, or to that moment.", unless="for ever"
    )


class RuleShape(Defaults):
    """A limit, and what follows when a source is above it."""

    name: f.RuleName = key(means="Unique among the rules.")
    service: f.Reference = key(means="Whose ports it watches.")
    count: f.Measure = key(means="The measure: what it counts.")
    above: f.Limit = key(means="The limit: the rule fires when a count is above it.")
    states: tuple[f.State, ...] | None = key(
        None,
        at_least=1,
        means="Those that `connections` sums; `SYN_RECV` is not among them.",
        unless="`[ESTABLISHED]`",
    )
    per: Per = key(
        WidthShape.model_construct(),
        means="How wide a source is; a host is /32 and /64, also for a family left out.",
        unless="`host`",
    )
    members: f.Members = key(
        1,
        means="So many different hosts at least (an IPv6 /64 is one); above 1 only if `per` "
        "is wider than a host in both families.",
        unless="`1`",
    )
    mode: f.ModeOf = key(
        Mode.ENFORCE, means="A shadow rule observes and bans nobody.", unless="`enforce`"
    )
    throttle: f.Rate | None = key(
        None, means="Instead of a ban: slow new connections of the source down to this."
    )
    lasts: f.Length | None = key(
        None,
        alias="for",
        means="The length of a first throttle; only beside `throttle`.",
        unless="that of a ban",
    )


class HeadShape(Shape):
    """The plain values at the top of a file."""

    version: f.Version = key(means="In every file.")
    every: f.Every | None = key(
        None, means="The time between the starts of two cycles.", unless="`5s`"
    )
    tape: Tape = key(TapeShape.model_construct(), means="How much of each cycle is recorded.")


class FileShape(HeadShape):
    """One policy file; several are joined."""

    model_config = ConfigDict(defer_build=True)

    safety: SafetyShape = key(
        SafetyShape.model_construct(), means="What the agent may do at most; in one file only."
    )
    defaults: Defaults = key(
        Defaults.model_construct(),
        means="What holds for every rule unless it says otherwise; in one file only.",
    )
    services: dict[f.Slug, ServiceShape] = key(
        {}, means="Names for ports; joined over the files, a name stands once.", unless="none"
    )
    allowlist: tuple[EntryShape, ...] = key(
        (), means="Who is spared, and how; joined over the files.", unless="none"
    )
    trusted_proxies: ProxiesShape = key(
        ProxiesShape.model_construct(),
        means="Who brings you clients from its own addresses; in one file only.",
        unless="none",
    )
    administrators: AdministratorsShape = key(
        AdministratorsShape.model_construct(),
        means="Whose sessions are remembered; in one file only.",
    )
    rules: tuple[RuleShape, ...] = key(
        (), means="Limits, and what follows; joined over the files, which have at least one."
    )


NESTED: Mapping[str, type[Shape]] = MappingProxyType(
    {"per": WidthShape, "escalate": EscalateShape, "tape": TapeShape}
)
"""Keys whose value is a mapping with known keys of its own."""


def text_of(shape: type[Shape], name: str) -> Text | None:
    """Give how the value of a key is read; None for lists and mappings."""
    info = shape.model_fields.get(name)
    texts = (one for one in info.metadata if isinstance(one, Text)) if info else iter(())
    return next(texts, None)


def keys(shape: type[Shape]) -> dict[str, str]:
    """Give the keys of a block, the required ones first, each with its attribute."""
    first = sorted(shape.model_fields.items(), key=lambda field: not field[1].is_required())
    return {info.alias or name: name for name, info in first}
