"""The blocks of the default policy, with their comments, for a peer that sets no limits."""

import re
from pathlib import Path

from agent.policy import load_policy, packaged_policy

_KEY = re.compile(r"([a-z_]+):")


def default_blocks() -> dict[str, list[str]]:
    """Read the lines of the packaged policy by the key at its top that they belong to."""
    return blocks_of(Path(packaged_policy()).read_text(encoding="utf-8"))


def blocks_of(text: str) -> dict[str, list[str]]:
    """Give the lines of a policy by the key at its top that they belong to; no blank ends."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        if key := _KEY.match(line):
            lines = blocks.setdefault(key[1], [])
        lines.append(line)
    for found in blocks.values():
        while found and not found[-1].strip():
            found.pop()
    return blocks


def default_ports() -> dict[str, list[range]]:
    """Give the ports of the default policy's services, by their names."""
    return {
        one.name: [range(port, port + 1) for port in sorted(one.ports)]
        for one in load_policy((packaged_policy(),)).services
    }
