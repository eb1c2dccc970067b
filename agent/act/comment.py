"""What stands beside each banned element in the kernel: enough to know the ban again.

``ID RULE BEGAN LASTS``: both moments in whole seconds, the first since the epoch. At
most 128 bytes, which is what nftables takes (ipset takes 255): 16 for the id, 64 for a
rule's name, 11 and 10 for the numbers.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil

from agent.model.ban import Ban, Mark

_COMMENT = re.compile(
    r"([A-Za-z0-9-]{1,40}) ([A-Za-z0-9][A-Za-z0-9._-]{0,63}) ([0-9]{1,11}) ([0-9]{1,10})"
)


def comment_of(ban: Ban) -> str:
    """Write the comment of a ban; free of quotes and control characters."""
    return f"{ban.ban_id} {ban.rule} {times_of(ban)}"


def times_of(ban: Ban) -> str:
    """Write the end of its comment, which bans of one cycle have in common."""
    return f"{int(ban.begins.timestamp())} {ceil(ban.lasts.total_seconds())}"


def mark_of(comment: str | None) -> Mark | None:
    """Read a comment; None when there is none, or it is not one of ours."""
    found = _COMMENT.fullmatch(comment or "")
    if found is None:
        return None
    ban_id, rule, began, lasts = found.groups()
    begins, length = _moments(began, lasts)
    return Mark(ban_id=ban_id, rule=rule, begins=begins, lasts=length)


@lru_cache(maxsize=1024)
def _moments(began: str, lasts: str) -> tuple[datetime, timedelta]:
    """Read the end of a comment, which bans of one cycle have in common."""
    return datetime.fromtimestamp(int(began), UTC), timedelta(seconds=int(lasts))
