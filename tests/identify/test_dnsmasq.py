"""The identifier and a real name server, in a namespace of their own."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.identify.inquirer import Inquirer
from agent.model.address import Address
from agent.model.inputs import Identities
from agent.model.policy import Policy
from tests.builders import NOW, entry, policy
from tests.identify.name_server import resolv_conf
from tests.range import eventually, in_namespace

pytestmark = pytest.mark.root

CONFIGURATION = """\
no-resolv
no-hosts
no-daemon
bind-interfaces
listen-address=127.0.0.1
user=root
pid-file=
local=/#/
ptr-record=7.2.0.192.in-addr.arpa,crawl-7.googlebot.com
host-record=crawl-7.googlebot.com,192.0.2.7
ptr-record=8.2.0.192.in-addr.arpa,crawl-7.googlebot.com
ptr-record=9.2.0.192.in-addr.arpa,crawl.xgooglebot.com
host-record=crawl.xgooglebot.com,192.0.2.9
ptr-record=10.2.0.192.in-addr.arpa,googlebot.com.evil.net
host-record=googlebot.com.evil.net,192.0.2.10
ptr-record=7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa,six.googlebot.com
host-record=six.googlebot.com,2001:db8::7
ptr-record=11.2.0.192.in-addr.arpa,alias.googlebot.com
cname=alias.googlebot.com,host.googlebot.com
host-record=host.googlebot.com,192.0.2.11
host-record=vpn.example.net,198.51.100.1,2001:db8:1::1
"""
CRAWLERS = ("192.0.2.7", "192.0.2.11", "2001:db8::7")
OTHERS = ("192.0.2.8", "192.0.2.9", "192.0.2.10", "192.0.2.12", "2001:db8::8")


@contextmanager
def dnsmasq(namespace: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run dnsmasq on 127.0.0.1 of a namespace."""
    (folder / "dnsmasq.conf").write_text(CONFIGURATION)
    with in_namespace(namespace):
        process = subprocess.Popen(
            ["dnsmasq", f"--conf-file={folder / 'dnsmasq.conf'}"], stderr=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def inquirer(namespace: str, folder: Path) -> Iterator[Inquirer]:
    """Make an identifier whose thread lives in a namespace."""
    made = Inquirer(time.monotonic, resolv_conf=resolv_conf(folder))
    with in_namespace(namespace):
        made.look(policy(allowlist=(entry("start", hosts=("vpn.example.net",)),)), NOW)
    try:
        yield made
    finally:
        made.close()


def look(made: Inquirer, by: Policy, *asked: Address) -> Identities:
    seen = made.look(by, NOW)
    made.ask(asked, NOW)
    return seen


@pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="needs dnsmasq")
def test_crawlers_are_told_from_those_who_only_say_so(namespace: str, tmp_path: Path) -> None:
    rules = policy(
        allowlist=(
            entry("google", names=("googlebot.com",)),
            entry("vpn", hosts=("vpn.example.net",)),
        )
    )
    everybody = tuple(map(ip_address, (*CRAWLERS, *OTHERS)))
    with dnsmasq(namespace, tmp_path) as server, inquirer(namespace, tmp_path) as made:

        def is_complete() -> bool:
            seen = look(made, rules, *everybody)
            # A host that was asked for before dnsmasq listened is asked for again.
            is_all = all(one in seen.answered for one in everybody)
            return is_all and len(seen.found.get("vpn", ())) == 2

        assert eventually(is_complete), made.trouble()
        seen = look(made, rules)
        assert {str(one.network_address) for one in seen.found["google"]} == set(CRAWLERS)
        assert {str(one.network_address) for one in seen.found["vpn"]} == {
            "198.51.100.1",
            "2001:db8:1::1",
        }
        assert made.trouble() is None

        server.kill()
        server.wait()
        strangers = tuple(ip_address(f"198.51.100.{number}") for number in range(5))
        assert eventually(lambda: bool(look(made, rules, *strangers) and made.trouble()))
        assert made.trouble() == "no name server answers (127.0.0.1)"
        assert look(made, rules).found == seen.found
