"""What the kernel holds, told by its own tools: for looking at an agent's work from outside."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from agent.decide.layout import layout_of
from agent.model.ban import Held
from agent.policy import load_policy
from tests.live.program import make
from tests.range import in_namespace


def tool(namespace: str, *words: str) -> str:
    """Run a tool in the namespace, and give what it prints."""
    with in_namespace(namespace):
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def structure(namespace: str, firewall: str) -> list[str]:
    """Every table, chain, rule and set, without what is in the sets and how often it hit."""
    if firewall == "nftables":
        return tool(namespace, "nft", "--stateless", "--terse", "list", "ruleset").splitlines()
    variant = firewall.removeprefix("iptables")
    saved = [tool(namespace, f"{name}{variant}-save") for name in ("iptables", "ip6tables")]
    saved.append(tool(namespace, "ipset", "-terse", "list"))
    return [
        re.sub(r"\[\d+:\d+\]", "", line)
        for text in saved
        for line in text.splitlines()
        if not line.startswith(("#", "Size in memory", "References", "Number of entries", "Header"))
    ]


def bans(namespace: str, firewall: str, policy: Path) -> dict[str, Held]:
    """The bans that the firewall holds, by source; each source has one."""
    with in_namespace(namespace):
        there = make(firewall)
        there.missing(layout_of(load_policy((str(policy),))))
        found = there.installed(datetime.now(UTC)).bans
    by_source = {str(one.source): one for one in found}
    assert len(by_source) == len(found)
    return by_source
