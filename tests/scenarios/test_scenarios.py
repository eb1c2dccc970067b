"""Only the guilty, and an attack never disarms it: every scene comes to what it has to."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.range import why_not
from tests.scenarios.again import differences, is_repeated
from tests.scenarios.happened import Outcome
from tests.scenarios.play import play, playing
from tests.scenarios.scene import FOLDER, Scene, read_scene, scenes

SCENES = {folder.name: read_scene(folder) for folder in scenes()}
WRONG = {folder.name: read_scene(folder) for folder in scenes(FOLDER / "wrong")}


def params(which: dict[str, Scene]) -> list[Any]:
    """Give the scenes, live ones first: they are played beside each other from the first on."""
    return [
        pytest.param(one, id=name, marks=[pytest.mark.root] if one.live is not None else [])
        for name, one in sorted(which.items(), key=lambda each: each[1].live is None)
    ]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Outcome]]]:
    """Begin to play all live scenes that were asked for."""
    items: list[Any] = request.session.items
    asked = [item.callspec.params.get("scene") for item in items if hasattr(item, "callspec")]
    live = [one for one in asked if isinstance(one, Scene) and one.live is not None]
    with playing([] if why_not() else live) as begun:
        yield begun


def _outcome(scene: Scene, outcomes: dict[str, Future[Outcome]]) -> Outcome:
    if scene.name not in outcomes:
        outcomes[scene.name] = Future()
        outcomes[scene.name].set_result(play(scene))
    return outcomes[scene.name].result()


@pytest.mark.parametrize("scene", params(SCENES))
def test_it_comes_to_what_it_has_to(scene: Scene, outcomes: dict[str, Future[Outcome]]) -> None:
    assert not scene.fails
    assert _outcome(scene, outcomes).failures == ()


@pytest.mark.parametrize("scene", params(WRONG))
def test_what_is_wrong_on_purpose_is_told(
    scene: Scene, outcomes: dict[str, Future[Outcome]]
) -> None:
    failures = _outcome(scene, outcomes).failures

    assert scene.fails
    assert [text for text in failures if scene.fails in text], failures


@pytest.mark.parametrize(
    "scene", params({name: one for name, one in SCENES.items() if is_repeated(one)})
)
def test_its_tape_replays_to_what_it_told(
    scene: Scene, outcomes: dict[str, Future[Outcome]], tmp_path: Path
) -> None:
    recorded = _outcome(scene, outcomes).recorded

    assert recorded is not None
    assert recorded.pieces
    assert differences(recorded, tmp_path) == []


def test_there_are_forty_scenes_at_least() -> None:
    assert len(SCENES) >= 40
