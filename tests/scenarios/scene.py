"""How a scene is written, and read.

A scene is a folder with a ``policy.yaml`` and a ``scene.yaml``. The timeline is counted in
cycles of the agent, from 1; who comes at cycle 1 is there before the agent starts.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agent.model.address import Address, Prefix
from agent.model.sample import State

FOLDER = Path(__file__).parent


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


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Wave(_Block):
    """A group whose sources take turns.

    Attributes:
        hosts: So many of them at once.
        cycles: For so long.
    """

    hosts: int
    cycles: int


class Group(_Block):
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


class Then(_Block):
    """Something that happens at one moment.

    Attributes:
        cycle: After so many cycles.
        policy: The file beside the scene that becomes the policy, by a reload.
        restart: The signal that ends the agent, which is then started anew.
        passes: Seconds that pass without a cycle, in a series.
        unban: A source that is unbanned by hand.
        server: A port whose server is started anew, live.
        fill_disk: Whether somebody takes all the room on the agent's small disk, live.
        end_dns: Whether the name server ends, live.
    """

    cycle: int
    policy: str = ""
    restart: str = ""
    passes: int = 0
    unban: str = ""
    server: int = 0
    fill_disk: bool = False
    end_dns: bool = False


class Pressure(_Block):
    """What the kernel says of SYNs, in a series.

    Attributes:
        cycles: While they come.
        counters: By how much each counter grows in a cycle.
    """

    cycles: Span
    counters: dict[str, int] = {"SyncookiesSent": 1000, "TCPReqQFullDoCookies": 1000}


class Session(_Block):
    """An administrator who is logged in, in a series.

    Attributes:
        of: From this address.
        cycles: Meanwhile.
    """

    of: str
    cycles: Span


class Live(_Block):
    """What only a live scene has.

    Attributes:
        firewall: By its name in `tests.live.program`.
        serve: By port who listens: ``closes`` closes what its clients have closed,
            ``holds`` never does, ``nginx`` is a web server.
        backlog: Of the listeners: enough for a crowd that comes at once, unless told otherwise.
        setup: Arguments of ip(8); ``{server}`` and ``{client}`` are the namespaces.
        dns: Lines of dnsmasq's configuration; the agent asks it.
        slow_dns_s: So long a name server takes for each question, one after the other, and
            then knows nothing; the agent asks it. 0 for none.
        files: Texts that the agent finds at these paths.
        environment: Variables of the agent's.
        small_disk: Whether the state directory is a disk of its own, of 256 KiB.
        banned_at_end: Whether who is banned is still so at the end of the scene.
    """

    firewall: str = "nftables"
    serve: dict[int, str] = {80: "closes"}
    backlog: int = 20_000
    setup: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    slow_dns_s: float = 0
    files: dict[str, str] = {}
    environment: dict[str, str] = {}
    small_disk: bool = False
    banned_at_end: bool = True


class Scene(_Block):
    """What happens, and what has to come of it.

    Attributes:
        title: In a line.
        about: Why it is here.
        cycles: How long it lasts.
        groups: By name.
        then: What else happens.
        told: Events that have to occur.
        never: Events that must not.
        lines_at_most: So many events of level info and above, as a log would have them.
        bans_at_most: So many bans in force in any cycle.
        live: How it is played live; None for a series.
        pressure: In a series.
        guards: What the agent finds around it, in a series: addresses.
        session: An administrator's, in a series.
        fails: What a scene that is wrong on purpose is told to fail with.
    """

    title: str
    about: str
    cycles: int
    groups: dict[str, Group]
    then: tuple[Then, ...] = ()
    told: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    lines_at_most: int = 0
    bans_at_most: int = 0
    live: Live | None = None
    pressure: Pressure | None = None
    guards: tuple[str, ...] = ()
    session: Session | None = None
    fails: str = ""
    folder: Path = FOLDER

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.folder.name

    @property
    def policy(self) -> Path:
        """The file it begins with."""
        return self.folder / "policy.yaml"

    def of_role(self, *roles: Role) -> Iterator[tuple[str, Group]]:
        """Give the groups of these roles, with their names."""
        return ((name, group) for name, group in self.groups.items() if group.role in roles)


def read_scene(folder: Path) -> Scene:
    """Read the scene in a folder.

    Raises:
        ValueError: It is not written as it should be.
    """
    text = (folder / "scene.yaml").read_text(encoding="utf-8")
    written: dict[str, Any] = yaml.safe_load(text)
    return Scene(**written, folder=folder)


def scenes(folder: Path = FOLDER) -> tuple[Path, ...]:
    """Give the folders of all scenes, by name."""
    return tuple(sorted(file.parent for file in folder.glob("*/scene.yaml")))


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
