"""The rules that a layout asks for, as iptables prints them."""

from datetime import timedelta
from itertools import pairwise

import pytest

from agent.act.iptables.rules import TABLES, chains_of, names_of, port_groups
from agent.act.iptables.text import Table, difference, parse_saved, removal, script, written
from agent.decide.layout import layout_of
from agent.model.policy import Rate, Service
from tests.builders import NET24, WEB, half_open, layout, policy, rule

GOLDEN = """\
*raw
:abuse-agent - [0:0]
-A abuse-agent -m set --match-set aa4-allow src -j RETURN
-A abuse-agent -m set --match-set aa4-host-ssh src -j DROP
-A abuse-agent -p tcp -m multiport --dports 22 -j RETURN
-A abuse-agent -m set --match-set aa4-host src -j DROP
-I PREROUTING 1 -j abuse-agent
COMMIT
*mangle
:abuse-agent - [0:0]
:abuse-agent-held - [0:0]
-A abuse-agent -m set --match-set aa4-allow src -j RETURN
-A abuse-agent -p tcp -m multiport --dports 80,443 -m set --match-set aa4-web src -j DROP
-A abuse-agent -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m multiport --dports 80,443 \
-m set --match-set {throttle} src -m hashlimit --hashlimit-above 10/min --hashlimit-burst 10 \
--hashlimit-mode srcip --hashlimit-name {limit} --hashlimit-srcmask 24 -j abuse-agent-held
-A abuse-agent-held -m set --match-set aa4-seen src,src -m hashlimit --hashlimit-upto 1/sec \
--hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name {seen} -j RETURN
-A abuse-agent-held -j SET --add-set aa4-seen src,src --exist --timeout 4
-A abuse-agent-held -j DROP
-I INPUT 1 -j abuse-agent
-I FORWARD 1 -j abuse-agent
COMMIT
"""


def test_the_rules_of_a_small_layout() -> None:
    slow = half_open(rate=Rate(count=10, per=timedelta(minutes=1)), per=NET24)
    small = layout_of(policy(rule(), slow, services=(WEB,)))
    chains = chains_of(small, 4)

    text = "".join(line for table in TABLES for line in script(difference(table, Table(), chains)))

    (throttled,) = [name for name in names_of(small, 4) if "~" in name]
    limits = [word for word in text.split() if word.startswith("aa-")]
    assert text == GOLDEN.format(throttle=throttled, limit=limits[0], seen=limits[1])
    assert limits[0] != limits[1]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([443, 80], ["80,443"], id="two"),
        pytest.param(range(1, 65536), ["1:65535"], id="all"),
        pytest.param([1, 2, 5], ["1:2,5"], id="neighbours are a range"),
        pytest.param(range(1, 33, 2), ["1,3,5,7,9,11,13,15,17,19,21,23,25,27,29", "31"], id="16"),
        pytest.param(
            [one for low in range(0, 32, 4) for one in (low + 1, low + 2)],
            ["1:2,5:6,9:10,13:14,17:18,21:22,25:26", "29:30"],
            id="a range counts twice",
        ),
    ],
)
def test_ports_are_folded_for_multiport(ports: list[int], expected: list[str]) -> None:
    assert port_groups(ports) == expected


@pytest.mark.parametrize(
    ("count", "per_s", "expected"),
    [
        pytest.param(1, 1, "1/sec --hashlimit-burst 1", id="1/s"),
        pytest.param(5, 1, "5/sec --hashlimit-burst 5", id="the burst that may be left out"),
        pytest.param(60, 60, "1/sec --hashlimit-burst 60", id="60/m"),
        pytest.param(1, 3600, "1/hour --hashlimit-burst 1", id="1/h"),
        pytest.param(3000, 1, "3003/sec --hashlimit-burst 3000", id="what the kernel can't halve"),
    ],
)
def test_rates_are_written_as_they_are_printed(count: int, per_s: int, expected: str) -> None:
    rate = Rate(count=count, per=timedelta(seconds=per_s))

    (held,) = [
        text
        for chain in chains_of(layout(half_open(rate=rate)), 4)
        for text in map(written, chain.rules)
        if "-above" in text
    ]

    assert f"--hashlimit-above {expected} --hashlimit-mode" in held
    assert ("--hashlimit-htable-expire 60000" in held) == (count == 60)


