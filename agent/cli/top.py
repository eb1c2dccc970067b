"""``abuse-agent top``: what goes on here at this moment?"""

import shutil
import sys
from datetime import timedelta

import click

from agent.cli.examples import examples
from agent.cli.options import LengthType, SourceType, as_json, where, where_options
from agent.cli.output import say, show
from agent.cli.pictured import fields_of, lines_of
from agent.desk.top.values import Order, View
from agent.desk.top.wanted import PORT, service_of
from agent.desk.top.watch import Watch, open_watch
from agent.model.address import Source
from agent.model.sample import State
from agent.observe.saved.states import OF_NETSTAT, OF_SS
from agent.policy.words import listed, shown
from agent.service import clock

_MOST_ONCE, _MOST = 20, 200
WITHOUT_PEER = frozenset({State.LISTEN, State.CLOSE})
"""States in which a socket has nobody at its other end."""


class StateType(click.ParamType[State]):
    """A TCP state that a source's socket can be in, as netstat or ss writes it."""

    name = "state"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> State:
        """Read it; anything else is a usage error."""
        text = value.upper().encode()
        number = OF_NETSTAT.get(text) or OF_SS.get(text)
        if number is None or number in WITHOUT_PEER:
            names = listed((one.name for one in State if one not in WITHOUT_PEER), "or")
            self.fail(f"{shown(value)} is no state of a source: {names}", param, ctx)
        return State(number)


@click.command(
    epilog=examples(
        ("abuse-agent top", "watch who comes and goes, and ban or allow by a key"),
        ("abuse-agent top --once", "who is here, who is near a limit, who is kept out?"),
        ("abuse-agent top --once --sort limit", "who is nearest to a limit at this moment?"),
        ("abuse-agent top --json --state SYN_RECV --service web", "the same for a program"),
    )
)
@click.option("--once", is_flag=True, help="Print one moment as text, and end.")
@click.option(
    "--every",
    type=LengthType("1h", "200ms"),
    default="2s",
    show_default=True,
    help="How often the screen looks, as 5s; + and - change it.",
)
@as_json
@click.option(
    "--sort",
    type=click.Choice([order.value for order in Order]),
    default=Order.SOCKETS.value,
    show_default=True,
    help="What comes first: most sockets, nearest to a limit, or by address.",
)
@click.option(
    "--state",
    "states",
    type=StateType(),
    metavar="STATE",
    multiple=True,
    help="Count only sockets in this state; may be given again.",
)
@click.option(
    "--service",
    default="",
    metavar="NAME",
    help="Count only sockets to this service of the policy, or to a port, as 8443.",
)
@click.option(
    "--prefix",
    type=SourceType(is_any_width=True),
    metavar="PREFIX",
    help="Show only sources in it.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help=f"How many sources are shown at most.  [default: {_MOST_ONCE}; on the screen {_MOST}]",
)
@where_options
def top(  # noqa: PLR0913 - one argument an option
    *,
    once: bool,
    every: timedelta,
    is_json: bool,
    sort: str,
    states: tuple[State, ...],
    service: str,
    prefix: Source | None,
    most: int | None,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
) -> None:
    """Show who is here now, how near to a limit, and who is kept out.

    A screen that goes on until you press q; ? tells the keys. Where the output is no
    terminal it is one moment, as with --once. Without root everything is shown but the bans
    and what the agent has learned. Nothing is changed unless you ban, unban or allow
    somebody there, and nobody is asked about anybody.
    """
    is_live = sys.stdout.isatty() and not once and not is_json
    place = where(paths, firewall, state_dir)
    watch = open_watch(place)
    view = View(
        order=Order(sort),
        states=frozenset(states),
        service=_service(service, watch),
        prefix=prefix.prefix if prefix else None,
        most=most or (_MOST if is_live else _MOST_ONCE),
    )
    if is_live:
        from agent.cli.screen.app import run_screen  # noqa: PLC0415 - one moment does without

        run_screen(watch, view, place, every.total_seconds())
        return
    picture = watch.look(view, clock.now())
    if is_json:
        show(fields_of(picture, view))
        return
    say("\n".join(lines_of(picture, view, shutil.get_terminal_size().columns)))


def _service(text: str, watch: Watch) -> str:
    """Read a service by its name, or a port.

    Raises:
        click.BadParameter: There is none of that name, and it is no port.
    """
    found = service_of(text, watch.policy)
    if found is None:
        names = [one.name for one in watch.policy.services] if watch.policy else []
        there = f"there are {listed(names)}, and ports, as {PORT}8443"
        raise click.BadParameter(
            f"no service is called {shown(text)}: {there}", param_hint="'--service'"
        )
    return found
