"""Whom the agent never bans is listed, the policy's infrastructure among them."""

from datetime import timedelta

from agent.desk.listing import Safe, infrastructure
from agent.model.inputs import Spared
from agent.model.policy import TRUSTED_PROXIES, AllowEntry, Kind
from tests.builders import NOW, entry, policy, prefix


def infra(name: str, *prefixes: str, **changes: object) -> AllowEntry:
    return entry(name, *prefixes, kind=Kind.INFRASTRUCTURE, **changes)


def listed(*entries: AllowEntry, **found: str) -> list[Safe]:
    spared = Spared(found={name: frozenset({prefix(text)}) for name, text in found.items()})
    return list(infrastructure(policy(allowlist=entries), spared, NOW))


def test_infrastructure_is_listed_with_its_place_and_its_services() -> None:
    one, two = listed(
        infra("monitoring", "192.0.2.7"),
        infra(TRUSTED_PROXIES, "198.51.100.0/24", services=frozenset({"web", "ssh"})),
    )

    assert (one.prefix, one.services) == (prefix("192.0.2.7"), ())
    assert one.why == "infrastructure monitoring (policy.yaml:9)"
    assert (two.prefix, two.services) == (prefix("198.51.100.0/24"), ("ssh", "web"))
    assert two.entry is not None


def test_what_can_be_banned_or_is_over_or_of_another_kind_is_not_listed() -> None:
    assert not listed(
        infra("patient", "192.0.2.7", patience=10),
        infra("over", "192.0.2.8", until=NOW),
        entry("partner", "192.0.2.9"),
    )
    assert listed(infra("not-yet", "192.0.2.8", until=NOW + timedelta(seconds=1)))


def test_what_was_looked_up_is_listed_and_what_was_not_is_told() -> None:
    balancer = infra("lb", hosts=("lb.example.net",), names=("probes.example.net",))

    known = listed(balancer, lb="192.0.2.7/32")
    assert [one.prefix for one in known] == [prefix("192.0.2.7"), None]
    assert known[1].why.endswith(": confirmed names below probes.example.net")

    unknown = listed(balancer)
    assert [one.prefix for one in unknown] == [None, None]
    assert unknown[1].why.endswith(": lb.example.net, of which nothing is known by now")
