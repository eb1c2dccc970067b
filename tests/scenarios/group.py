"""Groups of sources that are alike: who they are, what they do, and what has to become of them."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_network
from itertools import islice
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agent.model.address import Address, Prefix
from agent.model.sample import State


class Role(StrEnum):
    """What a group is, and so what has to become of it."""

    INNOCENT = "innocent"
    """Nobody of it is ever banned or throttled at its port, and it loses no connection."""

    GUILTY = "guilty"
    """Everybody of it is banned or throttled at its port in time."""

    FORGED = "forged"
    """Its addresses stand in packets that others sent: nobody of it is banned."""

    ANYBODY = "anybody"
    """Nothing is asked of the agent."""


class Does(StrEnum):
    """What a group does in a live scene; in a series it is there in `Group.state`."""

    HOLD = "hold"
    """Connects when it comes and stays connected."""

    VISIT = "visit"
    """Opens one connection a source every 0.3 s, and closes it at once."""

    BROWSE = "browse"
    """Likewise, but asks for a page and lets the server close."""

    SYN = "syn"
    """Its addresses stand in SYNs without anybody behind them: a burst every 0.1 s."""

    DIAL = "dial"
    """The server connects to it."""

    RUN = "run"
    """Runs the tool of `Group.run`."""


def _span(value: object) -> tuple[int, int | None]:
    first, dots, last = str(value).partition("..")
    if not dots:
        return int(first), int(first)
    return int(first), int(last) if last else None


Span = Annotated[tuple[int, int | None], BeforeValidator(_span)]
"""Cycles, as ``3..20``, ``3..`` or ``3``: the first and the last one."""


def within(span: tuple[int, int | None], cycle: int) -> bool:
    """Whether a cycle is one of these."""
    first, last = span
    return first <= cycle and (last is None or cycle <= last)


class Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Wave(Block):
    """A group whose sources take turns.

    Attributes:
        hosts: So many of them at once.
        cycles: For so long.
    """

    hosts: int
    cycles: int


class Group(Block):
    """Sources that are alike.

    Attributes:
        role: What it is.
        of: Addresses, or prefixes whose first addresses they are; of an IPv6 prefix wider
            than /64 each has a /64 of its own.
        hosts: How many addresses of each prefix.
        stride: From one of them to the next, for those that are to be in different networks.
        each: Connections, or SYNs of a burst, of each.
        port: The server's.
        state: Of the connections in a series.
        cycles: When they are there.
        wave: How they take turns, in a series.
        pulse: ``2 of 5`` to be there in the first two of each five cycles, in a series.
        does: What they do, live.
        run: The tool's command; ``{to}`` and ``{port}`` stand for the server's.
        rule: By which the guilty are caught; the policy's only one unless named.
        under: The file of the policy with that rule, where it is not the one at the beginning.
        patience: What the policy grants them, as a factor of the limit.
        deferred: By how many cycles more a cap may defer the last of the guilty.
        verdict: A verdict that is told of somebody of it.
        bans: The lengths of all its bans, in order; for a group of one source.
        entry: The allowlist entry it turns out to belong to, in a series.
        answered: So many cycles after it was asked about that is known, in a series.
    """

    role: Role = Field(alias="is")
    of: Annotated[tuple[str, ...], BeforeValidator(lambda it: [it] if isinstance(it, str) else it)]
    hosts: int = 1
    stride: int = 1
    each: int = 1
    port: int = 80
    state: str = State.ESTABLISHED.name
    cycles: Span = (1, None)
    wave: Wave | None = None
    pulse: str = ""
    does: Does = Does.HOLD
    run: str = ""
    rule: str = ""
    under: str = ""
    patience: int = 1
    deferred: int = 0
    verdict: str = ""
    bans: tuple[str, ...] = ()
    entry: str = ""
    answered: int = 2

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """All of its addresses, in order."""
        return tuple(
            address
            for text in self.of
            for address in _addresses(ip_network(text), self.hosts, self.stride)
        )

    def is_there(self, cycle: int) -> bool:
        """Whether anybody of it is there in that cycle."""
        if not within(self.cycles, cycle):
            return False
        if not self.pulse:
            return True
        on, of = (int(text) for text in self.pulse.split(" of "))
        return (cycle - self.cycles[0]) % of < on

    def present(self, cycle: int, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        """Give those of its addresses that are there in that cycle."""
        if not self.is_there(cycle):
            return ()
        if self.wave is None:
            return addresses
        turn = (cycle - self.cycles[0]) // self.wave.cycles
        return addresses[turn * self.wave.hosts : (turn + 1) * self.wave.hosts]


def _addresses(prefix: Prefix, hosts: int, stride: int) -> Iterator[Address]:
    """Give the first so many addresses of a prefix, beginning with the number 1."""
    if prefix.num_addresses == 1:
        yield prefix.network_address
        return
    is_wide = prefix.version == 6 and prefix.prefixlen < 64
    step = 1 << 64 if is_wide else stride
    first = prefix.network_address + 1
    found = (first + at * step for at in range(prefix.num_addresses // step))
    yield from islice((one for one in found if one in prefix), hosts)
