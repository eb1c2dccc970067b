"""Bans and permits as rows of a database. Times are whole microseconds, UTC."""

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from json.encoder import encode_basestring_ascii
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, TypeAlias

from agent.model.address import Prefix, Source
from agent.model.ban import Ban
from agent.model.inputs import PastBan, Permit
from agent.model.policy import Answer, Rate, Scope, Service
from agent.record.sqlite.clocks import MICROSECOND, Clock, micros, moment_of

Row: TypeAlias = tuple[Any, ...]

_ANSWERS = {answer.value: answer for answer in Answer}
_SCOPES = {scope.value: scope for scope in Scope}


def ban_row(ban: Ban, clock: Clock, state: str, ended_us: int | None, *, held: bool) -> Row:
    """Write a ban as a row, without its serial number."""
    lasts = ban.lasts // MICROSECOND
    rate, service = ban.rate, ban.service
    return (
        ban.ban_id,
        _prefix_text(ban.source.prefix),
        ban.source.zone,
        ban.answer.value,
        rate and rate.count,
        rate and rate.per // MICROSECOND,
        ban.scope.value,
        service and service.name,
        service and _ports_text(service.ports),
        ban.rule,
        ban.measure,
        ban.count,
        ban.limit,
        lasts,
        f"[{', '.join(map(encode_basestring_ascii, ban.reasons))}]",
        ban.policy_sha256,
        *clock.stamp(micros(ban.begins), lasts),
        state,
        ended_us,
        held,
    )


def ban_of(row: Sequence[Any], clock: Clock) -> Ban:
    """Read a ban from a row.

    Raises:
        ValueError: It is none.
    """
    lasts = row[13]
    try:
        return Ban(
            ban_id=row[0],
            source=source_at(row[1], row[2]),
            answer=_ANSWERS[row[3]],
            rate=None if row[4] is None else _rate(row[4], row[5]),
            scope=_SCOPES[row[6]],
            service=None if row[7] is None else _service(row[7], row[8]),
            rule=sys.intern(row[9]),
            measure=None if row[10] is None else sys.intern(row[10]),
            count=row[11],
            limit=row[12],
            begins=moment_of(clock.begin(row[16:19], lasts)),
            lasts=timedelta(microseconds=lasts),
            reasons=tuple(json.loads(row[14])),
            policy_sha256=sys.intern(row[15]),
        )
    except (TypeError, LookupError, OverflowError, OSError, AttributeError) as error:
        raise ValueError(str(error)) from error


def past_of(begins_us: int, lasts_us: int, ended_us: int | None) -> PastBan:
    """Give what remains of a ban that is over."""
    until = begins_us + lasts_us
    ended = until if ended_us is None else min(until, ended_us)
    return PastBan(began=moment_of(begins_us), ended=moment_of(ended))


def permit_row(permit: Permit, clock: Clock) -> Row:
    """Write a permit as a row, as of now, without its serial number."""
    now_us = micros(clock.now())
    lasts = micros(permit.until) - now_us
    why = permit.why.encode(errors="backslashreplace").decode()
    return (str(permit.prefix), why, lasts, *clock.stamp(now_us, lasts))


def permit_of(row: Sequence[Any], clock: Clock) -> Permit:
    """Read a permit from a row.

    Raises:
        ValueError: It is none.
    """
    try:
        until = clock.begin(row[3:6], row[2]) + row[2]
        return Permit(prefix=source_at(row[0], 0).prefix, until=moment_of(until), why=row[1])
    except (TypeError, OverflowError, OSError, AttributeError) as error:
        raise ValueError(str(error)) from error


def source_at(text: str, zone: int) -> Source:
    """Read a source; several times as fast as ``ip_network``, there may be 100,000 of them."""
    address, _, length = text.partition("/")
    prefix: Prefix
    if ":" in address:
        prefix = IPv6Network((inet_pton(AF_INET6, address), int(length)))
    else:
        prefix = IPv4Network((inet_pton(AF_INET, address), int(length)))
    return Source(prefix, zone)


def _prefix_text(prefix: Prefix) -> str:
    """Write a prefix; faster than ``str``, there may be 100,000 of them."""
    family = AF_INET if prefix.version == 4 else AF_INET6  # noqa: PLR2004
    return f"{inet_ntop(family, prefix.network_address.packed)}/{prefix.prefixlen}"


@lru_cache(maxsize=1024)
def _rate(count: int, per_us: int) -> Rate:
    return Rate(count=count, per=timedelta(microseconds=per_us))


@lru_cache(maxsize=1024)
def _service(name: str, ports: str) -> Service:
    numbers = (int(port) for port in ports.split(",") if port)
    return Service(name=sys.intern(name), ports=frozenset(numbers))


@lru_cache(maxsize=1024)
def _ports_text(ports: frozenset[int]) -> str:
    return ",".join(map(str, sorted(ports)))
