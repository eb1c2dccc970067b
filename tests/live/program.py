"""The agent as an operator starts it, with what a test needs to hold of it.

Run as ``python -m tests.live.program FIREWALL KILL COMMAND...``. FIREWALL is one of
`FIREWALLS`, or ``auto`` for what the agent chooses itself. KILL is empty, or names the step
at whose end the process kills itself with SIGKILL, so that a test needs no sleeps to hit it.

A variable of the environment, `BOOT`, names the boot that it believes to be in.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from agent import cli
from agent.act import choose
from agent.act.interface import Firewall
from agent.act.nftables.firewall import Nftables
from agent.enact import hands
from agent.service import clock

BOOT = "ABUSE_AGENT_TEST_BOOT"

FIREWALLS = ("nftables", "iptables-legacy", "iptables-nft")

STEPS = ("intend", "apply", "installed", "cut", "settle")
"""Of one plan with a ban, in their order."""


def make(name: str) -> Firewall:
    """Open a firewall by its name here."""
    if name == "nftables":
        return Nftables()
    from agent.act.iptables.firewall import Iptables  # noqa: PLC0415 - only what is tested is loaded

    return Iptables(suffix=name.removeprefix("iptables"))


def dying(step: Callable[..., Any]) -> Callable[..., Any]:
    """Give the step with an end by SIGKILL behind it."""

    def run_and_die(*arguments: Any, **options: Any) -> Any:
        step(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return run_and_die


class Doomed(hands.Hands):
    """Hands whose process ends after one of their steps, once there is a ban to install."""

    step = ""

    def carry_out(self, plan: Any, *arguments: Any, **options: Any) -> Any:
        """Carry out a plan, to that step."""
        if plan.add or plan.lift:
            owner = self.firewall if self.step in {"apply", "installed"} else self.ledger
            if self.step == "cut":
                object.__setattr__(self, "cut", dying(self.cut or (lambda *_: None)))
            else:
                owner_class = type(owner)
                setattr(owner_class, self.step, dying(getattr(owner_class, self.step)))
        return super().carry_out(plan, *arguments, **options)


def main() -> None:
    """Be the agent."""
    name, Doomed.step, *rest = sys.argv[1:]
    if boot := os.environ.get(BOOT):
        clock.boot_id = lambda: boot
    if name != "auto":
        choose.open_firewall = lambda choice: make(name)  # noqa: ARG005 - the one we test
    if Doomed.step:
        import agent.desk.site  # noqa: PLC0415 - patched where they are used
        import agent.loop  # noqa: PLC0415 - ditto

        for place in (agent.loop, agent.desk.site):
            vars(place)["Hands"] = Doomed
    sys.argv = ["abuse-agent", *rest]
    cli.entry()


if __name__ == "__main__":
    main()
