"""What is wrong with our rules among others."""

import pytest

from agent.act.iptables.inspection import faults, passing, traffic
from agent.act.iptables.text import Table, parse_saved

RAW = """*raw
:PREROUTING ACCEPT [9:9]
:other - [0:0]
:abuse-agent - [0:0]
{before}
[9:900] -A PREROUTING -j abuse-agent
[1:100] -A other -p tcp -j ACCEPT
[2:80] -A abuse-agent -m set --match-set aa4-host-ssh src -j DROP
[4:160] -A abuse-agent -p tcp -m multiport --dports 22 -j RETURN
[3:120] -A abuse-agent -m set --match-set aa4-host src -j DROP
COMMIT
"""


def raw(before: str = "") -> Table:
    return parse_saved(RAW.format(before=before))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("-A PREROUTING -p udp -j NOTRACK", None, id="goes on"),
        pytest.param("-A PREROUTING -i eth1 -j DROP", None, id="stops them as well"),
        pytest.param("-A PREROUTING -i lo -j ACCEPT", "-i lo -j ACCEPT", id="passes"),
        pytest.param("-A PREROUTING -i eth0 -j other", "-i eth0 -j other", id="passes below"),
    ],
)
def test_a_rule_ahead_of_ours_that_lets_packets_pass_is_named(
    before: str, expected: str | None
) -> None:
    assert passing(raw(before), "PREROUTING") == expected
    assert bool(list(faults({(4, "raw"): raw(before)}))) is (expected is not None)


def test_a_missing_hook_is_named() -> None:
    (fault,) = faults({(6, "raw"): Table({"PREROUTING": ()})})

    assert fault.startswith("ip6tables: raw PREROUTING does not lead to abuse-agent")


def test_counters_of_drops_are_summed_by_set() -> None:
    told = traffic({(4, "raw"): raw()}, {"aa4-host": 7, "aa4-host-ssh": 0})

    assert [(one.name, one.elements, one.packets, one.size_bytes) for one in told] == [
        ("aa4-host", 7, 3, 120),
        ("aa4-host-ssh", 0, 2, 80),
    ]
