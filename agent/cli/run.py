"""``abuse-agent run``: the agent itself."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click

from agent.act.dry_run import DryRun
from agent.act.interface import Firewall
from agent.cli.examples import examples
from agent.decide import layout_of
from agent.enact.hands import Cutter
from agent.errors import FirewallError
from agent.identify.inquirer import Inquirer
from agent.identify.vendors import read_vendors
from agent.loop import Loop
from agent.model.learned import Learned
from agent.model.policy import Policy
from agent.observe.choose import open_reader
from agent.observe.counters import read_counters
from agent.observe.listeners import read_listeners
from agent.observe.lookout import Lookout
from agent.observe.sysctls import Settings
from agent.policy import Loader, default_paths
from agent.ports import Ports
from agent.record import events
from agent.record.audit import Audit, Format, usual_format
from agent.record.events import Level
from agent.record.learned import Keeper, read_learned
from agent.record.ledger import Ledger, MemoryLedger
from agent.record.locks import AgentLock
from agent.record.tape.interface import NoTape, Recorder
from agent.record.tape.reader import TAPE
from agent.service import clock
from agent.service.runner import Runner
from agent.service.sd_notify import take_supervisor

_WRITER_PATIENCE_S = 2.0
"""How long a cycle waits for a command that changes bans; the next one comes anyway."""

_SETTLE_S = 2.5
"""How long a run of one cycle waits for host names: once what they are given, and a bit."""

_LEVELS = ("debug", "info", "warning")


@click.command(
    epilog=examples(
        ("abuse-agent --dry-run", "whom it would ban from now on, and why; needs no root"),
        (
            "abuse-agent --dry-run --once --assume-sustained --policy my.yaml",
            "whom that policy would ban now",
        ),
        ("abuse-agent --log-format text", "ban, and tell it in sentences"),
    )
)
@click.option("--dry-run", is_flag=True, help="Tell what would be done; touch nothing.")
@click.option("--once", is_flag=True, help="Run one cycle and end; record no tape.")
@click.option(
    "--assume-sustained",
    is_flag=True,
    help="With --once: take one sample as if it had lasted, as rules want it.",
)
@click.option(
    "--policy",
    "paths",
    metavar="PATH",
    multiple=True,
    help="A policy file, or a folder of them; may be given again.  [default: "
    "/etc/abuse-agent/policies, else the packaged default.yaml]",
)
@click.option(
    "--firewall",
    type=click.Choice(["auto", "iptables", "nftables"]),
    default="auto",
    show_default=True,
    help="Where a live run installs its bans; auto is iptables with ipset where "
    "the iptables command is the legacy variant, else nftables.",
)
@click.option(
    "--state-dir",
    metavar="DIR",
    default="/var/lib/abuse-agent",
    show_default=True,
    help="Where a live run keeps its ledger and its tape.",
)
@click.option(
    "--tape",
    metavar="DIR",
    help="Record what each cycle saw into DIR.  [default: of a live run STATE_DIR/tape]",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    help="How events are written: a JSON object or a sentence a line.  [default: text "
    "on a terminal, else json]",
)
@click.option(
    "--log-level",
    type=click.Choice(_LEVELS),
    default="info",
    show_default=True,
    help="The least that is told; debug has every cycle.",
)
def run(  # noqa: PLR0913 - one argument an option
    *,
    dry_run: bool,
    once: bool,
    assume_sustained: bool,
    paths: tuple[str, ...],
    firewall: str,
    state_dir: str,
    tape: str | None,
    log_format: str | None,
    log_level: str,
) -> None:
    """Judge who holds TCP connections, until told to stop.

    Each cycle reads the sockets of this machine, judges every source by the policy, and
    bans the guilty for a time. Events are written to standard output. A dry run needs no
    root; a live one does, or CAP_NET_ADMIN and CAP_NET_RAW.

    SIGHUP reads the policy again: a bad one is rejected, and the old one stays. SIGTERM
    and Ctrl-C end it within a second; its bans stay, and the kernel ends them.
    """
    if assume_sustained and not once:
        raise click.UsageError("--assume-sustained goes with --once")
    load = Loader(paths or default_paths())
    policy = load()
    if tape and not policy.tape.size_bytes:
        raise click.UsageError("the policy records nothing (tape: none): leave out that or --tape")
    start = Start(
        policy=policy.as_if_sustained() if assume_sustained else policy,
        load=load,
        once=once,
        form=Format(log_format) if log_format else usual_format(sys.stdout),
        level=Level[log_level.upper()],
        tape=Path(tape) if tape else None,
    )
    if dry_run:
        _run_dry(start, firewall, Path(state_dir))
    else:
        _run_live(start, firewall, Path(state_dir))


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What dry and live runs are given alike."""

    policy: Policy
    load: Loader
    once: bool
    form: Format
    level: Level
    tape: Path | None = None


