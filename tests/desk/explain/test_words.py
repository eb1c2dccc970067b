"""The words of an explanation: the first line answers, and every section fits a terminal."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.act.stopped import stopped
from agent.decide import layout_of
from agent.decide.grants import Grant
from agent.desk.explain.answer import answer
from agent.desk.explain.follows import follows
from agent.desk.explain.values import Explanation, Kept, Listed, Past, Present, Ruling, Who
from agent.desk.explain.words import lines_of
from agent.model.address import Source
from agent.model.inputs import Guard, Permit
from agent.model.inspection import Traffic
from agent.model.learned import Verified
from agent.model.policy import AllowEntry, Answer, Mode, Rate, Scope, Sustained
from agent.model.sample import State
from agent.model.verdict import Finding
from agent.observe.owners import Owners
from agent.observe.peers import Peers, Queues
from agent.record.ledger import End
from agent.record.locks import Agent
from agent.record.sqlite.earlier import Earlier
from tests.builders import NOW, SSH, ban, entry, half_open, held, policy, prefix, rule, source
from tests.desk.explain.moments import ONE, banned, ruling, told

LISTED = entry("monitoring", ONE, declared_at="policies/web.yaml:14")
LINE = "2001:db8:1:2::/64"
UNSEEN = {"present": Present(), "rulings": ()}


def listed(one: AllowEntry, *, is_over: bool = False, wide: str = ONE) -> Who:
    return Who(listed=(Listed(entry=one, prefix=prefix(wide), is_over=is_over),))


def guarded(why: str, text: str = ONE, *, only_ssh: bool = False) -> Who:
    return Who(guards=(Guard(prefix=prefix(text), why=why, only_ssh=only_ssh),))


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        (
            told(past=banned()),
            (
                f"{ONE} is banned from web until 2026-11-20 03:08:00 UTC (8m left): "
                "web-connections counted 412, limit 100"
            ),
        ),
        (
            told(past=banned("192.0.2.0/24")),
            (
                f"{ONE} is banned from web as part of 192.0.2.0/24 until 2026-11-20 03:08:00 UTC "
                "(8m left): web-connections counted 412, limit 100"
            ),
        ),
        (
            told(
                past=banned(count=None, limit=None, scope=Scope.HOST, reasons=("by hand: \x1b[2J",))
            ),
            (
                f"{ONE} is banned from this host until 2026-11-20 03:08:00 UTC (8m left): "
                r"by hand: \x1b[2J"
            ),
        ),
        (
            told(past=banned(answer=Answer.THROTTLE, rate=Rate(count=1, per=timedelta(seconds=1)))),
            (
                f"{ONE} is throttled at web until 2026-11-20 03:08:00 UTC (8m left): "
                "web-connections counted 412, limit 100"
            ),
        ),
        (
            told(past=None, kept=Kept(firewall="nftables", bans=(held(ban()),))),
            f"{ONE} is banned from web until 2026-11-20 03:10:00 UTC: by web-connections",
        ),
        (told(), f"{ONE} is not banned: it is above no limit"),
        (
            told(source=source("192.0.2.0/24"), past=banned("192.0.2.128/25")),
            "192.0.2.0/24 is not banned as a whole: 1 ban of somebody in it is in force",
        ),
        (told(**UNSEEN), f"{ONE} is not banned: nothing is known of it here"),
        (
            told(**UNSEEN, past=Past(permits=(Permit(prefix=prefix(ONE), until=NOW, why="x"),))),
            f"{ONE} is not banned, and holds no connection here",
        ),
        (
            told(who=guarded("own address (eth0)")),
            f"{ONE} will never be banned: own address (eth0)",
        ),
        (
            told(who=listed(LISTED)),
            f"{ONE} will never be banned: allowlist entry monitoring, policies/web.yaml:14",
        ),
        (
            told(who=listed(LISTED, is_over=True)),
            f"{ONE} is not banned: it is above no limit",
        ),
        (
            told(who=listed(replace(LISTED, patience=10))),
            f"{ONE} is not banned: it is above no limit",
        ),
        (
            told(who=listed(replace(LISTED, services=frozenset({"web"})))),
            (
                f"{ONE} is not banned: it is above no limit; web rules never ban it: "
                "allowlist entry monitoring, policies/web.yaml:14"
            ),
        ),
        (
            told(who=guarded("session of an administrator", only_ssh=True)),
            (
                f"{ONE} is not banned: it is above no limit; ssh rules do not ban it: "
                "session of an administrator"
            ),
        ),
        (
            told(
                rulings=(
                    ruling(150, samples=5, above=2, rule=rule(sustained=Sustained(times=3, of=5))),
                )
            ),
            (
                f"{ONE} is not banned: web-connections counts 150, limit 100; above in 2 of the "
                "last 5 samples, 3 needed, then banned from web for 10m"
            ),
        ),
        (
            told(past=None, kept=None, unread={"state": "this user may not look"}),
            f"whether {ONE} is banned can't be told: this user may not look",
        ),
    ],
)
def test_the_first_line_answers(explained: Explanation, expected: str) -> None:
    assert answer(explained) == expected


def test_a_ban_that_the_firewall_lacks_and_one_that_passes_by_are_told_so() -> None:
    nothing = Kept(firewall="nftables")
    assert answer(told(past=banned(), kept=nothing)).endswith("the firewall does not hold that ban")
    there = replace(nothing, bans=(held(ban()),))
    assert answer(told(past=banned(), kept=there)).endswith("limit 100")
    assert "will never be banned" in answer(told(past=banned("192.0.2.0/24"), who=listed(LISTED)))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (ruling(5), "below the limit"),
        (ruling(101), "banned from web for 10m"),
        (ruling(101, lasts=timedelta(minutes=20)), "banned from web for 20m (a first one 10m)"),
        (
            ruling(101, rule=rule(sustained=Sustained(times=3, of=5)), unknown="no tape"),
            "once above in 3 of 5 samples banned from web for 10m",
        ),
        (
            ruling(101, Finding.OBSERVED, rule=rule(mode=Mode.OBSERVE, scope=Scope.HOST)),
            "it would be banned from this host for 10m, but the rule only observes",
        ),
        (
            ruling(101, Finding.THROTTLE, rule=half_open()),
            "throttled at web to 1 per 1s for 10m",
        ),
        (ruling(101, Finding.HELD), "banned already"),
        (ruling(101, Finding.EXEMPT, grant=Grant(guard="gate\nway")), r"exempt: gate\nway"),
        (
            ruling(101, Finding.EXEMPT, grant=Grant(entry=LISTED)),
            "exempt: allowlist entry monitoring, policies/web.yaml:14",
        ),
        (
            ruling(101, Finding.PENDING, grant=Grant(may_be=(LISTED,))),
            "its name is asked for first, it may be monitoring; else banned from web for 10m",
        ),
        (
            ruling(101, enough=False, hosts=2, rule=rule(members=3)),
            "from 2 hosts, 3 needed",
        ),
        (ruling(101, Finding.DEFERRED), "deferred"),
    ],
)
def test_what_follows_is_told_for_every_finding(one: Ruling, expected: str) -> None:
    assert follows(one) == expected


def test_half_open_connections_are_told_as_what_they_prove() -> None:
    assert follows(ruling(101, Finding.UNPROVEN, rule=half_open())) == (
        "unproven: nobody may stand behind half-open connections; while SYNs press web it is "
        "throttled at web to 1 per 1s for 10m"
    )
    assert follows(ruling(101, Finding.UNPROVEN, rule=half_open(), is_proven=True)) == (
        "unproven: half-open connections may be forged, and it was ESTABLISHED lately"
    )


def test_another_policy_than_the_agents_is_told_as_such() -> None:
    said = list(lines_of(told(agent=Agent(pid=7, policy_sha256="1" * 64))))
    assert said[1] == "the agent runs with another policy than policy.yaml, used here"
    assert "another policy" not in "".join(lines_of(told(agent=Agent(policy_sha256="0" * 64))))


def test_the_whole_of_it_reads_as_a_page() -> None:
    googlebot = entry("googlebot", names=("googlebot.com",), declared_at="web.yaml:20")
    earlier = Earlier(ban=ban(ban_id="b0"), ended=NOW, how=End.EXPIRED)
    peers = Peers(
        frozenset({80}),
        inbound=Queues(unread=7, unread_most=5, unsent=3, unsent_most=2),
        outgoing=Counter({(State.ESTABLISHED, 443): 2}),
        sockets=14,
    )
    counts = {("web", State.ESTABLISHED): 9, ("port 8443", State.SYN_RECV): 3}
    page = told(
        agent=None,
        policy=policy(rule(), rule("ssh-connections", service=SSH)),
        who=Who(
            may_be=(googlebot,),
            vendors=("Cloudflare",),
            names=(
                (
                    prefix(ONE).network_address,
                    Verified(entries=frozenset(), at=NOW, names=("a\x07.b",)),
                ),
            ),
            owners=Owners(sockets={(812, "ng\ninx"): 9}, unknown=3, hidden=4),
        ),
        present=Present(own=counts, line=counts, peers=peers),
        rulings=(ruling(9, limit=1000, grant=Grant(entry=replace(LISTED, patience=10))),),
        past=Past(earlier=(earlier,), permits=(Permit(prefix=prefix(ONE), until=NOW, why="y"),)),
        kept=Kept(
            firewall="nftables",
            bans=(held(ban("192.0.2.0/24")),),
            allowed=(prefix("192.0.2.77"),),
            traffic=(
                Traffic(name="service-web-nets4", elements=3, packets=1, size_bytes=60),
                Traffic(name="service-web-hosts4", elements=0, packets=0, size_bytes=0),
            ),
        ),
    )
    assert list(lines_of(page)) == PAGE.splitlines()


PAGE = r"""192.0.2.10 is banned from web as part of 192.0.2.0/24 until 2026-11-20 03:10:00
UTC: by web-connections
no agent is running: nothing new follows until one is

