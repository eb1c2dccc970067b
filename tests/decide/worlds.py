"""Generated policies and inputs: a small world, so that everything meets everything."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from agent.decide import Memory, step
from agent.model.address import HOST, Prefix
from agent.model.inputs import Guard, Inputs, Queue, Surroundings
from agent.model.plan import Decision
from agent.model.policy import (
    AllowEntry,
    Answer,
    Policy,
    Rule,
    Safety,
    Scope,
    Service,
    Sustained,
)
from agent.model.sample import State
from tests.builders import (
    NET24,
    NO_BREAKER,
    NOW,
    SSH,
    WEB,
    entry,
    half_open,
    inputs,
    policy,
    rule,
    sample,
    tally,
)

BOTH = Service(name="both", ports=frozenset({22, 8080}))
"""A service that has a port in common with ssh."""

SMALL = Queue(waiting=0, backlog=1, smallest=1, full=0)
LARGE = Queue(waiting=0, backlog=4096, smallest=4096, full=0)

ALL_THREE = (WEB, SSH, BOTH)

SETTINGS = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

hosts = st.one_of(
    st.integers(0, 31).map(lambda host: f"192.0.2.{host}"),
    st.integers(0, 7).map(lambda host: f"198.51.100.{host}"),
    st.tuples(st.integers(0, 2), st.integers(0, 3)).map(
        lambda at: f"2001:db8:0:{at[0]}::{at[1]:x}"
    ),
    st.integers(0, 3).map(lambda host: f"64:ff9b::c000:20{host}"),
)
counts = st.dictionaries(hosts, st.integers(1, 12), max_size=24)
prefixes: st.SearchStrategy[Prefix] = st.one_of(
    st.tuples(st.integers(0, 31), st.integers(24, 32)).map(
        lambda at: IPv4Network((int(ip_address(f"192.0.2.{at[0]}")), at[1]), strict=False)
    ),
    st.tuples(hosts.filter(lambda host: ":" in host), st.integers(48, 128)).map(
        lambda at: IPv6Network((int(ip_address(at[0])), at[1]), strict=False)
    ),
)


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    wide = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        return half_open(name, limit=draw(st.integers(1, 20)), per=NET24 if wide else HOST)
    throttled = draw(st.booleans())
    return rule(
        name,
        service=draw(st.sampled_from([WEB, SSH, BOTH])),
        limit=draw(st.integers(1, 20)),
        per=NET24 if wide else HOST,
        members=draw(st.integers(1, 3)) if wide else 1,
        answer=Answer.THROTTLE if throttled else Answer.DROP,
        scope=Scope.SERVICE if throttled else draw(st.sampled_from(Scope)),
        lasts=timedelta(minutes=draw(st.integers(1, 60))),
        sustained=draw(st.sampled_from([Sustained(times=1, of=1), Sustained(times=2, of=3)])),
        warn=draw(st.sampled_from([Fraction(1, 2), Fraction(1)])),
    )


@st.composite
def entries(draw: st.DrawFn, name: str) -> AllowEntry:
    asks = draw(st.integers(0, 5)) == 0
    return replace(
        entry(name),
        prefixes=tuple(draw(st.lists(prefixes, max_size=2))),
        names=("crawler.example",) if asks else (),
        services=draw(st.sampled_from([frozenset[str](), frozenset({"web"}), frozenset({"ssh"})])),
        patience=draw(st.sampled_from([None, 2, 10])),
        until=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])),
    )


def safeties() -> st.SearchStrategy[Safety]:
    """The breaker may open, and the bans may come near their number."""
    return st.builds(
        Safety,
        new_bans_per_cycle=st.sampled_from([1, 5, 1000]),
        max_bans=st.sampled_from([3, 10, 100_000]),
        known_clients_share=st.sampled_from([Fraction(1, 100), Fraction(1, 5), Fraction(1)]),
    )


@st.composite
def policies(draw: st.DrawFn, safety: st.SearchStrategy[Safety] | None = None) -> Policy:
    return policy(
        *[draw(rules(f"rule-{index}")) for index in range(draw(st.integers(1, 4)))],
        services=ALL_THREE,
        safety=draw(safeties() if safety is None else safety),
        allowlist=tuple(
            draw(entries(f"entry-{index}")) for index in range(draw(st.integers(0, 3)))
        ),
    )


@st.composite
def moments(draw: st.DrawFn) -> Inputs:
    seen = sample(
        tally(draw(counts)),
        tally(draw(counts), port=22),
        tally(draw(counts), state=State.SYN_RECV),
    )
    guarded = tuple(
        Guard(prefix=prefix, why="found", only_ssh=draw(st.booleans()))
        for prefix in draw(st.lists(prefixes, max_size=2, unique=True))
    )
    return inputs(
        seen,
        counters={"SyncookiesSent": draw(st.integers(0, 3))},
        listeners=draw(st.sampled_from([{80: SMALL, 22: SMALL}, {80: LARGE, 22: SMALL}])),
        surroundings=Surroundings(guards=guarded),
    )


def judge(moment: Inputs, by: Policy, memory: Memory | None = None) -> Decision:
    """Judge after a calm moment, so that pressure and guards' allow set are possible."""
    calm, _ = step(Memory(), inputs({}, counters={"SyncookiesSent": 0}), by, NOW)
    return step(memory or calm, moment, by, NOW)[1]


CALM = st.just(NO_BREAKER)
"""Where more guilty ones must not spare others."""
