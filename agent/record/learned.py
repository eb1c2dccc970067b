"""What the agent has learned, in a file of the state directory."""

from pathlib import Path

from agent.model.learned import Learned


def read_learned(folder: Path) -> Learned:
    """Read what an earlier run has written; nothing where there is no sound file."""
    return Learned()


def keep_learned(folder: Path, learned: Learned) -> None:
    """Write it down, all or nothing; a disk that refuses is tried again next time."""
