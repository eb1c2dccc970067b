"""Saved rule files: what they say of us, and whether a boot would take them.

A file that refers to a set which is not there yet is refused as a whole, with the operator's
own rules: the machine would come up open. The early unit makes the sets first, where it is
enabled: that it is installed says nothing, since its links are what a boot follows.

Source: systemd.unit(5) for where units and their links are, and for masking.
"""

import os
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from agent.act.ipset.names import names_in
from agent.act.nftables.layout import TABLE

SAVED_BY = {
    "etc/iptables/rules.v4": "iptables-save",
    "etc/iptables/rules.v6": "ip6tables-save",
    "etc/sysconfig/iptables": "iptables-save",
    "etc/sysconfig/ip6tables": "ip6tables-save",
}
NFT_FILE = "etc/nftables.conf"
EARLY_UNIT = "abuse-agent-sets.service"

_UNIT_FOLDERS = (
    "etc/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_LINK_FOLDERS = ("*.wants", "*.requires")
_NFT_CHAIN = re.compile(r"\bchain abuse-agent(?:-held)? \{")
_NFT_FOREIGN = re.compile(r"\bxt (?:match|target)\b|# xt_")
_NFT_TABLE = re.compile(rf"^\s*table inet {TABLE} \{{", re.MULTILINE)


def names_saved(root: Path) -> dict[str, frozenset[str]]:
    """Give of each saved rule file that refers to our sets, by its path, which they are."""
    found = {name: frozenset(names_in(_text(root / name))) for name in SAVED_BY}
    return {name: names for name, names in found.items() if names}


def faults_of(root: Path) -> Iterator[str]:
    """Tell which saved files will not be taken at the next boot, a sentence each.

    Args:
        root: Of the file system.
    """
    if not _is_enabled(root):
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


def notes_after_teardown(root: Path) -> Iterator[str]:
    """Tell which saved files still bring back what was just removed, a sentence each.

    Args:
        root: Of the file system.
    """
    for name, names in sorted(names_saved(root).items()):
        yield (
            f"/{name} still refers to {min(names)}: save the rules again, as with "
            f"'{SAVED_BY[name]} > /{name}', before {EARLY_UNIT} is disabled or removed; "
            "without it the next boot would refuse the whole file"
        )
    nft = _text(root / NFT_FILE)
    if _NFT_CHAIN.search(nft):
        yield (
            f"/{NFT_FILE} still holds rules of ours as iptables made them: "
            "take the chains abuse-agent out of it, and what leads there"
        )
    if _NFT_TABLE.search(nft):
        yield (
            f"/{NFT_FILE} still holds the table inet {TABLE}: take it out of there, "
            "or the next boot brings it back"
        )


def _is_enabled(root: Path) -> bool:
    """Whether a boot starts the early unit.

    A link may point to what is only there in another root, so that it is not followed.
    """
    files = [path for one in _UNIT_FOLDERS if os.path.lexists(path := root / one / EARLY_UNIT)]
    if not files or _is_masked(files[0]):
        return False
    return any(
        os.path.lexists(folder / EARLY_UNIT)
        for one, links in product(_UNIT_FOLDERS, _LINK_FOLDERS)
        for folder in (root / one).glob(links)
    )


def _is_masked(unit: Path) -> bool:
    return unit.is_symlink() and unit.readlink() == Path(os.devnull)


def _text(path: Path) -> str:
    """Give what a file says; nothing when it is not there, or not for us to read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
