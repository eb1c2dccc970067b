"""Checks that the written files are up to date, or writes them: `python -m checks.manuals`."""

import sys
from pathlib import Path

from checks.fault import tell
from checks.manuals.written import faults, write, written


def main(arguments: list[str]) -> int:
    """Write with the argument ``write``, else check; gives the exit status."""
    root = Path.cwd()
    if arguments != ["write"]:
        return tell(faults(root))
    wanted = written(root)
    for name in write(root, wanted):
        print(f"wrote {name}" if name in wanted else f"removed {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