who
  192.0.2.10 is confirmed as a\x07.b
  in the networks of Cloudflare, a CDN
  may belong to partner googlebot, web.yaml:20: it is asked about near a limit
      only
  9 sockets of ng\ninx, pid 812
  whose 3 sockets are can't be told: this user may not look into 4 processes

now
  SERVICE    STATE        COUNT
  web        ESTABLISHED      9
  port 8443  SYN_RECV         3
  3 half-open: one forged packet makes one, so they prove nobody
  waiting in these: Recv-Q 7 bytes (at most 5 in one), Send-Q 3 (at most 2)
  2 outgoing connections to it, port 443: opened from here, they count for
      nothing; waiting in them: Recv-Q 0 bytes (at most 0 in one), Send-Q 0 (at
      most 0)

rules
  web-connections: 9 connections, limit 100 x10 = 1000: below the limit
  count nothing of it: ssh-connections

bans
  192.0.2.10 passes until 2026-11-20 03:00:00 UTC: y
  192.0.2.10: drop web 2026-11-20 03:00:00 UTC to 2026-11-20 03:00:00 UTC,
      expired [b0]: web-connections: too many

firewall
  nftables holds 192.0.2.0/24: drop web, 10m left [b1] by web-connections
  192.0.2.77 is in the allow set, which stands ahead of every ban
  1 packet (60 bytes) stopped by the set service-web-nets4: of all 3 in it, the
      kernel counts by set
