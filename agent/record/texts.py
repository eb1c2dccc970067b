"""The text of the policy that the agent runs with, kept beside its ledger.

Commands use it, so that a policy file which somebody is just editing neither changes what
they do nor keeps anybody from lifting a false ban.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.record.folder import give_away

NAME = "policy.json"
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One file of a policy.

    Attributes:
        file: As the operator named it.
        folder: The absolute path of its folder.
        text: All of it.
    """

    file: str
    folder: str
    text: str


def keep_texts(folder: Path, texts: Iterable[Text]) -> None:
    """Write them down, at once or not at all; a full disk keeps nobody from running."""
    new = folder / f"{NAME}.new"
    with suppress(OSError):
        new.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new, flags, 0o640)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            give_away(descriptor, folder)
            json.dump([asdict(one) for one in texts], stream)
        new.replace(folder / NAME)


def read_texts(folder: Path) -> tuple[Text, ...]:
    """Give what an agent wrote down last; nothing where it can't be read."""
    try:
        with (folder / NAME).open(encoding="utf-8") as stream:
            return tuple(Text(**one) for one in json.loads(stream.read(_MOST_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return ()