def _run_dry(start: Start, choice: str, folder: Path) -> None:
    """Run on what a live agent's firewall holds, where there is one to be read; touch nothing."""
    firewall = DryRun()
    with suppress(FirewallError, OSError):
        if (folder / "ledger.db").exists():
            _start_beside(firewall, start.policy, choice)
    _run(start, firewall, MemoryLedger(), Run(learned=read_learned(folder)))


def _start_beside(firewall: DryRun, policy: Policy, choice: str) -> None:
    """Take over what a live firewall holds, so that nothing is planned that is there."""
    from agent.act.choose import open_firewall  # noqa: PLC0415 - most dry runs do without

    live, now = open_firewall(choice), clock.now()
    if not live.missing(layout_of(policy)):
        firewall.start_from(live.installed(now), now)


def _run_live(start: Start, choice: str, folder: Path) -> None:
    """Be the one live agent of a state directory, and run."""
    from agent.act.choose import leave_others, open_firewall  # noqa: PLC0415 - a dry run does without
    from agent.act.cut.cutting import cut  # noqa: PLC0415 - ditto
    from agent.record.locks import agent_lock  # noqa: PLC0415 - ditto
    from agent.record.sqlite.ledger import open_ledger  # noqa: PLC0415 - ditto
    from agent.record.turns import AgentsWriterLock  # noqa: PLC0415 - ditto

    firewall = open_firewall(choice)
    with agent_lock(folder) as lock:
        ledger = open_ledger(
            folder, boot_id=clock.boot_id(), stopwatch=clock.stopwatch, now=clock.now()
        )
        live = Run(
            cut=cut,
            learned=read_learned(folder),
            keep=Keeper(folder),
            writer=AgentsWriterLock(
                folder=folder, patience_s=_WRITER_PATIENCE_S, stopwatch=clock.stopwatch
            ),
            lock=lock,
            folder=folder,
            tape=None if start.once else folder / TAPE,
            left=leave_others(firewall),
        )
        _run(start, firewall, ledger, live)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run goes on with, and what only a live one has.

    Attributes:
        learned: By an earlier run.
        keep: Writes down what is learned by now.
        cut: Destroys the sockets of banned sources.
        writer: The lock around what changes bans.
        lock: That of the agent.
        folder: The state directory.
        tape: Where each cycle is recorded, unless the command says where.
        left: What an earlier run left in another firewall, and was removed.
    """

    learned: Learned = field(default_factory=Learned)
    keep: Callable[[Learned], None] = lambda _learned: None
    cut: Cutter | None = None
    writer: Callable[[], AbstractContextManager[None]] = nullcontext
    lock: AgentLock | None = None
    folder: Path | None = None
    tape: Path | None = None
    left: tuple[str, ...] = ()


def _run(start: Start, firewall: Firewall, ledger: Ledger, live: Run) -> None:
    """Wire the parts together and run."""
    audit = Audit(
        stream=sys.stdout,
        mode=firewall.mode,
        form=start.form,
        level=start.level,
        colour=sys.stdout.isatty(),
    )
    ports = Ports(
        sockets=open_reader(),
        counters=read_counters,
        surroundings=Lookout(clock.stopwatch),
        listeners=read_listeners,
        sysctls=Settings(clock.stopwatch),
        firewall=firewall,
        ledger=ledger,
        write=audit.write,
        stopwatch=clock.stopwatch,
        cut=live.cut,
        writer=live.writer,
        identify=_identifier(start, live.learned),
        learned=live.learned,
        keep=live.keep,
        tape=_recorder(start.tape or live.tape),
    )
    if live.left:
        audit.write(events.firewall_moved(firewall.name, live.left), clock.now())
    runner = Runner(
        Loop(ports, start.policy),
        audit,
        start.load.paths,
        start.load,
        supervisor=take_supervisor(),
        lock=live.lock,
        keep=partial(_keep, live.folder, start.load),
    )
    runner.once() if start.once else runner.forever()


def _recorder(folder: Path | None) -> Recorder:
    from agent.record.tape.writer import TapeWriter  # noqa: PLC0415 - most dry runs do without

    return TapeWriter(folder) if folder else NoTape()


def _identifier(start: Start, learned: Learned) -> Inquirer:
    """Give who knows sources; for a run of one cycle with files and hosts looked up already."""
    inquirer = Inquirer(clock.stopwatch, learned, read_vendors())
    if any(entry.names or entry.hosts for entry in start.policy.allowlist):
        import agent.identify.wire  # noqa: F401, PLC0415 - so that no cycle has to wait for it
    if start.once:
        inquirer.settle(start.policy, clock.now(), _SETTLE_S)
    return inquirer


def _keep(folder: Path | None, load: Loader, policy: Policy) -> None:
    """Write down the text of the policy in force, for commands to use."""
    from agent.record.texts import Text, keep_texts  # noqa: PLC0415 - a dry run keeps nothing

    if folder is not None and policy.sha256 == load.sha256:
        keep_texts(
            folder,
            (Text(file=one.file, folder=one.folder, text=one.raw.decode()) for one in load.texts),
        )
