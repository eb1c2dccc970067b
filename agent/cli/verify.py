"""``abuse-agent verify``: is what should be in force really in force?"""

from collections.abc import Sequence
from dataclasses import asdict

import click

from agent.cli.examples import examples
from agent.cli.options import as_json, where, where_options
from agent.cli.output import say, show
from agent.desk import verify as desk
from agent.desk.verify import Findings
from agent.model.inspection import Traffic
from agent.record.phrases import counted


@click.command(
    epilog=examples(
        ("abuse-agent verify", "is in force what should be?"),
    )
)
@where_options
@as_json
@click.pass_context
def verify(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Check the firewall against policy and ledger; change nothing.

    Are our rules reached, are the sets there, do they hold what the ledger says, and
    what have they stopped? Exit status 1 when something is wrong.
    """
    found = desk.verify(where(paths, firewall, state_dir))
    if is_json:
        show(_fields(found))
    else:
        for line in _lines(found):
            say(line)
    context.exit(1 if found.faults else 0)


def _fields(found: Findings) -> dict[str, object]:
    return {
        "firewall": found.firewall,
        "running": found.agent is not None,
        "faults": found.faults,
        "sets": [asdict(one) for one in found.traffic],
    }


def _lines(found: Findings) -> list[str]:
    running = f"agent pid {found.agent.pid}" if found.agent else "no agent is running"
    used = [one for one in found.traffic if one.elements or one.packets]
    width = max((len(one.name) for one in used), default=0)
    return [
        f"firewall {found.firewall}, {running}",
        *(
            f"{one.name:<{width}}  {one.elements} in it, "
            f"{counted(one.packets, 'packet')} ({counted(one.size_bytes, 'byte')}) stopped"
            for one in used
        ),
        *_unused(found.traffic, used),
        *(f"WRONG: {fault}" for fault in found.faults),
        *([] if found.faults else ["all is as it should be"]),
    ]


def _unused(traffic: Sequence[Traffic], used: Sequence[Traffic]) -> list[str]:
    """Say how many sets there is nothing to say about."""
    count = len(traffic) - len(used)
    if not count:
        return []
    sets = counted(count, "other set" if used else "set")
    return [f"{sets}: empty, and nothing stopped"]
