"""``abuse-agent run``: the agent itself."""

import sys
from dataclasses import replace
from functools import partial

import click

from agent.act.dry_run import DryRun
from agent.errors import FirewallError
from agent.loop import Loop, Ports
from agent.model.policy import Policy, Sustained
from agent.observe.choose import open_reader
from agent.observe.counters import read_counters
from agent.observe.surroundings import read_surroundings
from agent.policy import default_paths, load_policy
from agent.record.audit import Audit, Format, usual_format
from agent.record.events import Level
from agent.record.ledger import MemoryLedger
from agent.service import clock
from agent.service.pace import at_most_every
from agent.service.runner import Runner

_LOOK_AROUND_S = 5.0
"""The shortest time between two looks at routes, resolvers and sessions."""

_LEVELS = ("debug", "info", "warning")


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would be done; touch nothing.")
@click.option("--once", is_flag=True, help="Run one cycle and end.")
@click.option(
    "--assume-sustained",
    is_flag=True,
    help="With --once: take one sample as if it had lasted.",
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
    help="Where a live run installs its bans.",
)
@click.option(
    "--state-dir",
    metavar="DIR",
    default="/var/lib/abuse-agent",
    show_default=True,
    help="Where a live run keeps its ledger.",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    help="[default: text on a terminal, else json]",
)
@click.option(
    "--log-level", type=click.Choice(_LEVELS), default="info", show_default=True, help="How much."
)
def run(  # noqa: PLR0913 - one argument an option
    *,
    dry_run: bool,
    once: bool,
    assume_sustained: bool,
    paths: tuple[str, ...],
    firewall: str,  # noqa: ARG001 - a live run's
    state_dir: str,  # noqa: ARG001 - a live run's
    log_format: str | None,
    log_level: str,
) -> None:
    """Judge who holds TCP connections, until told to stop.

    SIGHUP reads the policy again; SIGTERM and Ctrl-C end it within a second.
    """
    if assume_sustained and not once:
        raise click.UsageError("--assume-sustained goes with --once")
    if not dry_run:
        raise FirewallError("this version has no live firewall yet: add --dry-run")
    _start(paths, once=once, as_if=assume_sustained, form=log_format, level=log_level)


def _start(
    paths: tuple[str, ...], *, once: bool, as_if: bool, form: str | None, level: str
) -> None:
    """Wire the parts together and run."""
    paths = paths or default_paths()
    load, firewall = partial(load_policy, paths), DryRun()
    policy = as_if_sustained(load()) if as_if else load()
    audit = Audit(
        stream=sys.stdout,
        mode=firewall.mode,
        form=Format(form) if form else usual_format(sys.stdout),
        level=Level[level.upper()],
        colour=sys.stdout.isatty(),
    )
    ports = Ports(
        sockets=open_reader(),
        counters=read_counters,
        surroundings=at_most_every(_LOOK_AROUND_S, read_surroundings),
        firewall=firewall,
        ledger=MemoryLedger(),
        write=audit.write,
        stopwatch=clock.stopwatch,
    )
    runner = Runner(Loop(ports, policy), audit, paths, load)
    runner.once() if once else runner.forever()


def as_if_sustained(policy: Policy) -> Policy:
    """Give the policy with every rule firing on its first sample above the limit."""
    first = Sustained(times=1, of=1)
    return replace(policy, rules=tuple(replace(rule, sustained=first) for rule in policy.rules))
