"""What is normal: the kept sources one by one, and the rest by its histogram."""

from agent.desk.norms.norm import Norm, norms_of
from agent.desk.norms.spread import Spread
from agent.model.address import HOST
from agent.model.frame import Rest
from agent.model.inputs import Standing
from agent.model.sample import State
from tests.builders import NET24, NOW, entry, policy, rule, sample, source, tally
from tests.desk.replay.frames import EVERY, frame

POLICY = policy(rule(), rule("crowd", per=NET24, limit=600))
KNOWN = bytes([198, 51, 100, 7])
HOSTS = Rest(width=HOST, floor=10, counts={("web", "connections"): {1: 95, 2: 4}})
NETS = Rest(width=NET24, floor=100, counts={("web", "connections"): {1: 50, 60: 1}})


def by_subject(*norms: Norm) -> dict[tuple[str, str, bool], Norm]:
    return {(one.service.name, one.measure.name, one.width == HOST): one for one in norms}


def test_the_rest_counts_beside_those_that_are_kept() -> None:
    found = by_subject(*norms_of([frame(0, {"198.51.100.7": 40}, rest=(HOSTS, NETS))], POLICY))

    web = found["web", "connections", True]
    assert web.spread == Spread(sources=100, p50=1, p99=2, p999=40, most=40)
    assert not web.is_partial
    assert [(one.source, one.count, one.at) for one in web.top] == [
        (source("198.51.100.7/32"), 40, NOW)
    ]


def test_of_wider_sources_only_those_kept_whole_are_added_up() -> None:
    crowd = {f"198.51.100.{host}": 5 for host in range(30)}
    lone = {"203.0.113.1": 40}

    found = by_subject(*norms_of([frame(0, crowd | lone, rest=(HOSTS, NETS))], POLICY))

    nets = found["web", "connections", False]
    assert nets.spread == Spread(sources=52, p50=1, p99=150, p999=150, most=150)
    assert [str(one.source) for one in nets.top] == ["198.51.100.0/24"]


def test_each_cycle_counts_and_the_peak_is_told_with_its_moment() -> None:
    moments = [
        frame(number, {"198.51.100.7": count}, rest=(HOSTS, NETS))
        for number, count in enumerate((20, 50, 30))
    ]

    web = by_subject(*norms_of(moments, POLICY))["web", "connections", True]

    assert (web.cycles, web.spread.sources) == (3, 300)
    assert [(one.count, one.at, one.cycles) for one in web.top] == [(50, NOW + EVERY, 3)]


def test_what_known_clients_had_is_told_apart() -> None:
    standing = Standing(known=frozenset({KNOWN}))
    moments = [
        frame(0, {"198.51.100.7": 40, "203.0.113.9": 900}, inputs={"standing": standing}, rest=())
    ]

    web = by_subject(*norms_of(moments, POLICY))["web", "connections", True]

    assert web.known_most == 40
    assert [one.is_known for one in web.top] == [False, True]


def test_a_service_that_the_tape_did_not_know_is_partial() -> None:
    bare = (Rest(width=HOST, floor=10),)

    def is_partial(**changes: object) -> bool:
        moments = [frame(0, {"198.51.100.7": 40}, **({"rest": bare} | changes))]
        return by_subject(*norms_of(moments, POLICY))["web", "connections", True].is_partial

    assert is_partial(policy_sha256="9" * 64)
    assert not is_partial(policy_sha256="9" * 64, rest=(HOSTS, NETS))
    assert not is_partial()
    assert not is_partial(rest=())


def test_whoever_is_granted_something_is_at_the_top_but_not_in_the_spread() -> None:
    spared = policy(
        rule(), rule("crowd", per=NET24, limit=600), allowlist=(entry("x", "198.51.100.7"),)
    )
    moments = [frame(0, {"198.51.100.7": 400, "198.51.100.8": 101}, rest=())]

    found = by_subject(*norms_of(moments, spared))

    hosts, nets = (found["web", "connections", is_host] for is_host in (True, False))
    assert (hosts.spread.sources, hosts.spread.most) == (1, 101)
    assert [one.count for one in hosts.top] == [400, 101]
    assert (nets.spread.most, [one.count for one in nets.top]) == (101, [101])


def test_half_open_is_a_subject_of_its_own() -> None:
    seen = sample(tally({"198.51.100.7": 12}), tally({"198.51.100.7": 30}, state=State.SYN_RECV))

    found = by_subject(*norms_of([frame(0, seen, rest=())], POLICY))

    assert found["web", "connections", True].spread.most == 12
    assert found["web", "half_open", True].spread.most == 30
    assert ("ssh", "connections", True) not in found


def test_no_frames_have_no_norms() -> None:
    assert norms_of([], POLICY) == ()