"""


def test_an_ipv6_address_stands_beside_its_line() -> None:
    own, line = {("web", State.ESTABLISHED): 2}, {("web", State.ESTABLISHED): 5}
    explained = told(
        source=source("2001:db8:1:2::7"),
        line=Source(prefix(LINE)),
        present=Present(own=own, line=line, peers=Peers(frozenset({80}), sockets=5)),
    )
    said = list(lines_of(explained))
    assert "  SERVICE  STATE        COUNT  ITS LINE" in said
    assert "  web      ESTABLISHED      2         5" in said
    assert f"  it is judged with its line, {LINE}" in said


def test_what_could_not_be_had_is_told_in_its_section() -> None:
    why = {"state": "no a", "firewall": "no b", "sockets": "no c"}
    said = "\n".join(lines_of(told(**UNSEEN, agent=None, past=None, kept=None, unread=why)))
    assert "whether an agent runs, and by which policy, is not known" in said
    for section, reason in (("bans", "no a"), ("firewall", "no b"), ("now", "no c")):
        assert f"\n{section}\n  not known: {reason}" in said
    assert "\nrules\n  not known without the sockets" in said


def test_the_sets_of_a_ban_are_told_by_the_names_of_either_firewall() -> None:
    layout = layout_of(policy(rule(), rule("ssh", service=SSH)))
    names = ("service-web-hosts4", "service-web-nets6", "aa4-web", "aa4-ssh", "aa6-web", "allow4")
    traffic = [Traffic(name=name, elements=1, packets=1, size_bytes=1) for name in names]
    target = ban().target

    found = {
        version: [one.name for one in stopped(traffic, target, version, layout)]
        for version in (4, 6)
    }
    assert found == {4: ["service-web-hosts4", "aa4-web"], 6: ["service-web-nets6", "aa6-web"]}
