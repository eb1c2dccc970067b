"""Tapes, made by hand."""

import os
from collections.abc import Iterable
from pathlib import Path

from agent.model.frame import Frame
from agent.record.tape.folder import open_folder
from agent.record.tape.stream import Packing


def write_tape(path: Path, frames: Iterable[Frame]) -> Path:
    """Write frames into one file of a tape, and give the tape's folder."""
    folder, packing, descriptor = open_folder(path), Packing(), -1
    for frame in frames:
        if descriptor < 0:
            _, descriptor = folder.begin(frame.at)
        content = packing.pack(frame)
        assert content is not None
        os.write(descriptor, content)
    if descriptor >= 0:
        os.close(descriptor)
    folder.close()
    return path
