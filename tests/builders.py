"""Values with boring defaults, for tests that care about one thing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import ip_address, ip_network
from typing import Any

from agent.decide import Memory, step
from agent.decide.layout import layout_of
from agent.model.address import HOST, Prefix, Source, Width, pack
from agent.model.ban import Ban, Held, Installed, Mark
from agent.model.inputs import Guard, Inputs, Spared, Surroundings
from agent.model.layout import Layout
from agent.model.measure import MEASURES
from agent.model.plan import Decision
from agent.model.policy import (
    AllowEntry,
    Answer,
    Escalation,
    Kind,
    Mode,
    Policy,
    Rate,
    Rule,
    Safety,
    Scope,
    Service,
    Sustained,
)
from agent.model.sample import SOCKETS, Sample, State
from agent.record import events
from agent.record.events import Event

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
WEB = Service(name="web", ports=frozenset({80, 443}))
SSH = Service(name="ssh", ports=frozenset({22}))
NO_BREAKER = Safety(known_clients_share=Fraction(1))
"""Nothing is more than all: for tests in which most of those who are there are guilty."""

NET24 = Width(ipv4=24, ipv6=48)


def prefix(text: str) -> Prefix:
    return ip_network(text)


def source(text: str) -> Source:
    return Source(ip_network(text))


def rule(name: str = "web-connections", **changes: Any) -> Rule:
    """A rule that fires on its first sample above 100."""
    usual = Rule(
        name=name,
        service=WEB,
        measure=MEASURES["connections"],
        states=frozenset({State.ESTABLISHED}),
        limit=100,
        per=HOST,
        members=1,
        mode=Mode.ENFORCE,
        answer=Answer.DROP,
        rate=None,
        lasts=timedelta(minutes=10),
        scope=Scope.SERVICE,
        sustained=Sustained(times=1, of=1),
        escalation=Escalation(times=2, up_to=timedelta(hours=24), within=timedelta(days=7)),
        warn=Fraction(4, 5),
        declared_at="policy.yaml:1",
    )
    return replace(usual, **changes)


def half_open(name: str = "web-half-open", **changes: Any) -> Rule:
    usual: dict[str, Any] = {
        "measure": MEASURES["half_open"],
        "states": frozenset({State.SYN_RECV}),
        "limit": 64,
        "answer": Answer.THROTTLE,
        "rate": Rate(count=1, per=timedelta(seconds=1)),
    }
    return rule(name, **(usual | changes))


def entry(name: str = "office", *prefixes: str, **changes: Any) -> AllowEntry:
    """A full exemption of `prefixes` unless `changes` says otherwise."""
    usual = AllowEntry(
        name=name,
        kind=Kind.PARTNER,
        prefixes=tuple(prefix(text) for text in prefixes),
        declared_at="policy.yaml:9",
    )
    return replace(usual, **changes)


def layout(*rules: Rule) -> Layout:
    """What a firewall needs for these rules; a throttle of web and one of ssh by default."""
    usual = (rule(), half_open(), half_open("ssh-half-open", service=SSH))
    return layout_of(policy(*(rules or usual)))


def policy(*rules: Rule, **changes: Any) -> Policy:
    usual = Policy(
        every=timedelta(seconds=5),
        safety=Safety(),
        services=(WEB, SSH),
        allowlist=(),
        rules=rules or (rule(),),
        files=("policy.yaml",),
        sha256="0" * 64,
    )
    return replace(usual, **changes)


def tally(
    counts: Mapping[str, int], *, port: int = 80, state: State = State.ESTABLISHED
) -> Counter[tuple[int, int, int, bytes]]:
    """Count by address, all on one port and in one state."""
    counter: Counter[tuple[int, int, int, bytes]] = Counter()
    for address, count in counts.items():
        family, packed = pack(ip_address(address))
        counter[family, int(state), port, packed] += count
    return counter


def sample(*tallies: Counter[tuple[int, int, int, bytes]]) -> Sample:
    joined: Counter[tuple[int, int, int, bytes]] = Counter()
    for each in tallies:
        joined.update(each)
    states: Counter[State] = Counter()
    for (_, state, _, _), count in joined.items():
        states[State(state)] += count
    return Sample(
        taken_at=NOW,
        sockets=joined.total(),
        states=states,
        listening=frozenset({22, 80, 443}),
        tallies={SOCKETS: joined},
    )


def inputs(counts: Mapping[str, int] | Sample, **changes: Any) -> Inputs:
    """Inputs with so many ESTABLISHED on port 80, by address."""
    seen = counts if isinstance(counts, Sample) else sample(tally(counts))
    return replace(Inputs(sample=seen), **changes)


def guards(*prefixes: str) -> Surroundings:
    return Surroundings(
        guards=tuple(
            Guard(prefix=prefix(text), why="resolver (/etc/resolv.conf)") for text in prefixes
        )
    )


def spared(*prefixes: str) -> Spared:
    """Nobody belongs to an entry beyond what it lists; these are guarded."""
    return Spared(surroundings=guards(*prefixes))


RATE = Rate(count=1, per=timedelta(seconds=1))


def throttle(source_text: str = "192.0.2.10/32", **changes: Any) -> Ban:
    """A throttle to one new connection a second."""
    return ban(source_text, **{"answer": Answer.THROTTLE, "rate": RATE, **changes})


def ban(source_text: str = "192.0.2.10/32", **changes: Any) -> Ban:
    usual = Ban(
        ban_id="b1",
        source=source(source_text),
        answer=Answer.DROP,
        rate=None,
        scope=Scope.SERVICE,
        service=WEB,
        rule="web-connections",
        measure="connections",
        count=101,
        limit=100,
        begins=NOW,
        lasts=timedelta(minutes=10),
        reasons=("web-connections: too many",),
        policy_sha256="0" * 64,
    )
    return replace(usual, **changes)


def held(one: Ban, **changes: Any) -> Held:
    """The ban as a firewall would read it back at `NOW`."""
    usual = Held(
        source=one.source,
        target=one.target,
        left=one.rest(NOW),
        mark=Mark(ban_id=one.ban_id, rule=one.rule, begins=one.begins, lasts=one.lasts),
        rate=one.rate,
    )
    return replace(usual, **changes)


def holding(*bans: Ban, allowed: Iterable[str] = ()) -> Installed:
    return Installed(
        bans=tuple(held(one) for one in bans), allowed=frozenset(prefix(text) for text in allowed)
    )


def decide(given: Inputs, by: Policy) -> Decision:
    """Judge one moment without a past."""
    return step(Memory(), given, by, NOW)[1]


def banned(decision: Decision) -> list[str]:
    """Who would be added to the firewall, in order."""
    return [str(one.source) for one in decision.plan.add]


def found(decision: Decision) -> dict[str, str]:
    """Finding by source; for policies with one rule."""
    return {str(one.source): one.finding.value for one in decision.verdicts}


def sources_changed(decision: Decision) -> Iterator[Event]:
    """The events of a cycle with all the budget it needs."""
    return events.sources_changed(decision, lambda _lines: True)
