"""Explanations made by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent.decide.grants import Grant
from agent.decide.weigh import Weight
from agent.desk.explain.values import Explanation, Past, Present, Ruling, Who
from agent.model.sample import State
from agent.model.verdict import Finding
from agent.observe.peers import Peers
from agent.record.locks import Agent
from tests.builders import NOW, WEB, ban, policy, rule, source

ONE = "192.0.2.10"


def told(**changes: Any) -> Explanation:
    """Give an explanation of somebody with five connections who is below every limit."""
    usual = Explanation(
        source=source(ONE),
        line=source(ONE),
        now=NOW,
        agent=Agent(pid=7),
        policy=policy(),
        who=Who(),
        present=Present(
            own={("web", State.ESTABLISHED): 5},
            line={("web", State.ESTABLISHED): 5},
            peers=Peers(frozenset({80}), sockets=5),
        ),
        rulings=(ruling(),),
        past=Past(),
        kept=None,
        unread={"firewall": "this needs CAP_NET_ADMIN"},
    )
    return replace(usual, **changes)


def ruling(count: int = 5, finding: Finding | None = None, **changes: Any) -> Ruling:
    """Give what the usual rule, or another, makes of a count."""
    by = changes.pop("rule", rule())
    known = {name: changes.pop(name) for name in ("samples", "unknown") if name in changes}
    if finding is None and changes.pop("enough", True):
        finding = Finding.BAN if count > by.limit else Finding.WARNED
    usual = Weight(
        rule=by,
        source=source(ONE),
        count=count,
        limit=by.limit,
        hosts=1,
        grant=Grant(),
        finding=finding,
        lasts=by.lasts,
    )
    return Ruling(weight=replace(usual, **changes), **known)


def banned(text: str = ONE, **changes: Any) -> Past:
    """Give a ledger with one ban in force, of ten minutes, two minutes ago."""
    usual: dict[str, Any] = {
        "begins": NOW - timedelta(minutes=2),
        "lasts": timedelta(minutes=10),
        "service": WEB,
        "count": 412,
        "limit": 100,
        "reasons": ("web-connections: 412 connections, limit 100",),
    }
    return Past(in_force=(ban(text, **{**usual, **changes}),))
