"""What the keys of one block say of each other, and what other tools call them."""

from collections.abc import Mapping
from types import MappingProxyType

ALSO_CALLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        word: tuple(names.split())
        for words, names in (
            ("limit", "above grants"),
            ("threshold more_than connlimit", "above"),
            ("factor patience", "grants"),
            ("measure metric", "count"),
            ("bantime duration ban_for", "ban"),
            ("ips ip addresses networks cidr cidrs", "prefixes"),
            ("domains domain dns ptr", "names"),
            ("files lists", "ranges"),
            ("expires expiry valid_until", "until"),
            ("port listen", "ports"),
            ("interval cycle", "every"),
            ("whitelist allow ignore ignoreip exempt", "allowlist"),
            ("type", "kind"),
            ("rate", "throttle"),
        )
        for word in words.split()
    }
)
"""What other tools call a key of ours."""

WHO = ("prefixes", "names", "ranges", "hosts")
"""Keys of a party of which it needs one."""

EXCLUDED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ban": ("throttle", "for"), "throttle": ("ban",), "for": ("ban",)}
)
"""Keys that can't stand beside a key."""

EXCLUDED_IF_UNPROVEN = ("ban", "states")
"""Keys that a rule can't have whose measure proves nothing."""
