"""Plays scenes: live ones beside each other, series one after the other."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.scenarios import live, series
from tests.scenarios.happened import Outcome, outcome_of
from tests.scenarios.scene import Scene

AT_ONCE = 5
"""Live scenes beside each other: most of the time most of them wait."""


def play(scene: Scene) -> Outcome:
    """Play one scene; what keeps it from being played is a failure of it."""
    try:
        if scene.live is None:
            return outcome_of(series.play(scene))
        with TemporaryDirectory(prefix="scene-") as folder:
            return outcome_of(live.play(scene, Path(folder)))
    except (RuntimeError, OSError, AssertionError, ValueError) as error:
        return Outcome(scene=scene, failures=(f"{type(error).__name__}: {error}",))


@contextmanager
def playing(scenes: Sequence[Scene]) -> Iterator[dict[str, Future[Outcome]]]:
    """Begin to play live scenes, the heaviest first; give what will come of each, by name."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            ordered = sorted(scenes, key=_weight, reverse=True)
            yield {one.name: pool.submit(play, one) for one in ordered}
        finally:
            pool.shutdown(cancel_futures=True)


def _weight(scene: Scene) -> int:
    """Guess how long it takes: cycles, and a thousand connections for ten of them."""
    sockets = sum(len(group.addresses) * group.each for group in scene.groups.values())
    return scene.cycles + sockets // 100
