"""How a scene is written, and read.

A scene is a folder with a ``policy.yaml`` and a ``scene.yaml``. The timeline is counted in
cycles of the agent, from 1; who comes at cycle 1 is there before the agent starts, and who
is there at cycle 0 alone has left by then.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from tests.scenarios.group import Block, Group, Role, Span

FOLDER = Path(__file__).parent


class Then(Block):
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


class Pressure(Block):
    """What the kernel says of SYNs, in a series.

    Attributes:
        cycles: While they come.
        counters: By how much each counter grows in a cycle.
    """

    cycles: Span
    counters: dict[str, int] = Field({"SyncookiesSent": 1000, "TCPReqQFullDoCookies": 1000})


class Session(Block):
    """An administrator who is logged in, in a series.

    Attributes:
        of: From this address.
        cycles: Meanwhile.
    """

    of: str
    cycles: Span


class Live(Block):
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
        names: By address the name that a name server confirms; the agent asks it.
        others: What becomes of a question about anybody else there: ``silent`` for no answer,
            ``lies`` for a server that answers in every wrong way. Empty for no such server.
        files: Texts that the agent finds at these paths.
        environment: Variables of the agent's.
        small_disk: Whether the state directory is a disk of its own, of 256 KiB.
    """

    firewall: str = "nftables"
    serve: dict[int, str] = Field({80: "closes"})
    backlog: int = 20_000
    setup: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    slow_dns_s: float = 0
    names: dict[str, str] = Field({})
    others: Literal["", "silent", "lies"] = ""
    files: dict[str, str] = Field({})
    environment: dict[str, str] = Field({})
    small_disk: bool = False

    @property
    def has_dns(self) -> bool:
        """Whether there is a name server."""
        return bool(self.dns or self.slow_dns_s or self.others)


class Scene(Block):
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
