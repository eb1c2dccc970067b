"""nftables as its owner's machine has it: foreign tables, flushes, saved files, refusals."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.act import privilege
from agent.act.nftables import firewall as nftables
from agent.act.nftables.firewall import Nftables
from agent.decide.layout import layout_of
from agent.errors import FirewallError, PrivilegeError
from agent.model.layout import Layout
from agent.model.plan import Lift, Plan
from agent.model.policy import Scope, Service
from tests.builders import NOW, SSH, WEB, ban, held, layout, policy, prefix, throttle
from tests.range import in_namespace, namespace

pytestmark = pytest.mark.root

ALL = (
    ban(),
    ban("192.0.2.0/24"),
    ban("2001:db8::/64"),
    ban("2001:db8::1/128"),
    ban("2001:db8::/48"),
    ban(scope=Scope.HOST),
    throttle("198.51.100.1/32"),
    throttle("198.51.100.0/24"),
    throttle("2001:db8:1::/64"),
)
OTHERS = """
table inet other {
    set people { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }
    chain input { type filter hook input priority 0; policy accept; ip saddr @people counter; }
}
"""


@pytest.fixture(autouse=True)
def _apart() -> Iterator[None]:
    with namespace() as name, in_namespace(name):
        yield


@pytest.fixture
def firewall() -> Nftables:
    """Give one that is prepared."""
    made = Nftables()
    made.prepare(layout())
    return made


def nft(*words: str, script: str = "") -> str:
    """Be somebody else at the same firewall."""
    return subprocess.run(
        ["nft", *words], input=script, capture_output=True, text=True, check=True
    ).stdout


def put(firewall: Nftables, *add: object, **changes: object) -> None:
    firewall.apply(replace(Plan(), add=add, **changes), NOW)  # type: ignore[arg-type]


def places(firewall: Nftables) -> list[tuple[str, str]]:
    return sorted((str(one.source), str(one.target)) for one in firewall.installed(NOW).bans)


def test_it_asks_for_the_capability_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise PrivilegeError("this needs CAP_NET_ADMIN")

    monkeypatch.setattr(privilege, "demand", refuse)

    with pytest.raises(PrivilegeError, match="CAP_NET_ADMIN"):
        Nftables()


def test_a_machine_without_nft_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nftables, "find", lambda _: None)

    with pytest.raises(FirewallError, match="there is no nft here"):
        Nftables()


def test_other_tables_stay_as_they_are() -> None:
    nft("-f", "-", script=OTHERS)
    before = nft("list", "ruleset")
    firewall = Nftables()

    firewall.prepare(layout())
    put(firewall, *ALL, allow=frozenset({prefix("10.0.0.0/8")}))
    assert nft("list", "table", "inet", "other") == before
    assert firewall.teardown() == ("inet abuse_agent",)

    assert nft("list", "ruleset") == before


@pytest.mark.parametrize(
    "deed",
    [
        "delete table inet abuse_agent",
        "flush chain inet abuse_agent host4",
        "flush chain inet abuse_agent prerouting; delete chain inet abuse_agent prerouting",
        "insert rule inet abuse_agent input accept",
        "add rule inet abuse_agent to-web-4 ip saddr 192.0.2.1 accept",
        "add chain inet abuse_agent input { policy drop; }",
        "add table inet abuse_agent { flags dormant; }",
        "add chain inet abuse_agent more",
        "add set inet abuse_agent more { type ipv4_addr; }",
        "add map inet abuse_agent more { type ipv4_addr : verdict; }",
        "flush ruleset",
    ],
)
def test_what_somebody_did_to_the_table_is_seen_and_mended(firewall: Nftables, deed: str) -> None:
    whole = [comment_free(line) for line in nft("-s", "list", "ruleset").splitlines()]
    nft(deed)

    assert firewall.is_touched()
    missing = firewall.missing(layout())
    assert firewall.prepare(layout()) == missing

    assert not firewall.is_touched()
    assert firewall.missing(layout()) == ()
    assert firewall.inspect().faults == ()
    now = [comment_free(line) for line in nft("-s", "list", "ruleset").splitlines()]
    assert sorted(now) == sorted(whole)


def comment_free(line: str) -> str:
    return line.partition(" comment ")[0]


def test_a_flushed_set_is_seen(firewall: Nftables) -> None:
    put(firewall, ban())

    nft("flush set inet abuse_agent service-web-hosts4")

    assert firewall.is_touched()


def test_a_foreign_change_amid_its_own_is_not_swallowed(firewall: Nftables) -> None:
    put(firewall, ban())
    nft("flush set inet abuse_agent service-web-hosts4")
    put(firewall, ban("192.0.2.11/32"))

    assert firewall.is_touched()
    firewall.prepare(layout())
    assert not firewall.is_touched()


def test_a_rejected_batch_and_one_without_effect_are_no_touch(firewall: Nftables) -> None:
    nft("add element inet abuse_agent service-web-nets4 { 198.51.0.0/16 }")
    firewall.prepare(layout())

    with pytest.raises(FirewallError):
        put(firewall, ban("198.51.100.0/24"))
    put(firewall, allow=frozenset())

    assert not firewall.is_touched()


def test_one_refused_net_among_many_keeps_nobody_out(firewall: Nftables) -> None:
    nft("add element inet abuse_agent service-web-nets4 { 198.51.0.0/16 }")
    many = tuple(ban(f"10.{n}.0.0/16", ban_id=f"b{n}") for n in range(40))

    with pytest.raises(FirewallError, match="did not take 1 changes"):
        put(firewall, *many, ban("198.51.100.0/24"), ban())

    assert len(places(firewall)) == 40 + 2


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> tuple[Nftables, list[float]]:
    """Give one, prepared, whose nft then hangs, and how long each was waited for."""
    waited: list[float] = []

    def hang(*_: str, lines: Iterable[str], patience_s: float) -> str:
        assert "".join(lines)
        waited.append(patience_s)
        raise FirewallError("nft did not end")

    made = Nftables(stopwatch=lambda: sum(waited))
    made.prepare(layout())
    monkeypatch.setattr(nftables, "run", hang)
    return made, waited


def test_an_nft_that_hangs_is_waited_for_once(hung: tuple[Nftables, list[float]]) -> None:
    firewall, waited = hung

    with pytest.raises(FirewallError, match="did not take 9 changes: nft did not end"):
        put(firewall, *ALL)

    assert len(waited) == 1
    assert waited[0] < 11


def test_a_table_is_not_made_anew_by_an_nft_that_hangs(hung: tuple[Nftables, list[float]]) -> None:
    firewall, waited = hung

    with pytest.raises(FirewallError, match="nft did not end"):
        firewall.prepare(Layout())

    assert len(waited) == 1


def test_what_has_no_set_is_told_and_keeps_nobody_out(firewall: Nftables) -> None:
    with pytest.raises(FirewallError, match="1 changes: there is no set"):
        put(firewall, ban(service=Service(name="gone", ports=frozenset({7}))), ban("192.0.2.11/32"))

    assert [where for where, _ in places(firewall)] == ["192.0.2.11"]


def test_nothing_is_added_when_the_table_is_gone(firewall: Nftables) -> None:
    nft("flush ruleset")

    with pytest.raises(FirewallError, match="there is no table"):
        put(firewall, ban())
    assert firewall.installed(NOW).bans == ()


def test_what_others_put_in_is_read_and_lifted(firewall: Nftables) -> None:
    put(firewall, ban("192.0.2.0/24"))
    nft(
        "-f",
        "-",
        script="""
        add element inet abuse_agent service-web-hosts4 { 192.0.2.1 timeout 0s comment "me" }
        add element inet abuse_agent service-web-nets4 { 198.51.100.1-198.51.100.4, 10.0.0.1 }
        """,
    )
    found = {str(one.source.prefix): one for one in firewall.installed(NOW).bans}
    foreign = [one for one in found.values() if one.mark is None]
    assert sorted(found) == [
        "10.0.0.1/32",
        "192.0.2.0/24",
        "192.0.2.1/32",
        "198.51.100.1/32",
        "198.51.100.2/31",
        "198.51.100.4/32",
    ]
    assert len(foreign) == 5
    assert all(one.left for one in foreign), "the set's own time is what keeps it from staying"

    put(firewall, lift=tuple(Lift(held=one, reason="foreign") for one in foreign))

    assert [where for where, _ in places(firewall)] == ["192.0.2.0/24"]


@pytest.mark.parametrize("name", ["hosts4", "lines6", "hosts6"])
def test_an_element_for_everybody_is_read_and_lifted(firewall: Nftables, name: str) -> None:
    put(firewall, ban())
    nft("-f", "-", script=f"add element inet abuse_agent service-web-{name} {{ * }}\n")
    (found,) = (one for one in firewall.installed(NOW).bans if one.mark is None)
    assert str(found.source) in {"0.0.0.0/0", "::/0"}

    put(firewall, lift=(Lift(held=found, reason="foreign"),))

    assert [where for where, _ in places(firewall)] == ["192.0.2.10"]


def test_a_refreshed_ban_carries_its_new_id(firewall: Nftables) -> None:
    for number in (1, 2):
        put(firewall, *(replace(one, ban_id=f"b{number}") for one in ALL))

    marks = [one.mark for one in firewall.installed(NOW).bans]
    assert len(marks) == len(ALL)
    assert {one and one.ban_id for one in marks} == {"b2"}


def test_a_lift_and_an_add_of_one_place_is_the_add(firewall: Nftables) -> None:
    put(firewall, *ALL)

    put(firewall, *ALL, lift=tuple(Lift(held=held(one), reason="test") for one in ALL))

    assert len(places(firewall)) == len(ALL)


def test_a_big_plan_refreshes_what_is_there(
    firewall: Nftables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.act.nftables.changes._MANY", 2)
    first = [ban(f"192.0.2.{n}/32") for n in range(3)]
    put(firewall, *first)

    more = [ban(f"192.0.2.{n}/32", ban_id="b2", lasts=timedelta(hours=3)) for n in range(1, 6)]
    put(firewall, *more)

    found = {str(one.source): one.left for one in firewall.installed(NOW).bans}
    assert len(found) == 6
    assert sum(bool(left and left > timedelta(hours=2)) for left in found.values()) == 5


def test_sets_that_stay_keep_their_bans_when_one_goes(firewall: Nftables) -> None:
    put(firewall, *ALL, ban(service=SSH))

    firewall.prepare(layout_of(policy(services=(WEB,))))

    assert {target for _, target in places(firewall)} == {
        str(one.target) for one in ALL if one.rate is None
    }


def test_a_second_agent_finds_what_the_first_left(firewall: Nftables) -> None:
    put(firewall, *ALL, allow=frozenset({prefix("10.0.0.0/8")}))
    second = Nftables()

    assert second.installed(NOW).allowed == {prefix("10.0.0.0/8")}
    assert places(second) == places(firewall)
    assert second.inspect().faults == ()
    assert second.prepare(layout()) == ()


@pytest.mark.parametrize(
    "allow",
    [("10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"), ("255.255.255.255/32", "ff00::/8", "0.0.0.0/1")],
)
def test_an_allow_set_with_overlaps_and_edges_is_read_back_collapsed(
    firewall: Nftables, allow: tuple[str, ...]
) -> None:
    put(firewall, allow=frozenset(prefix(one) for one in allow))

    found = {str(one) for one in firewall.installed(NOW).allowed}
    assert found == ({"10.0.0.0/7"} if allow[0] == "10.0.0.0/8" else set(allow))


def test_a_saved_ruleset_loads_again_with_all_bans_in_force(firewall: Nftables) -> None:
    put(firewall, *ALL, allow=frozenset({prefix("0.0.0.0/0"), prefix("2001:db8:5::/64")}))
    nft("-f", "-", script=OTHERS)
    script = """
        add element inet abuse_agent seen4 { 198.51.100.1 . 40000 }
        add element inet abuse_agent again-throttle-web-1s-32.64-hosts4 {
            198.51.100.1 limit rate 1/second burst 1 packets }
        """
    nft("-f", "-", script=script)
    before, saved = places(firewall), nft("list", "ruleset")
    nft("flush ruleset")

    nft("-f", "-", script=saved)

    assert places(firewall) == before
    assert all(one.left and one.mark for one in firewall.installed(NOW).bans)
    assert firewall.prepare(layout()) == ()
    assert firewall.inspect().faults == ()
    assert "table inet other" in saved


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("delete table inet abuse_agent", "there is no table"),
        ("add table inet abuse_agent { flags dormant; }", "dormant"),
        ("flush chain inet abuse_agent prerouting", "2 of .* rules are missing"),
        ("flush table inet abuse_agent", "there are no rules"),
        ("add rule inet abuse_agent input accept", "1 rules are not the agent's"),
        ("add chain inet abuse_agent input { policy drop; }", "input .* not hooked as it was"),
        (
            "flush chain inet abuse_agent forward; delete chain inet abuse_agent forward",
            "forward .* missing",
        ),
    ],
)
def test_a_fault_is_a_sentence_also_for_who_has_no_policy(
    firewall: Nftables, deed: str, said: str
) -> None:
    firewall.teardown()
    Nftables().prepare(layout())
    nft(deed)

    faults = Nftables().inspect().faults

    assert any(matches(said, one) for one in faults), faults


def matches(pattern: str, text: str) -> bool:
    return bool(re.search(pattern, text))


def test_traffic_is_told_set_by_set(firewall: Nftables) -> None:
    put(firewall, ban(), ban("192.0.2.11/32"), ban("10.0.0.0/8"))

    elements = {one.name: one.elements for one in firewall.inspect().traffic}

    assert (elements["service-web-hosts4"], elements["service-web-nets4"]) == (2, 1)
    assert elements["throttle-ssh-1s-32.64-lines6"] == 0


def test_an_empty_layout_is_a_layout(firewall: Nftables) -> None:
    firewall.prepare(Layout())

    assert firewall.inspect().faults == ()
