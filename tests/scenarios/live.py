"""Plays a scene live: the real program, its real firewall, real clients on a wire.

Beside the agent a thread looks at the server's sockets by itself, so that nothing here
depends on what the agent says about them.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from threading import Event as Flag
from threading import Thread
from typing import Any

from agent.decide import layout_of
from agent.observe.sock_diag import read_raw
from agent.policy import load_policy
from agent.record.tape.reader import TAPE
from tests.live.agents import LiveAgent, command
from tests.live.program import make
from tests.range import Hosts, in_namespace, ip, two_hosts
from tests.scenarios import again
from tests.scenarios.addresses import Nets
from tests.scenarios.group import Role
from tests.scenarios.happened import Happened, bans_at
from tests.scenarios.players import Players
from tests.scenarios.scene import Live, Scene, Then
from tests.scenarios.witness import Witness

EVERY_S = 0.2
PATIENCE_S = 20.0
_LOOK_EVERY_S = 0.05
_DISK_BYTES = 262_144


@dataclass(slots=True)
class Agents:
    """The agent, run after run.

    Attributes:
        scene: What is played.
        hosts: Where.
        folder: For its policy and its state.
        happened: Takes what it tells.
    """

    scene: Scene
    hosts: Hosts
    folder: Path
    happened: Happened
    running: LiveAgent | None = None
    _before: int = 0
    _taken: int = 0

    @property
    def live(self) -> Live:
        """What is live about the scene."""
        assert self.scene.live is not None
        return self.scene.live

    @property
    def policy(self) -> Path:
        """The file that the agent reads."""
        return self.folder / "policy.yaml"

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.folder / "state"

    @property
    def cycle(self) -> int:
        """How many cycles are complete, over all runs."""
        return len(self.happened.cycles)

    def start(self) -> None:
        """Start it, and take up the count of cycles where the last run left it."""
        self._before, self._taken = self.cycle, 0
        self.running = LiveAgent(
            *(self.hosts.server, self.live.firewall, "", "run", "--policy", str(self.policy)),
            *("--state-dir", str(self.state), "--log-level", "debug", "--log-format", "json"),
            before=self._before_it(),
        )

    def _before_it(self) -> tuple[str, ...]:
        """Give it a disk, files and variables of its own."""
        lines = [f"mkdir -p {self.state}"]
        if self.live.small_disk:
            lines.append(f"mount -t tmpfs -o size={_DISK_BYTES} none {self.state}")
        files = dict(self.live.files)
        if self.live.has_dns:
            files["/etc/resolv.conf"] = f"nameserver {self.hosts.client4}\n"
        for number, (path, text) in enumerate(files.items()):
            own = self.folder / f"file{number}"
            own.write_text(text)
            lines += [f"mkdir -p $(dirname {path})", f"touch {path}", f"mount --bind {own} {path}"]
        if any(path.startswith("/run/") for path in files):
            lines.insert(1, "mount -t tmpfs none /run")
        script = "\n".join((*lines, 'exec "$@"'))
        variables = [f"{name}={value}" for name, value in self.live.environment.items()]
        return ("unshare", "--mount", "env", *variables, "sh", "-ec", script, "sh")

    def wait_until(self, cycle: int) -> None:
        """Take in what it tells until so many cycles are complete.

        Raises:
            RuntimeError: It ended, or one cycle took too long.
        """
        assert self.running is not None
        seen, end = self.cycle, time.monotonic() + PATIENCE_S
        while self.cycle < cycle:
            if self.cycle > seen:
                seen, end = self.cycle, time.monotonic() + PATIENCE_S
            if self.running.process.poll() is not None or time.monotonic() > end:
                self.running.process.kill()
                self.running.process.wait()
                raise RuntimeError(f"the agent is at cycle {self.cycle}: {self.running.said()}")
            time.sleep(EVERY_S / 10)
            self.look()

    def look(self) -> None:
        """Take in what it has told by now."""
        if self.running is not None:
            self.take(self.running.so_far())

    def take(self, told: list[dict[str, Any]]) -> None:
        """Note what is new of all that this run has told."""
        for event in told[self._taken :]:
            cycle = self._before + event["cycle"] if event["cycle"] else self.cycle
            self.happened.events.append((cycle, event))
            if "verdict" in event:
                self.happened.findings.add((event["source"], event["verdict"]))
            if event["event"] in {"cycle.completed", "cycle.failed"}:
                self.happened.cycles.append(moment(event))
                self.happened.witness.cycle = self.cycle + 1
        self._taken = len(told)

    def end(self, signal: str = "TERM") -> None:
        """End it, and take in the rest."""
        assert self.running is not None
        number = {"TERM": 15, "KILL": 9}[signal]
        self.running.end(number)
        self.take(self.running.rest())
        if said := self.running.said():
            self.happened.losses.append(f"the agent said: {said}")
        self.running.close()


def moment(event: dict[str, Any]) -> float:
    """Give when an event happened: a cycle's, when that began."""
    return datetime.fromisoformat(event["timestamp"]).timestamp()


