"""Who belongs to entries, as a command without an agent knows it."""

from ipaddress import ip_address
from pathlib import Path

from agent.identify.found import found_of
from agent.model.learned import Learned, Verified
from tests.builders import NOW, entry, policy, prefix


def verified(name: str) -> Verified:
    return Verified(entries=frozenset({"old"}), at=NOW, names=(name,))


def test_files_hosts_and_names_are_known_by_the_policy_of_this_day(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("203.0.113.0/24")
    learned = Learned(
        verified={
            ip_address("192.0.2.7"): verified("crawl.googlebot.com"),
            ip_address("2001:db8::7"): verified("googlebot.com"),
            ip_address("192.0.2.8"): verified("crawl.xgooglebot.com"),
        },
        hosts={
            "vpn.example.net": frozenset({prefix("198.51.100.1/32")}),
            "gone.example.net": frozenset({prefix("198.51.100.2/32")}),
        },
    )
    entries = (
        entry("cdn", ranges=(str(tmp_path / "list"), str(tmp_path / "missing"))),
        entry("google", names=("googlebot.com",)),
        entry("vpn", hosts=("vpn.example.net", "new.example.net")),
        entry("office", "10.0.0.0/8"),
    )

    assert found_of(policy(allowlist=entries), learned) == {
        "cdn": {prefix("203.0.113.0/24")},
        "google": {prefix("192.0.2.7/32"), prefix("2001:db8::7/128")},
        "vpn": {prefix("198.51.100.1/32")},
    }
