"""Sending to an nft that refuses some, all, or does not answer; pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from agent.act.nftables.names import HOSTS4, NETS4
from agent.act.nftables.script import SetChange
from agent.act.nftables.send import PATIENCE_S, Sending
from agent.errors import FirewallError

_ADDED = re.compile(r"(\w+) put")


def puts(*elements: str, name: str = "s") -> SetChange:
    return SetChange(
        name, HOSTS4, out=dict.fromkeys(elements), into={one: f"{one} put" for one in elements}
    )


def lifts(*elements: str, name: str = "s") -> SetChange:
    return SetChange(name, NETS4, out=dict.fromkeys(elements))


def numbers(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


@dataclass(slots=True)
class Tool:
    """In the place of nft.

    Attributes:
        refuses: Whether it takes a script.
        takes_s: How long each script takes it.
        now: The moment.
        scripts: What it was sent.
        held: What it took.
    """

    refuses: Callable[[str], bool]
    takes_s: float = 0.0
    now: float = 0.0
    scripts: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def send(self, lines: Iterable[str], patience_s: float) -> None:
        self.now += min(self.takes_s, patience_s)
        script = "".join(lines)
        self.scripts.append(script)
        if self.takes_s >= patience_s or self.refuses(script):
            raise FirewallError(f"no {len(self.scripts)}")
        self.held.update(_ADDED.findall(script))

    def sending(self) -> Sending:
        return Sending(self.send, lambda: self.now)


def bad(*names: str) -> Callable[[str], bool]:
    return lambda script: any(f"{name} put" in script for name in names)


def test_what_is_taken_is_sent_once() -> None:
    tool = Tool(bad())

    (sending := tool.sending()).changes([puts("a", "b"), puts("c", name="t")])

    assert (len(tool.scripts), sending.refused, sending.why) == (1, 0, "")
    assert tool.held == {"a", "b", "c"}


def test_nothing_is_not_sent() -> None:
    tool = Tool(bad())

    tool.sending().changes([])

    assert tool.scripts == []


@pytest.mark.parametrize("wrong", [{"n0"}, {"n999"}, {"n3", "n4", "n500"}, set(numbers(1000)[:12])])
def test_refused_ones_keep_nobody_out(wrong: set[str]) -> None:
    tool = Tool(bad(*wrong))

    (sending := tool.sending()).changes([puts(*numbers(600)), puts(*numbers(1000)[600:], name="t")])

    assert (sending.refused, sending.why) == (len(wrong), "no 1")
    assert tool.held == set(numbers(1000)) - wrong


def test_a_tool_that_takes_nothing_is_soon_given_up() -> None:
    tool = Tool(lambda _: True)

    (sending := tool.sending()).changes([puts(*numbers(700))])

    assert sending.refused == 700
    assert len(tool.scripts) == 31


def test_a_tool_that_takes_little_is_given_up() -> None:
    tool = Tool(bad(*numbers(700)[::2]))

    (sending := tool.sending()).changes([puts(*numbers(700)), lifts("gone")])

    assert len(tool.scripts) == 100
    assert sending.refused >= 350


def test_a_tool_that_hangs_is_asked_once() -> None:
    tool = Tool(bad(), takes_s=1e9)

    sending = tool.sending()
    sending.changes([puts(*numbers(700))])
    sending.changes([puts("net")])

    assert (len(tool.scripts), sending.refused) == (1, 701)
    assert tool.now == PATIENCE_S + 700 / 5000


def test_a_slow_tool_is_left_alone_in_time() -> None:
    tool = Tool(lambda _: True, takes_s=4.0)

    sending = tool.sending()
    sending.changes([puts(*numbers(700))])
    assert (len(tool.scripts), sending.refused) == (3, 700)

    tool.refuses = bad()
    sending.changes([puts("net")])
    assert tool.held == {"net"}


def test_much_may_take_long() -> None:
    tool = Tool(bad(), takes_s=25.0)

    (sending := tool.sending()).changes([puts(*numbers(100_000))])

    assert (sending.refused, len(tool.held)) == (0, 100_000)


def test_what_is_only_taken_out_comes_before_what_needs_its_room() -> None:
    tool = Tool(bad("n1"))
    nets = SetChange("nets", NETS4, out={"wide": None, "n9": None}, into={"n9": "n9 put"})

    (sending := tool.sending()).changes([puts("n1", "n2"), nets, lifts("far", name="z")])

    assert tool.scripts[1] == "".join(
        f"{verb} element inet abuse_agent {name} {{ {element} }}\n"
        for name, element in (("nets", "wide"), ("z", "far"))
        for verb in ("add", "delete")
    )
    assert (sending.refused, tool.held) == (1, {"n2", "n9"})
    assert "add element inet abuse_agent nets { n9 }\ndelete" in tool.scripts[2]
