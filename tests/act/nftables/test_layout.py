"""The table as text: pure."""

from datetime import timedelta

import pytest

from agent.act.nftables.layout import folded, wanted
from agent.act.nftables.names import HOSTS4, KINDS, kind_of, label_of, name_of, read_name
from agent.act.nftables.script import Saying, SetChange, allow_script, entries_script, table_script
from agent.act.nftables.structure import Structure
from agent.errors import FirewallError
from agent.model.address import HOST
from agent.model.ban import Target
from agent.model.layout import HOST_DROP, BanSet, Layout
from agent.model.policy import Answer, Rate, Scope
from tests.builders import NET24, NOW, RATE, ban, prefix

THROTTLE = BanSet(
    target=(Scope.SERVICE, "web", Answer.THROTTLE),
    ports=frozenset({80, 443}),
    rate=Rate(count=10, per=timedelta(minutes=1)),
    per=NET24,
)
DROP = BanSet(target=(Scope.SERVICE, "web", Answer.DROP), ports=frozenset({80, 443}))
SMALL = Layout(sets=(BanSet(target=HOST_DROP), DROP, THROTTLE), ssh=frozenset({22}))
NAMES = ["web", "host", "allow", "ssh", "a-nets4", "throttle-web-1s-32.64", "-", "X." + "y" * 62]

IPV4_RULES = """\
host4: ip saddr @allow4 return
host4: tcp dport { 22 } return
host4: ip saddr @host-hosts4 counter drop
host4: ip saddr @host-nets4 counter drop
input: meta nfproto ipv4 meta l4proto tcp goto services4
services4: ip saddr @allow4 return
services4: tcp dport { 80, 443 } jump to-web-4
to-web-4: ip saddr @service-web-hosts4 counter drop
to-web-4: ip saddr @service-web-nets4 counter drop
to-web-4: NEW ip saddr @throttle-web-10m-24.48-hosts4 jump held-throttle-web-10m-24.48-hosts4
to-web-4: NEW ip saddr @throttle-web-10m-24.48-nets4 jump held-throttle-web-10m-24.48-nets4
held-throttle-web-10m-24.48-nets4: ip saddr . tcp sport @seen4 update AGAIN return
held-throttle-web-10m-24.48-nets4: add @seen4 { ip saddr . tcp sport }
held-throttle-web-10m-24.48-nets4: counter drop
""".replace("NEW", "tcp flags & (fin|syn|rst|ack) == syn").replace(
    "AGAIN",
    "@again-throttle-web-10m-24.48-nets4 "
    "{ ip saddr & 255.255.255.0 limit rate 10/minute burst 10 packets }",
)
SETS = {
    "allow4": "type ipv4_addr; flags interval;",
    "host-hosts4": "type ipv4_addr; flags timeout; timeout 1h;",
    "service-web-nets6": "type ipv6_addr; flags interval,timeout; timeout 1h;",
    "throttle-web-10m-24.48-lines6": (
        "type ipv6_addr; flags timeout; timeout 1h; limit rate over 10/minute burst 10 packets;"
    ),
    "again-throttle-web-10m-24.48-lines6": (
        "type ipv6_addr; flags dynamic,timeout; timeout 60s; size 65536;"
    ),
    "seen6": "type ipv6_addr . inet_service; flags dynamic,timeout; timeout 4s; size 65536;",
}


def test_the_rules_that_an_ipv4_packet_meets() -> None:
    chains = wanted(SMALL).chains

    told = {name: [f"{name}: {rule}" for rule in chain.rules] for name, chain in chains.items()}
    for line in IPV4_RULES.splitlines():
        assert line in told[line.partition(":")[0]]
    for name in ("host4", "services4", "to-web-4", "held-throttle-web-10m-24.48-nets4"):
        assert "\n".join(told[name]) in IPV4_RULES


def test_a_line_of_ipv6_is_looked_up_by_its_first_half() -> None:
    rules = wanted(SMALL).chains["host6"].rules

    assert rules[2:] == (
        "ip6 saddr & ffff:ffff:ffff:ffff:: @host-lines6 counter drop",
        "ip6 saddr @host-hosts6 counter drop",
        "ip6 saddr @host-nets6 counter drop",
    )


def test_the_sets() -> None:
    sets = wanted(SMALL).sets

    assert {name: sets[name] for name in SETS} == SETS


def test_every_set_of_bans_has_a_time_of_its_own() -> None:
    assert all(
        "timeout 1h;" in text for name, text in wanted(SMALL).sets.items() if read_name(name)
    )


def test_every_rule_says_its_number_and_the_digest_of_all() -> None:
    comments = [one for each in wanted(SMALL).comments().values() for one in each]

    assert comments[0] == f"abuse_agent {wanted(SMALL).digest} 1/{len(comments)}"
    assert len(set(comments)) == len(comments)
    assert wanted(SMALL).digest != wanted(Layout()).digest


