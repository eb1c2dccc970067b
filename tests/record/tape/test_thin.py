"""Who is kept, with what, and how many the others are."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decide import Memory, step
from agent.model.address import HOST, Address, Width, grouper, pack, unpack
from agent.model.frame import Frame
from agent.model.inputs import Identities, Inputs, Queue
from agent.model.learned import Learned, Verified
from agent.model.policy import Kind, Policy, Recording, Rule, Sustained
from agent.model.sample import SOCKETS, Sample, State
from agent.record.tape import crowd
from agent.record.tape.crowd import floors_of
from agent.record.tape.thin import Thinner
from tests.builders import NET24, NOW, entry, half_open, policy, prefix, rule, sample, tally
from tests.record.tape.moments import moment

CROWD = rule("web-crowd", per=NET24, limit=600)
LOOSE = replace(policy(rule(limit=10_000)), tape=Recording(floor=10, prefix_floor=40))


def thin(seen: Mapping[str, int] | Sample, by: Policy = LOOSE) -> Frame:
    return Thinner().frame_of(moment(0, seen, by), is_start=True)


def kept(frame: Frame) -> dict[str, int]:
    """Count what is kept by address."""
    found: dict[str, int] = {}
    for (family, _, _, packed), count in frame.inputs.sample.tallies[SOCKETS].items():
        who = str(unpack(family, packed))
        found[who] = found.get(who, 0) + count
    return found


def test_who_is_above_the_floor_is_kept_and_no_other() -> None:
    frame = thin({"192.0.2.1": 11, "192.0.2.2": 10})

    assert kept(frame) == {"192.0.2.1": 11}
    assert frame.inputs.sample.others == {(State.ESTABLISHED, 80): 10}
    assert [(one.width, one.floor) for one in frame.rest] == [(HOST, 10)]
    assert frame.rest[0].counts == {("web", "connections"): {10: 1}}


def test_sockets_count_on_all_ports_in_all_states_of_a_measure() -> None:
    seen = sample(
        tally({"192.0.2.1": 4}, port=22),
        tally({"192.0.2.1": 4}, port=80, state=State.TIME_WAIT),
        tally({"192.0.2.1": 3}, port=443, state=State.CLOSE_WAIT),
        tally({"192.0.2.1": 1}, port=443, state=State.CLOSE),
        tally({"192.0.2.2": 10, "192.0.2.3": 11}, state=State.SYN_RECV),
        tally({"192.0.2.2": 10}),
    )

    assert kept(thin(seen)) == {"192.0.2.1": 12, "192.0.2.3": 11}


def test_members_of_a_wide_source_above_its_floor_are_kept_whole() -> None:
    by = replace(policy(rule(limit=10_000), CROWD), tape=Recording(floor=10, prefix_floor=40))
    one, other = {f"192.0.2.{at}": 5 for at in range(9)}, {f"198.51.100.{at}": 5 for at in range(8)}

    frame = thin(one | other, by)
    assert kept(frame) == one
    assert frame.rest[0].counts == {("web", "connections"): {5: 8}}
    assert frame.rest[1].width == NET24
    assert frame.rest[1].counts == {("web", "connections"): {40: 1}}


def test_histograms_of_wide_sources_have_the_kept_hosts_in_them() -> None:
    by = replace(policy(rule(limit=10_000), CROWD), tape=Recording(floor=10, prefix_floor=100))

    frame = thin({"192.0.2.1": 30, "192.0.2.2": 4}, by)
    assert frame.rest[0].counts == {("web", "connections"): {4: 1}}
    assert frame.rest[1].counts == {("web", "connections"): {34: 1}}


def test_histograms_are_of_a_services_ports_and_a_measures_usual_states() -> None:
    seen = sample(
        tally({"192.0.2.1": 2}, port=80),
        tally({"192.0.2.1": 1}, port=443),
        tally({"192.0.2.1": 4, "192.0.2.2": 1}, port=22),
        tally({"192.0.2.1": 5}, port=80, state=State.TIME_WAIT),
        tally({"192.0.2.1": 6}, port=443, state=State.SYN_RECV),
        tally({"192.0.2.1": 7}, port=8080),
    )
    by = replace(LOOSE, tape=Recording(floor=100))

    assert thin(seen, by).rest[0].counts == {
        ("web", "connections"): {3: 1},
        ("web", "half_open"): {6: 1},
        ("ssh", "connections"): {4: 1, 1: 1},
    }


def test_services_that_share_a_port_are_each_counted() -> None:
    every = replace(LOOSE.services[0], name="all", ports=frozenset({80, 22}))
    by = replace(LOOSE, services=(*LOOSE.services, every))
    seen = sample(tally({"192.0.2.1": 2}, port=80), tally({"192.0.2.1": 3}, port=22))

    assert thin(seen, by).rest[0].counts == {
        ("all", "connections"): {5: 1},
        ("web", "connections"): {2: 1},
        ("ssh", "connections"): {3: 1},
    }


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([rule(limit=1000)], {HOST: 10}, id="as it is configured"),
        pytest.param([rule(limit=12)], {HOST: 6}, id="half of a low limit"),
        pytest.param([rule(limit=100, warn=Fraction(1, 50))], {HOST: 2}, id="an early warning"),
        pytest.param([rule(limit=1)], {HOST: 0}, id="everybody"),
        pytest.param(
            [rule(limit=1000), CROWD, rule("net16", per=Width(ipv4=16, ipv6=32), limit=90)],
            {HOST: 10, NET24: 100, Width(ipv4=16, ipv6=32): 45},
            id="each width its own",
        ),
        pytest.param([CROWD], {HOST: 10, NET24: 100}, id="hosts always"),
    ],
)
def test_a_floor_covers_the_policys_own_rules(rules: list[Rule], expected: object) -> None:
    assert floors_of(policy(*rules)) == expected
    assert next(iter(floors_of(policy(*rules)))) == HOST


def test_lines_of_ipv6_are_hosts_and_nat64_clients_are_each_one() -> None:
    lines = {f"2001:db8::{at}": 4 for at in range(1, 4)}
    nat64 = {f"64:ff9b::c000:20{at}": 4 for at in range(3)}

    assert kept(thin(lines | nat64)) == lines


def test_where_there_is_no_room_the_floor_says_which_one_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd, "ROWS_AT_MOST", 5)
    heavy = {f"192.0.2.{at}": 20 + at for at in range(8)}

    frame = thin(heavy)
    assert kept(frame) == {f"192.0.2.{at}": 20 + at for at in range(3, 8)}
    assert frame.rest[0].floor == 22
    assert frame.rest[0].counts == {("web", "connections"): {20: 1, 21: 1, 22: 1}}


def test_sources_as_heavy_as_each_other_are_all_kept_or_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd, "ROWS_AT_MOST", 5)

    frame = thin({f"192.0.2.{at}": 20 for at in range(8)} | {"198.51.100.1": 30})
    assert kept(frame) == {"198.51.100.1": 30}
    assert frame.rest[0].floor == 20


def test_members_of_wide_sources_have_room_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "ROWS_AT_MOST", 9)
    by = replace(policy(rule(limit=10_000), CROWD), tape=Recording(floor=10, prefix_floor=20))
    heavy = {f"203.0.113.{at}": 20 + at for at in range(12)}
    members = {f"192.0.2.{at}": 5 for at in range(8)}

    frame = thin(heavy | members, by)
    assert [one.floor for one in frame.rest] == [22, 306]
    assert kept(frame) == {who: count for who, count in heavy.items() if count > 22}

    heaviest = {f"192.0.2.{at}": 50 for at in range(8)}
    frame = thin(heavy | heaviest, by)
    assert kept(frame).keys() >= heaviest.keys()
    assert frame.rest[1].floor == 306


def test_a_crowded_line_keeps_its_sum_and_its_heaviest_addresses() -> None:
    crowded = {f"2001:db8::{at:x}": 1 for at in range(1, 1000)} | {"2001:db8::ffff": 7}

    found = kept(thin(crowded))
    assert len(found) == crowd.ROWS_OF_LINE[0] + 1
    assert sum(found.values()) == 999 + 7
    assert found["2001:db8::ffff"] == 7
    assert found["2001:db8::"] == 1000 - crowd.ROWS_OF_LINE[0]


def test_a_crowded_line_loses_nothing_of_its_first_address() -> None:
    crowded = {f"2001:db8::{at:x}": 2 for at in range(1, 400)} | {"2001:db8::": 1}

    assert sum(kept(thin(crowded)).values()) == 2 * 399 + 1


def test_many_lines_alike_are_folded_before_any_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd, "ROWS_AT_MOST", 500)
    alike = {f"2001:db8:{line:x}::{at:x}": 1 for line in range(1, 21) for at in range(1, 102)}

    frame = thin(alike)
    found = kept(frame)
    assert [one.floor for one in frame.rest] == [policy().tape.floor]
    assert sum(found.values()) == sum(alike.values())
    assert 20 * 16 < len(found) <= 500


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 30)), st.integers(1, 40), max_size=40
    )
)
def test_nothing_of_a_sample_is_lost(some: dict[tuple[int, int], int]) -> None:
    by = replace(policy(rule(limit=60), CROWD, half_open()), tape=Recording(prefix_floor=60))
    seen = sample(tally({f"192.0.{net}.{at}": count for (net, at), count in some.items()}))

    frame = thin(seen, by)
    told = frame.inputs.sample
    assert sum(told.tallies[SOCKETS].values()) + sum(told.others.values()) == told.sockets
    assert (told.states, told.listening) == (seen.states, seen.listening)
    hist = frame.rest[0].counts.get(("web", "connections"), {})
    assert sum(count * number for count, number in hist.items()) == sum(told.others.values())
    assert all(count <= one.floor for one in frame.rest for h in one.counts.values() for count in h)


def test_a_judgement_of_what_is_kept_is_that_of_all() -> None:
    by = policy(rule(limit=30), rule("web-crowd", per=NET24, limit=90), half_open())
    seen = sample(
        tally({f"192.0.{net}.{at}": 1 + at * net for net in range(6) for at in range(9)}),
        tally({f"192.0.9.{at}": 10 * at for at in range(9)}, state=State.SYN_RECV),
    )
    whole = moment(0, seen, by).inputs

    told = Thinner().frame_of(moment(0, seen, by), is_start=True).inputs
    verdicts = step(Memory(), whole, by, NOW)[1].verdicts
    assert verdicts
    assert step(Memory(), told, by, NOW)[1].verdicts == verdicts


SOURCES = [
    *(f"192.0.{net}.{at}" for net in range(2) for at in range(1, 5)),
    *(f"2001:db8:{net}:{line}::{at}" for net in range(2) for line in range(2) for at in (1, 2)),
    "64:ff9b::c000:201",
    "fe80::1",
]
ROWS = st.dictionaries(
    st.tuples(
        st.sampled_from(SOURCES),
        st.sampled_from([80, 22]),
        st.sampled_from([State.ESTABLISHED, State.SYN_RECV, State.TIME_WAIT]),
    ),
    st.integers(1, 40),
    max_size=30,
)
MIXED = policy(
    rule(limit=30, sustained=Sustained(times=2, of=3)),
    rule("single", per=Width(ipv4=32, ipv6=128), limit=25),
    rule("crowd", per=NET24, limit=50, members=2),
    rule("net", per=Width(ipv4=16, ipv6=32), limit=90, warn=Fraction(1, 2)),
    half_open(limit=12),
    allowlist=(
        entry("office", "192.0.0.1/32", patience=2),
        entry("partner", "192.0.1.0/30"),
        entry("bots", names=("bots.example",), patience=3, kind=Kind.CRAWLER),
    ),
)


def crowd_of(rows: Mapping[tuple[str, int, State], int]) -> Sample:
    return sample(
        *(tally({who: n}, port=port, state=state) for (who, port, state), n in rows.items())
    )


@given(st.lists(ROWS, min_size=1, max_size=4), st.sets(st.sampled_from(SOURCES)))
def test_whatever_is_judged_by_its_own_policy_is_judged_alike(
    some: list[dict[tuple[str, int, State], int]], answered: set[str]
) -> None:
    live, again, thinner = Memory(), Memory(), Thinner()
    known = Identities(
        found={"bots": frozenset({prefix("192.0.0.2/32"), prefix("192.0.0.77/32")})},
        answered=frozenset(map(ip_address, answered)),
    )
    queue = Queue(waiting=0, backlog=4, smallest=4, full=0)
    for number, rows in enumerate(some):
        pressed = {"SyncookiesSent": 1000 * number, "TCPReqQFullDoCookies": 1000 * number}
        one = moment(
            *(number, crowd_of(rows), MIXED, live),
            identities=known,
            counters=pressed,
            listeners={80: queue, 22: queue},
            sysctls={"net.ipv4.tcp_syncookies": 1},
        )
        told = thinner.frame_of(one, is_start=number == 0)

        live, meant = step(live, one.inputs, MIXED, told.at)
        again, found = step(again, told.inputs, MIXED, told.at)
        assert found.verdicts == meant.verdicts
        assert found.plan == meant.plan
        assert found.questions == meant.questions


def names(*addresses: str) -> dict[Address, Verified]:
    return {
        ip_address(one): Verified(entries=frozenset({"bots"}), at=NOW, names=("a.example",))
        for one in addresses
    }


def test_what_is_known_of_sources_is_that_of_the_kept() -> None:
    found = {"bots": frozenset({prefix("192.0.2.9/32"), prefix("198.51.100.0/24")})}
    both = frozenset({ip_address("192.0.2.1"), ip_address("192.0.2.2")})
    known = Identities(
        found=found,
        answered=both,
        unread=frozenset({"on-call"}),
        vendors={"a": frozenset({prefix("203.0.113.0/24")})},
    )
    learned = Learned(
        verified=names("192.0.2.1", "192.0.2.2"),
        hosts={"vpn.example": frozenset({prefix("192.0.2.7/32")})},
        sessions={ip_address("192.0.2.1"): NOW},
        clients={b"\xc0\x00\x02\x01": (9, 9)},
        tried="f" * 64,
    )
    by = replace(LOOSE, allowlist=(entry("bots", names=("example",)),))
    thinner = Thinner()
    one = moment(0, {"192.0.2.1": 20, "192.0.2.2": 5}, by, identities=known, learned=learned)

    frame = thinner.frame_of(one, is_start=True)
    told = frame.inputs.identities
    assert told == Identities(
        found=found, answered=frozenset({ip_address("192.0.2.1")}), unread=known.unread
    )
    assert frame.learned == Learned(
        verified=names("192.0.2.1"),
        hosts=learned.hosts,
        tried=learned.tried,
    )

    later = thinner.frame_of(one, is_start=False)
    assert later.inputs.identities is told
    assert later.learned == replace(frame.learned, tried="")


def test_what_was_known_of_kept_hosts_is_told() -> None:
    key = grouper(HOST)(*pack(ip_address("192.0.2.1")))
    memory = step(
        Memory(), Inputs(sample=sample(tally({"192.0.2.1": 20}))), policy(half_open()), NOW
    )
    one = moment(1, {"192.0.2.1": 20, "192.0.2.2": 5}, LOOSE, memory[0])

    told = Thinner().frame_of(one, is_start=False).inputs.standing
    assert told is not None
    assert told.proven == {key}
    assert told.others == 1


def test_nothing_of_the_firewall_is_kept() -> None:
    frame = thin({"192.0.2.1": 20})

    assert frame.inputs.installed.bans == ()
    assert frame.inputs.history == {}
    assert frame.at == NOW
