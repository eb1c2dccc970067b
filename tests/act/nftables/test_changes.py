"""From a plan to elements, with a real kernel: other rates, other lengths, other people's."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.act.nftables.firewall import Nftables
from agent.errors import FirewallError
from agent.model.ban import Ban
from agent.model.plan import Lift, Plan
from agent.model.policy import Rate, Scope
from tests.builders import NOW, RATE, ban, half_open, layout, throttle
from tests.range import in_namespace, namespace

pytestmark = pytest.mark.root

FASTER = Rate(count=5, per=timedelta(seconds=1))
NETS = "inet abuse_agent service-web-nets4"


@pytest.fixture(name="firewall")
def _firewall() -> Iterator[Nftables]:
    """Give one that is prepared, for throttles of two rates."""
    with namespace() as name, in_namespace(name):
        made = Nftables()
        made.prepare(layout(half_open(), half_open("faster", rate=FASTER)))
        yield made


def put(firewall: Nftables, *add: Ban, lift: tuple[Lift, ...] = ()) -> None:
    firewall.apply(Plan(add=add, lift=lift), NOW)


def put_foreign(elements: str) -> None:
    """Be somebody else at our set of prefixes."""
    script = f"add element {NETS} {{ {elements} }}\n"
    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True)


def ours(firewall: Nftables) -> set[str]:
    return {str(one.source) for one in firewall.installed(NOW).bans if one.mark}


def test_a_throttle_leaves_the_sets_of_its_other_rates(firewall: Nftables) -> None:
    sources = ("198.51.100.1/32", "198.51.100.0/24", "2001:db8:1::/64", "2001:db8:1::/48")
    for rate in (RATE, FASTER, RATE):
        put(firewall, *(throttle(one, rate=rate) for one in sources))

        elements = {one.name: one.elements for one in firewall.inspect().traffic if one.elements}
        assert elements == {
            f"throttle-web-{rate.count}s-32.64-{kind}": 1
            for kind in ("hosts4", "nets4", "lines6", "nets6")
        }


def test_bans_of_one_plan_go_each_where_they_are_treated_so(firewall: Nftables) -> None:
    treated = {
        "throttle-web-1s-32.64-hosts4": throttle("192.0.2.1/32"),
        "throttle-web-5s-32.64-hosts4": throttle("192.0.2.2/32", rate=FASTER),
        "service-web-hosts4": ban("192.0.2.3/32"),
        "service-web-nets4": ban("192.0.3.0/24"),
        "host-hosts4": ban("192.0.2.4/32", scope=Scope.HOST),
        "host-lines6": ban("2001:db8::/64", scope=Scope.HOST),
    }
    put(firewall, *treated.values())

    counts = {one.name: one.elements for one in firewall.inspect().traffic if one.elements}
    assert counts == dict.fromkeys(treated, 1)


def test_two_bans_of_one_cycle_end_each_at_its_own_time(firewall: Nftables) -> None:
    lasts = (timedelta(minutes=10), timedelta(hours=5), timedelta(minutes=10), timedelta(days=2))
    bans = [ban(f"192.0.2.{n}/32", begins=NOW, lasts=each) for n, each in enumerate(lasts, 1)]
    put(firewall, *bans)

    found = {str(one.source): one for one in firewall.installed(NOW).bans}
    for one in bans:
        left, mark = found[str(one.source)].left, found[str(one.source)].mark
        assert left is not None
        assert abs(left - one.lasts) < timedelta(seconds=5)
        assert mark is not None
        assert mark.lasts == one.lasts


FOREIGN = (
    pytest.param("128.0.0.0/2", id="prefix"),
    pytest.param("150.0.0.1-191.0.0.254", id="range"),
    pytest.param("0.0.0.0/0", id="whole"),
    pytest.param("151.0.0.0/16, 151.1.0.0-151.1.0.7, 151.1.2.0-160.0.0.0", id="several"),
)
INSIDE = ("151.0.0.0/24", "151.1.0.0/24", "152.0.0.0/16", "9.0.0.0/24")


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_others_put_over_ours_is_lifted_and_ours_added_in_one_go(
    firewall: Nftables, foreign: str
) -> None:
    put_foreign(foreign)
    lift = tuple(Lift(held=one, reason="foreign") for one in firewall.installed(NOW).bans)

    put(firewall, *map(ban, INSIDE), lift=lift)

    assert ours(firewall) == set(INSIDE)
    assert len(firewall.installed(NOW).bans) == len(INSIDE)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_others_put_in_meanwhile_keeps_out_only_what_it_overlaps(
    firewall: Nftables, foreign: str
) -> None:
    put_foreign(foreign)

    with pytest.raises(FirewallError, match=r"did not take [34] changes"):
        put(firewall, *map(ban, INSIDE), ban("151.0.0.9/32"))

    free = {"9.0.0.0/24"} if foreign != "0.0.0.0/0" else set()
    assert ours(firewall) == {"151.0.0.9"} | free
