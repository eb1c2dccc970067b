"""Regular files, read so that whatever lies at their place lets nobody wait."""

import os
from pathlib import Path
from stat import S_ISREG


def read_regular(path: str | Path, most_bytes: int) -> tuple[bytes, os.stat_result] | None:
    """Give the beginning of a file with its status; None where it is no regular file.

    Raises:
        OSError: It can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(most_bytes), status
    finally:
        os.close(descriptor)
