"""The types of a policy's values: a text to each, with what is expected and its JSON schema."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import Field

from agent.model.address import Prefix
from agent.model.measure import MEASURES
from agent.model.measure import Measure as ModelMeasure
from agent.model.policy import Kind, Mode, Scope
from agent.model.policy import Rate as ModelRate
from agent.model.policy import Sustained as ModelSustained
from agent.model.sample import State as ModelState
from agent.policy import names, patterns, respell, scalars
from agent.policy.scalars import Misfit
from agent.policy.typed import Short, Text

LONGEST = "24d20h31m23s"
"""The longest timeout that an ipset element can have: almost 25 days."""

MOST_PORTS = 64
"""Ports and ranges in the list of a service."""


def _whole(low: int, high: int) -> Text:
    return Text(
        expected=f"a whole number of {low} to {high}",
        read=scalars.whole(low, high),
        schema=patterns.whole(low, high),
        kind="number",
        bounds=f"{low:,} to {high:,}",
        respell=respell.whole,
    )


def _one_of(allowed: type[Kind | Mode | Scope], **also: str) -> Text:
    return Text(
        expected=names.one_of(allowed),
        read=names.choice(allowed),
        schema={"enum": list(allowed)},
        kind=_choices(allowed),
        respell=respell.close_to(allowed, also.items()),
    )


def _choices(allowed: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in allowed)


def _duration(low: str, high: str, as_written: str, why: str = "") -> Text:
    return Text(
        expected=f"a duration of {low} to {high}{why} as {as_written}",
        read=scalars.duration(low, high),
        schema=patterns.DURATION,
        kind="duration",
        bounds=f"{low} to {high}",
        respell=respell.duration,
    )


def _name(read: Callable[[str], str], reserved: str = "") -> Text:
    return Text(
        expected="a name of at most 64 letters, digits, dots, hyphens and underscores",
        read=read,
        schema=patterns.but(patterns.SLUG, reserved) if reserved else patterns.SLUG,
        kind="name",
        bounds=f"not `{reserved}`" if reserved else "",
        respell=respell.slug,
    )


def _version(text: str) -> int:
    if text != "1":
        raise Misfit
    return 1


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_STATES = [state.name for state in ModelState if state in names.NAMEABLE]
_MEASURES_ALSO = (
    *((state.name, one.name) for one in MEASURES.values() for state in one.states),
    *(("syn", "half_open"), ("conn", "connections"), ("sockets", "connections")),
)
_SERVICE = "the name of a service"

Version: TypeAlias = Annotated[
    int,
    Text(
        expected="1, the only version there is",
        read=_version,
        schema={"enum": [1, "1"]},
        kind="`1`",
        respell=respell.version,
    ),
]
Every: TypeAlias = Annotated[timedelta, _duration("200ms", "60s", "5s")]
Length: TypeAlias = Annotated[
    timedelta, _duration("1s", LONGEST, "10m or 1h30m", " (a kernel set keeps no longer timer)")
]
Within: TypeAlias = Annotated[timedelta, _duration("1m", "365d", "7d")]
Share: TypeAlias = Annotated[
    Fraction,
    Text(
        expected="a share of 1% to 100%",
        read=scalars.share,
        schema=patterns.SHARE,
        kind="share",
        bounds="1% to 100%",
        respell=respell.share,
    ),
]
Warning_: TypeAlias = Annotated[
    Fraction,
    Text(
        expected="a share of 1% to 100%, or none",
        read=scalars.warning,
        schema=patterns.WARNING,
        kind="share, or `none`",
        bounds="1% to 100%",
        respell=respell.warning,
    ),
]
Size: TypeAlias = Annotated[
    int,
    Text(
        expected="a size of 1MB to 1TB as 200MB, or none",
        read=scalars.size,
        schema=patterns.SIZE,
        kind="size, or `none`",
        bounds="1MB to 1TB",
        respell=respell.size,
    ),
]
Age: TypeAlias = Annotated[timedelta, _duration("1h", "365d", "14d")]
Sustained: TypeAlias = Annotated[
    ModelSustained,
    Text(
        expected="so many of the last samples as 3 of 5, at most of 60",
        read=scalars.sustained,
        schema=patterns.SUSTAINED,
        kind="`K of N`",
        bounds="1 <= K <= N <= 60",
        respell=respell.sustained,
    ),
]
Rate: TypeAlias = Annotated[
    ModelRate,
    Text(
        expected="a rate as 1/s, 10/m or 60/h, of at most 10000 (new connections)",
        read=scalars.rate,
        schema=patterns.RATE,
        kind="rate",
        bounds="1 to 10,000",
        respell=respell.rate,
    ),
]
Patience: TypeAlias = Annotated[
    int | None,
    Text(
        expected="exempt, or a factor of each limit of 2x to 1000x",
        read=scalars.patience,
        schema=patterns.PATIENCE,
        kind="`exempt`, or `2x` to `1000x`",
        respell=respell.patience,
    ),
]
Port: TypeAlias = Annotated[
    range,
    Text(
        expected="a port of 1 to 65535, or a range as 8000-8099",
        read=scalars.ports,
        schema=patterns.port(),
        kind="port or range",
        bounds="1 to 65535",
        respell=respell.ports,
    ),
]
Ports: TypeAlias = Annotated[
    tuple[Port, ...],
    Field(min_length=1, max_length=MOST_PORTS),
    Short(_listed, patterns.port(), kind="port, range, or a list of them", bounds="1 to 65535"),
]
End: TypeAlias = Annotated[
    datetime,
    Text(
        expected="a date as 2027-01-31, or a moment as 2027-01-31T18:00:00Z",
        read=scalars.end,
        schema=patterns.END,
        kind="`2027-01-31`, or `2027-01-31T18:00:00Z`",
        respell=respell.end,
    ),
]
Slug: TypeAlias = Annotated[str, _name(names.slug)]
Reference: TypeAlias = Annotated[
    str,
    Text(
        expected=_SERVICE,
        read=str,
        schema=patterns.SLUG,
        kind="name of a service",
        many="services",
    ),
]
EntryName: TypeAlias = Annotated[str, _name(names.entry_name, names.TRUSTED_PROXIES)]
RuleName: TypeAlias = Annotated[str, _name(names.rule_name, names.MANUAL)]
Account: TypeAlias = Annotated[
    str,
    Text(
        expected="the name of a user or a group, without blanks, as alice",
        read=names.account,
        schema=patterns.ACCOUNT,
        kind="name",
    ),
]
Domain: TypeAlias = Annotated[
    str,
    Text(
        expected="a domain as example.net",
        read=names.domain,
        schema=patterns.DOMAIN,
        kind="domain",
        respell=respell.domain,
    ),
]
Host: TypeAlias = Annotated[
    str,
    Text(
        expected="a host name as vpn.example.net",
        read=names.host,
        schema=patterns.HOST,
        kind="host name",
        respell=respell.domain,
    ),
]
Path: TypeAlias = Annotated[
    str,
    Text(
        expected="the path of a file as ranges/vendor.json",
        read=names.path,
        schema=patterns.PATH,
        kind="path",
    ),
]
Network: TypeAlias = Annotated[
    Prefix,
    Text(
        expected="an address or a network as 203.0.113.0/24",
        read=names.prefix,
        schema=patterns.NETWORK,
        kind="prefix",
        many="prefixes",
        respell=respell.prefix,
    ),
]
State: TypeAlias = Annotated[
    ModelState,
    Text(
        expected=f"a TCP state ({', '.join(_STATES)})",
        read=names.state,
        schema={"enum": _STATES},
        kind="state",
        respell=names.respell_state,
    ),
]
Measure: TypeAlias = Annotated[
    ModelMeasure,
    Text(
        expected=names.one_of(MEASURES),
        read=names.measure,
        schema={"enum": list(MEASURES)},
        kind=_choices(MEASURES),
        respell=respell.close_to(MEASURES, _MEASURES_ALSO),
    ),
]
KindOf: TypeAlias = Annotated[
    Kind, _one_of(Kind, bot="crawler", cdn="infrastructure", proxy="infrastructure")
]
ModeOf: TypeAlias = Annotated[
    Mode, _one_of(Mode, dryrun="observe", shadow="observe", log="observe", block="enforce")
]
ScopeOf: TypeAlias = Annotated[Scope, _one_of(Scope, all="host", port="service")]
Limit: TypeAlias = Annotated[int, _whole(1, 1_000_000)]
Floor: TypeAlias = Annotated[int, _whole(0, 1_000_000)]
Members: TypeAlias = Annotated[int, _whole(1, 65_536)]
Times: TypeAlias = Annotated[int, _whole(1, 100)]
NewBans: TypeAlias = Annotated[int, _whole(1, 100_000)]
MaxBans: TypeAlias = Annotated[int, _whole(1, 1_000_000)]
Ipv4Width: TypeAlias = Annotated[int, _whole(16, 32)]
Ipv6Width: TypeAlias = Annotated[int, _whole(32, 128)]
