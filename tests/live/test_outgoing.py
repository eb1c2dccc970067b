"""Connections of our own: replies pass, whoever is banned from connecting in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.agents import live
from tests.live.foreign import address, reaching
from tests.range import Hosts, connect, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services:
  web: {ports: [80]}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""
BANNED = ("198.18.0.9", "2001:db8:18:9::9")


def test_replies_to_our_own_connections_pass_a_ban_from_a_service(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    with serve(hosts.server, 80), serve(hosts.client, 80) as theirs:
        own = [hosts.server6 if ":" in one else hosts.server4 for one in BANNED]
        before = [
            connect(hosts.server, [mine], (one, 80)) for mine, one in zip(own, BANNED, strict=True)
        ]
        ins = [connect(hosts.client, [one], (address(hosts, one), 80), each=21) for one in BANNED]
        with live(hosts.server, firewall, write_policy(POLICY), folder) as agent:
            for _ in BANNED:
                agent.wait_for("ban.applied")

            assert reaching(hosts, BANNED, 80) == {80: set()}
            for mine, one in zip(own, BANNED, strict=True):
                with connect(hosts.server, [mine], (one, 80), each=3, within_s=0.9) as out:
                    assert out.connected == 3
            # Those that were there before are not cut: their port is the other end's.
            assert [held.still_open() for held in before] == [1, 1]
            assert theirs.still_open() == 2
            for held in (*before, *ins):
                held.close()