@contextmanager
def watched(happened: Happened, server: str) -> Iterator[None]:
    """Have the witness look at the server's sockets, meanwhile."""
    done = Flag()

    def look() -> None:
        with in_namespace(server):
            while not done.wait(_LOOK_EVERY_S):
                happened.witness.look(read_raw(), time.time())

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@dataclass(slots=True)
class Stage:
    """One live scene at work."""

    agents: Agents
    players: Players
    _late: int = 0

    def play(self) -> None:
        """Have everybody come and go when it is their turn."""
        scene = self.agents.scene
        self.players.come(-1)
        self.players.go(0)
        self.players.come(0)
        self.agents.start()
        for cycle in self._turns(scene):
            self.agents.wait_until(cycle + self._late)
            self.players.go(cycle)
            for then in (one for one in scene.then if one.cycle == cycle):
                self._then(then)
            self.players.come(cycle)
            # A crowd takes some cycles to connect; all that is to follow waits for it.
            self.agents.look()
            self._late = max(self._late, self.agents.cycle - cycle)
        self.agents.wait_until(scene.cycles + self._late)
        self._look_into_firewall()
        self.agents.happened.losses += self.players.losses()

    @staticmethod
    def _turns(scene: Scene) -> list[int]:
        """Give the cycles after which something happens."""
        begins = {group.cycles[0] - 1 for group in scene.groups.values()}
        ends = {group.cycles[1] for group in scene.groups.values() if group.cycles[1]}
        turns = begins | ends | {then.cycle for then in scene.then}
        return sorted(turn for turn in turns if 0 < turn < scene.cycles)

    def _then(self, then: Then) -> None:
        agents = self.agents
        if then.policy:
            copy_policy(agents.scene.folder / then.policy, agents.policy)
            assert agents.running is not None
            agents.running.process.send_signal(1)
        if then.restart:
            agents.end(then.restart)
            agents.start()
        if then.fill_disk:
            assert agents.running is not None
            fill(Path(f"/proc/{agents.running.process.pid}/root{agents.state}/filler"))
        if then.end_dns:
            self.players.end_dns()
        if then.server:
            self.players.serve_again(then.server)
        if then.unban:
            done = command(
                *(agents.hosts.server, agents.live.firewall, "unban", then.unban),
                *("--state-dir", str(agents.state)),
            )
            if done.returncode:
                agents.happened.losses.append(f"unban: {done.stderr}")

    def _look_into_firewall(self) -> None:
        """See whether the firewall, read back, holds whoever was told to be banned."""
        happened = self.agents.happened
        held = read_back(self.agents, happened)
        for name, group in happened.scene.of_role(Role.GUILTY):
            told = bans_at(happened, group.port, ("drop", "throttle"))
            gone = [one for one in group.addresses if one in told and one not in held]
            if gone:
                happened.losses.append(f"{name}: {gone[0]} is not in the firewall any more")


def read_back(agents: Agents, happened: Happened) -> Nets:
    """Give who the firewall holds, and note its allow set."""
    with in_namespace(agents.hosts.server):
        firewall = make(agents.live.firewall)
        firewall.missing(layout_of(load_policy([str(agents.policy)])))
        installed = firewall.installed(datetime.now(UTC))
    happened.allowed = installed.allowed
    return Nets(one.source.prefix for one in installed.bans)


def copy_policy(source: Path, to: Path) -> None:
    """Copy a policy, with cycles of 200 ms whatever it says."""
    lines = source.read_text(encoding="utf-8").splitlines()
    often = f"every: {round(EVERY_S * 1000)}ms"
    kept = [often if line.startswith("every:") else line for line in lines]
    more = [] if often in kept else [often]
    to.write_text("\n".join((*kept, *more, "")), encoding="utf-8")


def play(scene: Scene, folder: Path) -> Happened:
    """Play a scene live.

    Args:
        scene: What to play.
        folder: An empty one for all that it needs.
    """
    if (scene.folder / "ranges").is_dir():
        copytree(scene.folder / "ranges", folder / "ranges")
    copy_policy(scene.policy, folder / "policy.yaml")
    policy = load_policy([str(folder / "policy.yaml")])
    happened = Happened(scene=scene, policy=policy, witness=Witness(scene, policy))
    with two_hosts() as hosts, ExitStack() as stack:
        agents = Agents(scene, hosts, folder, happened)
        players = stack.enter_context(Players(scene, policy, hosts, folder))
        for line in agents.live.setup:
            ip(*line.format(server=hosts.server, client=hosts.client).split())
        stack.enter_context(watched(happened, hosts.server))
        stack.callback(_close, agents)
        Stage(agents, players).play()
        agents.end()
        events = (event for _, event in happened.events)
        told = (one for event in events for one in again.told_by(event, event["timestamp"]))
        happened.recorded = again.recorded(agents.state / TAPE, policy, told)
    return happened


def fill(path: Path) -> None:
    """Take all the room that a disk has."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024))


def _close(agents: Agents) -> None:
    if agents.running is not None:
        agents.running.close()
