"""Where strangers can have a host, a name is nobody's identity."""

import pytest

from agent.policy.rented import MACHINE_LABELS, is_anybodys


@pytest.mark.parametrize("domain", [*MACHINE_LABELS, "azure.com", "linode.com", "ovh.net"])
def test_domains_of_vendors_and_what_is_above_them_are_anybodys(domain: str) -> None:
    assert is_anybodys(domain)


@pytest.mark.parametrize(
    ("domain", "is_one_machine"),
    [
        ("9.2.0.192.bc.googleusercontent.com", True),
        ("192.bc.googleusercontent.com", False),
        ("192-0-2-9.gae.googleusercontent.com", True),
        ("ec2-192-0-2-9.eu-west-1.compute.amazonaws.com", True),
        ("compute.amazonaws.com", False),
        ("ec2-192-0-2-9.compute-1.amazonaws.com", True),
        ("shop.westeurope.cloudapp.azure.com", True),
        ("westeurope.cloudapp.azure.com", False),
        ("static.9.2.0.192.clients.your-server.de", True),
        ("static.clients.your-server.de", False),
        ("192.0.2.9.vultrusercontent.com", True),
    ],
)
def test_below_them_one_machine_is_somebody(domain: str, is_one_machine: bool) -> None:
    assert is_anybodys(domain) is not is_one_machine


@pytest.mark.parametrize("domain", ["co.uk", "com.au", "org.br", "ac.jp"])
def test_what_registries_sell_is_anybodys(domain: str) -> None:
    assert is_anybodys(domain)


@pytest.mark.parametrize(
    "domain",
    [
        *("googlebot.com", "google.com", "search.msn.com", "applebot.apple.com", "yandex.com"),
        *("example.co.uk", "example.net", "notamazonaws.com", "web.de"),
    ],
)
def test_a_partys_own_domain_is_its_identity(domain: str) -> None:
    assert not is_anybodys(domain)