def test_a_table_that_is_not_there_is_made_in_one_script() -> None:
    lines = list(table_script(Structure(), wanted(Layout())))

    assert lines[:4] == [
        "add table inet abuse_agent\n",
        "add set inet abuse_agent allow4 { type ipv4_addr; flags interval; }\n",
        "add set inet abuse_agent allow6 { type ipv6_addr; flags interval; }\n",
        "add chain inet abuse_agent services4\n",
    ]
    assert (
        "add chain inet abuse_agent prerouting "
        "{ type filter hook prerouting priority -310; policy accept; }\n"
    ) in lines


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ({22}, "{ 22 }"),
        ({80, 443}, "{ 80, 443 }"),
        ({1, 2, 3, 5, 65535}, "{ 1-3, 5, 65535 }"),
        ({7, 8}, "{ 7-8 }"),
    ],
)
def test_ports_that_are_neighbours_are_a_range(ports: set[int], text: str) -> None:
    assert folded(frozenset(ports)) == text


@pytest.mark.parametrize("service", NAMES)
@pytest.mark.parametrize(
    ("answer", "rate"), [(Answer.DROP, None), (Answer.THROTTLE, RATE)], ids=["drop", "throttle"]
)
def test_a_name_is_read_back_as_what_it_was_made_from(
    service: str, answer: Answer, rate: Rate | None
) -> None:
    target: Target = (Scope.SERVICE, service, answer)
    label = label_of(BanSet(target=target, rate=rate, per=HOST if rate else None))

    for kind in KINDS:
        assert read_name(name_of(label, kind)) == ((target, rate), kind)


@pytest.mark.parametrize("name", ["allow4", "seen6", "again-service-web-hosts4", "hosts4", "x"])
def test_other_sets_hold_no_bans(name: str) -> None:
    assert read_name(name) is None


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("192.0.2.1/32", "hosts4"),
        ("192.0.2.0/24", "nets4"),
        ("2001:db8::/64", "lines6"),
        ("2001:db8::1/128", "hosts6"),
        ("64:ff9b::/120", "nets6"),
    ],
)
def test_where_a_prefix_belongs(text: str, suffix: str) -> None:
    assert kind_of(prefix(text)).suffix == suffix


def test_a_rate_that_nftables_does_not_know_is_an_error() -> None:
    odd = BanSet(target=THROTTLE.target, rate=Rate(count=1, per=timedelta(seconds=7)), per=HOST)

    with pytest.raises(FirewallError, match="per second, minute or hour"):
        label_of(odd)


def test_what_may_be_there_is_taken_out_before_it_is_put_in() -> None:
    change = SetChange(
        "s", HOSTS4, out=dict.fromkeys(("192.0.2.9", "192.0.2.1")), into={"1": "one", "2": "two"}
    )

    at = "element inet abuse_agent s {"
    assert list(entries_script([change])) == [
        f"add {at} 192.0.2.9, 192.0.2.1 }}\n",
        f"delete {at} 192.0.2.9, 192.0.2.1 }}\n",
        f"add {at} one, two }}\n",
    ]


def test_each_ban_of_a_cycle_has_its_own_end() -> None:
    say = Saying(NOW).of
    hour, instant = timedelta(hours=1), timedelta(milliseconds=1)
    bans = [ban(), ban(lasts=hour), ban(lasts=instant), ban(lasts=instant, begins=NOW - hour)]
    bans += [ban(lasts=hour, begins=NOW - hour / 2), ban()]

    began, half = int(NOW.timestamp()), int(NOW.timestamp()) - 1800
    assert [say(one) for one in bans] == [
        f'timeout 600s comment "b1 web-connections {began} 600"',
        f'timeout 3600s comment "b1 web-connections {began} 3600"',
        f'timeout 1s comment "b1 web-connections {began} 1"',
        "",
        f'timeout 1800s comment "b1 web-connections {half} 3600"',
        f'timeout 600s comment "b1 web-connections {began} 600"',
    ]


def test_of_what_bans_share_their_moments_alone_are_remembered() -> None:
    say = Saying(NOW).of
    first = ban()
    longer = ban(begins=first.begins, lasts=timedelta(hours=2), ban_id="b2", rule="other")
    earlier = ban(begins=NOW - timedelta(minutes=1), lasts=first.lasts)

    assert [say(one).split(" comment ")[0] for one in (first, longer, earlier)] == [
        "timeout 600s",
        "timeout 7200s",
        "timeout 540s",
    ]
    assert "b2 other" in say(longer)


def test_the_allow_set_is_replaced_in_one_script() -> None:
    assert list(allow_script([prefix("0.0.0.0/0")])) == [
        "flush set inet abuse_agent allow4\n",
        "flush set inet abuse_agent allow6\n",
        "add element inet abuse_agent allow4 { 0.0.0.0/0 }\n",
    ]