def test_an_intact_table_is_left_as_it_is() -> None:
    chains = chains_of(layout(), 4)

    assert not difference("mangle", saved("mangle", *chains), chains)


def test_a_burst_of_five_may_be_printed_or_left_out() -> None:
    chains = chains_of(layout(half_open(rate=Rate(count=5, per=timedelta(seconds=1)))), 4)
    printed = "".join(script(difference("mangle", Table(), chains)))
    tables = [
        parse_saved(text.replace("-I", "-A").replace(" 1 -j", " -j"))
        for text in (printed, printed.replace(" --hashlimit-burst 5", ""))
    ]

    assert tables[0] != tables[1]
    assert not any(difference("mangle", table, chains) for table in tables)


def test_another_burst_is_not_taken_for_it() -> None:
    chains = chains_of(layout(half_open(rate=Rate(count=5, per=timedelta(seconds=1)))), 4)
    table = parse_saved("".join(script(difference("mangle", Table(), chains))))
    changed = [
        parse_saved("".join(script(difference("mangle", Table(), other))))
        for other in (
            chains_of(layout(half_open(rate=Rate(count=10, per=timedelta(seconds=2)))), 4),
            chains_of(layout(half_open(rate=Rate(count=6, per=timedelta(seconds=1)))), 4),
        )
    ]

    assert table.holds(chains[1])
    assert not any(other.holds(chains[1]) for other in changed)


def test_a_chain_is_written_anew_when_one_rule_is_missing() -> None:
    chains = chains_of(layout(), 4)
    table = saved("raw", *chains)
    short = Table({**table.chains, "abuse-agent": table.chains["abuse-agent"][1:]})

    change = difference("raw", short, chains)

    assert list(change.names(4)) == ["raw chain abuse-agent"]
    assert list(change.lacks(4)) == ["raw chain abuse-agent differs from what the policy asks"]


def test_what_nothing_is_held_by_any_more_is_dropped() -> None:
    before = saved("mangle", *chains_of(layout(), 4))

    change = difference("mangle", before, chains_of(layout(rule()), 4))

    assert change.drop == ("abuse-agent-held",)
    assert [chain.name for chain in change.rewrite] == ["abuse-agent"]


def test_removal_takes_what_leads_to_us_and_nothing_else() -> None:
    table = parse_saved(
        ":INPUT ACCEPT [0:0]\n:abuse-agent - [0:0]\n"
        "-A INPUT -j abuse-agent\n-A INPUT -p tcp -j other\n-A INPUT -i lo -g abuse-agent\n"
    )

    text = "".join(script(removal("mangle", table)))

    assert text == (
        "*mangle\n-D INPUT -i lo -g abuse-agent\n-D INPUT -j abuse-agent\n"
        "-F abuse-agent\n-X abuse-agent\nCOMMIT\n"
    )


def test_ports_of_ssh_that_need_two_rules_get_them() -> None:
    many = Service(name="ssh", ports=frozenset(range(1, 40, 2)))
    raw, *_ = chains_of(layout_of(policy(services=(many,))), 6)

    assert sum(one.target.name == "RETURN" for one in raw.rules) == 3


def saved(table: str, *chains: object) -> Table:
    """Give a table as it is once what is asked for was written."""
    text = "".join(script(difference(table, Table(), chains)))  # type: ignore[arg-type]
    hooks = [line for line in text.splitlines() if line.startswith("-I")]
    return parse_saved(
        "\n".join(
            line.replace("-I", "-A").replace(" 1 ", " ") if line in hooks else line
            for line in text.splitlines()
        )
    )


def test_no_limit_is_shared() -> None:
    texts = [
        text
        for version in (4, 6)
        for chain in chains_of(layout(), version)
        for text in map(written, chain.rules)
    ]
    limits = sorted(
        text.split("--hashlimit-name ")[1].split()[0] for text in texts if "name" in text
    )

    assert limits
    assert all(one != following for one, following in pairwise(limits))
