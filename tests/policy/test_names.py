"""Names, addresses and choices as an operator writes them."""

from ipaddress import ip_network

import pytest

from agent.model.policy import Kind
from agent.model.sample import State
from agent.policy import names
from agent.policy.scalars import Misfit


@pytest.mark.parametrize("text", ["a", "web-1.example_2", "010", "no", "A" * 64])
def test_a_name_is_a_slug(text: str) -> None:
    assert names.slug(text) == text


@pytest.mark.parametrize("text", ["-a", ".a", "a b", "a/b", "a" * 65, "\u00e4", "a\n", ""])
def test_anything_else_is_no_name(text: str) -> None:
    with pytest.raises(Misfit):
        names.slug(text)


def test_no_rule_is_called_as_a_ban_by_hand() -> None:
    with pytest.raises(Misfit):
        names.rule_name("manual")
    assert names.rule_name("Manual") == "Manual"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("192.0.2.7", "192.0.2.7/32", id="an IPv4 host"),
        pytest.param("192.0.2.0/24", "192.0.2.0/24", id="an IPv4 network"),
        pytest.param("2001:db8::1", "2001:db8::1/128", id="an IPv6 host"),
        pytest.param("2001:DB8:0::/48", "2001:db8::/48", id="an IPv6 network"),
        pytest.param("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", id="no base 60"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7/32", id="a mapped host"),
        pytest.param("::ffff:192.0.2.0/120", "192.0.2.0/24", id="a mapped network"),
        pytest.param("::ffff:0:0/96", "0.0.0.0/0", id="all mapped ones"),
        pytest.param("::/0", "::/0", id="all of IPv6"),
    ],
)
def test_a_prefix_is_an_address_or_a_network(text: str, expected: str) -> None:
    assert names.prefix(text) == ip_network(expected)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("192.0.2.7/24", "the network is 192.0.2.0/24", id="host bits"),
        pytest.param("2001:db8::1/64", "the network is 2001:db8::/64", id="host bits of IPv6"),
        pytest.param("::ffff:192.0.2.7/120", "the network is 192.0.2.0/24", id="mapped host bits"),
        pytest.param("fe80::1%eth0", "leave out the interface", id="a zone"),
        pytest.param("10.0.0.0/255.0.0.0", "as /24", id="a netmask"),
        pytest.param("10.0.0.0/08", "without the leading zero", id="a length as octal"),
        pytest.param("10.0.0.0/", "as /24", id="no length"),
        pytest.param("10.0.0.0/33", "", id="too long"),
        pytest.param("10.0.0.0/" + "9" * 5000, "", id="absurdly long"),
        pytest.param("010.0.0.1", "", id="octal"),
        pytest.param("10.0.0", "", id="three parts"),
        pytest.param("10.0.0.1-10.0.0.9", "", id="a range"),
        pytest.param("example.net", "goes under hosts", id="a name"),
        pytest.param(" 10.0.0.1", "", id="a blank"),
    ],
)
def test_a_prefix_is_refused_with_what_to_do(text: str, hint: str) -> None:
    with pytest.raises(Misfit) as told:
        names.prefix(text)

    assert hint in str(told.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GoogleBot.com.", "googlebot.com"), ("a_b.xn--mnchen-3ya.de", "a_b.xn--mnchen-3ya.de")],
)
def test_a_domain_is_lower_case_without_its_last_dot(text: str, expected: str) -> None:
    assert names.domain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "com",
        "*.a.net",
        ".a.net",
        "a..net",
        "-a.net",
        "a-.net",
        "münchen.de",
        "10.0.0.1",
        "::1",
        "a" * 64 + ".net",
        ".".join(["a" * 60] * 5),
        "a.net/x",
        "",
        ".",
        "a.net\n",
    ],
)
def test_anything_else_is_no_domain(text: str) -> None:
    with pytest.raises(Misfit):
        names.domain(text)


def test_a_host_name_may_have_one_label() -> None:
    assert names.host("VPN") == "vpn"


@pytest.mark.parametrize("text", ["https://example.net/a.json", "a\x00b", "a\x1b[31m"])
def test_a_path_is_of_a_file_and_printable(text: str) -> None:
    with pytest.raises(Misfit):
        names.path(text)


def test_a_state_has_the_name_that_netstat_prints() -> None:
    assert names.state("FIN_WAIT1") is State.FIN_WAIT1
    assert names.state("SYN_RECV") is State.SYN_RECV


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ESTAB", "ESTABLISHED"),
        ("established", "ESTABLISHED"),
        ("ESTABLISHD", "ESTABLISHED"),
        ("FIN-WAIT-1", "FIN_WAIT1"),
        ("time_wait", "TIME_WAIT"),
        ("LAST-ACK", "LAST_ACK"),
    ],
)
def test_another_spelling_of_a_state_is_told_the_right_one(text: str, meant: str) -> None:
    with pytest.raises(Misfit):
        names.state(text)
    assert list(names.respell_state(text)) == [meant]


def test_a_state_that_no_rule_may_name_is_never_proposed() -> None:
    for text in ("syn-recv", "SYN_RECVD"):
        with pytest.raises(Misfit, match="SYN_RECV is what half_open counts"):
            names.state(text)
    for text in ("SYN_SENT", "LISTEN", "syn-recv", "CLOSE"):
        assert list(names.respell_state(text)) == []


@pytest.mark.parametrize("text", ["LISTEN", "CLOSE", "SYN_SENT", "UNCONN", ""])
def test_what_no_measure_counts_is_no_state(text: str) -> None:
    with pytest.raises(Misfit):
        names.state(text)


def test_a_choice_is_exact() -> None:
    assert names.choice(Kind)("nat") is Kind.NAT
    with pytest.raises(Misfit):
        names.choice(Kind)("NAT")
