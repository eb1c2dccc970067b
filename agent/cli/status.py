"""``abuse-agent status``: is it running, and what is in force?"""

from collections import Counter
from datetime import datetime, timedelta

import click

from agent.cli.bans import kept_from
from agent.cli.examples import examples
from agent.cli.options import as_json, at_state_dir, where
from agent.cli.output import say, show
from agent.desk import listing
from agent.desk.listing import Status
from agent.record.events import Json, prefix_text, rfc3339
from agent.record.locks import Agent
from agent.record.phrases import duration, until

_LATE_CYCLES = 3
NOT_RUNNING = "no agent is running, nobody new is banned: systemctl start abuse-agent"


@click.command(
    epilog=examples(
        ("abuse-agent status", "does it run, and what is in force?"),
    )
)
@at_state_dir
@as_json
def status(*, state_dir: str, is_json: bool) -> None:
    """Tell whether an agent runs, with what, and what is in force.

    Also when its last cycle was, how many bans there are of each kind, and whom you let
    pass. The exit status is 0 whether one runs or not.
    """
    found = listing.status(where((), None, state_dir))
    if is_json:
        show(_fields(found))
        return
    for line in _lines(found):
        say(line)


def _fields(found: Status) -> dict[str, Json]:
    agent = found.agent
    return {
        "running": agent is not None,
        "agent": None if agent is None else agent_fields(agent),
        "bans_in_force": len(found.bans),
        "bans": dict(Counter(kept_from(ban) for ban in found.bans)),
        "permits": [
            {"prefix": prefix_text(one.prefix), "until": rfc3339(one.until), "why": one.why}
            for one in found.permits
        ],
    }


def last_cycle(agent: Agent, now: datetime) -> str:
    """Say how long ago an agent completed a cycle, and whether that is too long."""
    if agent.cycled is None:
        return "none is complete yet"
    late = ": it is LATE" if is_late(agent, now) else ""
    return f"{cycled_ago(agent.cycled, now)}, one every {duration(agent.every_s)}{late}"


def cycled_ago(cycled: datetime, now: datetime) -> str:
    """Say how long ago a cycle was completed."""
    return f"{duration(round(max(timedelta(0), now - cycled).total_seconds()))} ago"


def is_late(agent: Agent, now: datetime) -> bool:
    """Whether an agent's next cycle should have been complete long ago."""
    if agent.cycled is None:
        return False
    return (now - agent.cycled).total_seconds() > _LATE_CYCLES * max(agent.every_s, 1.0)


def agent_fields(agent: Agent) -> dict[str, Json]:
    """Give what a running agent tells of itself."""
    return {
        "pid": agent.pid,
        "version": agent.version,
        "firewall": agent.firewall,
        "policies": agent.policies,
        "policy_sha256": agent.policy_sha256,
        "started": rfc3339(agent.started) if agent.started else None,
        "last_cycle": rfc3339(agent.cycled) if agent.cycled else None,
        "every_s": agent.every_s,
    }


def _lines(found: Status) -> list[str]:
    kinds = Counter(kept_from(ban) for ban in found.bans)
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [
        *(_agent_lines(found) if found.agent else [NOT_RUNNING]),
        f"bans     {len(found.bans)} in force{f': {parts}' if parts else ''}",
        *(
            f"passes   {prefix_text(one.prefix)}, {one.why} {until(one.until)}"
            for one in found.permits
        ),
    ]


def _agent_lines(found: Status) -> list[str]:
    agent = found.agent or Agent()
    return [
        f"agent    {agent.version}, pid {agent.pid}, firewall {agent.firewall}",
        f"policy   {agent.policy_sha256[:12]} from {', '.join(agent.policies)}",
        f"cycle    {last_cycle(agent, found.now)}",
    ]
