"""What became of things that the kernel was told to remove."""

import errno
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.errors import PrivilegeError

_GONE = frozenset({errno.ENOENT, errno.ESTALE})
_PLAIN: Mapping[int, str] = MappingProxyType({})
_REFUSED = frozenset({errno.EPERM, errno.EACCES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Counts, and what went wrong.

    Attributes:
        removed: By us; what was gone by itself is not counted anywhere.
        left: Could not be removed.
        failure: Why, or why not all could be looked at; None when all went well.
    """

    removed: int = 0
    left: int = 0
    failure: str | None = None


def removal_of(what: str, numbers: Iterable[int], reasons: Mapping[int, str] = _PLAIN) -> Removal:
    """Sum up what the kernel answered.

    Args:
        what: Were to be removed, in the plural.
        numbers: Its errnos, 0 for what was done.
        reasons: What some of them mean, where the usual text says too little.

    Raises:
        PrivilegeError: It says that this process may not.
    """
    counts = Counter(numbers)
    if any(counts[number] for number in _REFUSED):
        raise PrivilegeError("a cut needs CAP_NET_ADMIN: run it as root, or as the service's user")
    done = counts.pop(0, 0)
    for number in _GONE:
        counts.pop(number, None)
    (commonest, _), *_ = counts.most_common(1) or [(0, 0)]
    failure = reasons.get(commonest) or f"{what} are left: {os.strerror(commonest)}"
    return Removal(removed=done, left=counts.total(), failure=failure if counts.total() else None)
