"""The tape, as far as one source needs it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from agent.desk.explain.taped import told_by
from agent.desk.explain.values import Taped
from agent.model.address import Prefix
from agent.model.frame import Frame
from agent.model.policy import Policy


@dataclass(frozen=True, slots=True)
class Tape:
    """Where a tape is, and up to when it is read.

    Attributes:
        folder: The tape's.
        now: The moment; aware, UTC.
    """

    folder: Path
    now: datetime

    def newest(self, span: timedelta) -> Iterable[Frame]:  # noqa: ARG002 - none are written yet
        """Give the moments of so long a time up to now, oldest first; none without a tape."""
        return ()

    def of(self, prefix: Prefix, policy: Policy, span: timedelta) -> tuple[Taped | None, str]:
        """Sum up what it tells of a prefix over so long a time, or say why it tells nothing."""
        try:
            is_there = self.folder.is_dir()
        except OSError:
            return None, f"this user may not look into {self.folder}"
        if not is_there:
            return None, f"no tape in {self.folder}"
        return told_by(self.newest(span), prefix, policy), ""
