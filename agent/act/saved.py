"""Saved rule files: what they say of us, and whether a boot would take them.

A file that refers to a set which is not there yet is refused as a whole, with the operator's
own rules: the machine would come up open. The early unit makes the sets first.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from agent.act.ipset_names import names_in

IPTABLES_FILES = (
    "etc/iptables/rules.v4",
    "etc/iptables/rules.v6",
    "etc/sysconfig/iptables",
    "etc/sysconfig/ip6tables",
)
NFT_FILE = "etc/nftables.conf"
EARLY_UNIT = "abuse-agent-sets.service"

_UNIT_FOLDERS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_NFT_CHAIN = re.compile(r"\bchain abuse-agent(?:-held)? \{")
_NFT_FOREIGN = re.compile(r"\bxt (?:match|target)\b|# xt_")


def names_saved(root: Path) -> dict[str, frozenset[str]]:
    """Give of each saved rule file that refers to our sets, by its path, which they are."""
    found = {name: frozenset(names_in(_text(root / name))) for name in IPTABLES_FILES}
    return {name: names for name, names in found.items() if names}


def faults_of(root: Path) -> Iterator[str]:
    """Tell which saved files will not be taken at the next boot, a sentence each.

    Args:
        root: Of the file system.
    """
    if not any((root / folder / EARLY_UNIT).exists() for folder in _UNIT_FOLDERS):
        for name, names in sorted(names_saved(root).items()):
            yield (
                f"/{name} refers to {min(names)}, which is not there at boot, so that the whole "
                f"file would be refused: enable {EARLY_UNIT}, or save the rules without ours"
            )
    nft = _text(root / NFT_FILE)
    if _NFT_CHAIN.search(nft) and _NFT_FOREIGN.search(nft):
        yield (
            f"/{NFT_FILE} holds rules of ours as iptables made them, which nft does not load, "
            "nor anything else of that file: save it without the chains abuse-agent"
        )


def _text(path: Path) -> str:
    """Give what a file says; nothing when it is not there, or not for us to read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
