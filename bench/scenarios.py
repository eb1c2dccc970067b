"""Plays all labelled scenes, and writes docs/scenarios.md."""

import sys
from pathlib import Path

from bench.rounds import machine
from tests.range import why_not
from tests.scenarios.play import play, playing
from tests.scenarios.scene import read_scene, scenes
from tests.scenarios.table import PAGE, page


def main() -> int:
    """Play them; 1 when one of them failed."""
    if reason := why_not():
        sys.stderr.write(f"scenarios: {reason}\n")
        return 77
    known = [read_scene(folder) for folder in scenes()]
    with playing([one for one in known if one.live is not None]) as begun:
        outcomes = [one.result() for one in begun.values()]
    outcomes += [play(one) for one in known if one.live is None]
    file = Path(PAGE)
    file.write_text(page(file.read_text("utf-8"), outcomes, machine()), encoding="utf-8")
    failed = [one for one in outcomes if one.failures]
    for outcome in failed:
        print(f"{outcome.scene.name}: {'; '.join(outcome.failures)}")
    print(f"{len(outcomes)} scenes, {len(failed)} failed; wrote {PAGE}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
