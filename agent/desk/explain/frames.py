"""The tape, as far as one source needs it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from agent.desk.explain.taped import told_by
from agent.desk.explain.values import Taped
from agent.errors import UnreadableError
from agent.model.address import Prefix
from agent.model.frame import Frame
from agent.model.policy import Policy
from agent.record.tape.reader import read_tape


@dataclass(frozen=True, slots=True)
class Tape:
    """Where a tape is, and up to when it is read.

    Attributes:
        folder: The tape's.
        now: The moment; aware, UTC.
        troubles: What could not be read of it, a line each; added to while reading.
    """

    folder: Path
    now: datetime
    troubles: list[str] = field(default_factory=list)

    def newest(self, span: timedelta) -> Iterator[Frame]:
        """Give the moments of so long a time up to now; none without a tape that can be read."""
        try:
            yield from read_tape(self.folder, self.now - span, self.now)
        except UnreadableError:
            return

    def of(self, prefix: Prefix, policy: Policy, span: timedelta) -> tuple[Taped | None, str]:
        """Sum up what it tells of a prefix over so long a time, or say why it tells nothing."""
        frames = read_tape(self.folder, self.now - span, self.now, self.troubles.append)
        try:
            told = told_by(frames, prefix, policy)
        except UnreadableError as error:
            return None, str(error)
        if not told.frames and not self.folder.is_dir():
            return None, f"no tape in {self.folder}"
        return told, "; ".join(self.troubles)
