"""Looking around: at once when it is worth it, seldom otherwise, and never jumpily."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from agent.kernel.changes import Changes
from agent.model.inputs import Surroundings
from agent.model.policy import USUAL, Administrators
from agent.observe import lookout as module
from agent.observe.lookout import (
    AHEAD_S,
    DEAF_EVERY_S,
    EVERY_S,
    KEPT_AT_MOST,
    KEPT_S,
    SHARE,
    Lookout,
    gone_after,
)
from agent.observe.surroundings import Sight, read_sight
from tests.range import in_namespace, ip

ONE, TWO = ("nameserver 203.0.113.1\n", "nameserver 203.0.113.2\n")


@dataclass
class Post:
    """A lookout over a made-up tree, at a time of the test's choice.

    Attributes:
        looks: How often it has looked around.
    """

    root: Path
    at: float = 1000.0
    costs: float = 0.0
    looks: int = 0
    changes: Changes = field(default_factory=Changes)
    lookout: Lookout = field(init=False)

    def __post_init__(self) -> None:
        self.lookout = Lookout(lambda: self.at, root=self.root, environ={}, changes=self.changes)

    def look(self, who: Administrators = USUAL) -> Surroundings:
        return self.lookout(who)

    def guarded(self) -> set[str]:
        """Give those of the guards that the tests are about."""
        found = {str(guard.prefix.network_address) for guard in self.look().guards}
        return {one for one in found if one.startswith("203.0.113.")}

    def write(self, path: str, text: str) -> None:
        """Write a file as programs do, who put a new one in the old one's place."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}")
        new.write_text(text)
        new.rename(file)


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    made = Post(tmp_path)

    def look(root: Path, environ: Mapping[str, str], administrators: Administrators) -> Sight:
        made.looks, made.at = made.looks + 1, made.at + made.costs
        return read_sight(root, environ, administrators)

    monkeypatch.setattr(psutil, "users", list[SimpleNamespace])
    monkeypatch.setattr(module, "read_sight", look)
    with closing(made.changes):
        yield made


def test_nothing_is_read_again_for_a_minute_while_nothing_changes(post: Post) -> None:
    first = post.look()
    post.changes.heard()  # what else this machine does is not the test's
    for _ in range(5):
        post.at += EVERY_S / 6
        assert post.look() is first
    assert post.looks == 1

    post.at += EVERY_S / 6
    post.look()
    assert post.looks == 2


@pytest.mark.parametrize(
    "path", ["etc/resolv.conf", "run/systemd/sessions/7", "run/utmp", "etc/group", "etc/passwd"]
)
def test_a_file_that_was_touched_is_read_with_the_next_cycle(post: Post, path: str) -> None:
    post.write("run/systemd/sessions/1", "")
    post.look()
    post.at += 0.2

    post.write(path, "x\n")
    post.look()
    post.look()

    assert post.looks == 2


def test_a_login_is_guarded_with_the_next_cycle(post: Post) -> None:
    post.write("run/systemd/sessions/1", "")
    assert post.guarded() == set()
    post.at += 0.2

    post.write("run/systemd/sessions/2", "UID=0\nREMOTE_HOST=203.0.113.9\n")

    assert post.guarded() == {"203.0.113.9"}
    assert post.look().administrators == {ip_address("203.0.113.9")}


def test_other_administrators_are_looked_for_at_once(post: Post) -> None:
    post.write("run/systemd/sessions/2", "USER=eve\nREMOTE_HOST=203.0.113.9\n")
    assert post.look().administrators == frozenset()

    eve = Administrators(users=frozenset({"eve"}))
    assert post.look(eve).administrators == {ip_address("203.0.113.9")}


def test_what_changes_now_and_then_is_read_with_the_next_cycle(post: Post) -> None:
    for number in range(5):
        post.write("etc/resolv.conf", f"# {number}\n")
        post.look()
        post.at += 0.2

    assert post.looks == 5


def test_what_changes_all_the_time_is_read_once_a_second(post: Post) -> None:
    for number in range(600):
        post.write("etc/resolv.conf", f"# {number}\n")
        post.look()
        post.at += 0.1

    assert post.looks == 60 + AHEAD_S


def test_what_takes_long_to_read_takes_no_more_than_its_share(post: Post) -> None:
    post.costs, begun = 2.0, post.at
    while post.at < begun + 400:
        post.write("etc/resolv.conf", f"# {post.at}\n")
        post.look()
        post.at += 1

    most_s = (post.at - begun + AHEAD_S) * SHARE + post.costs
    assert 0.8 * most_s < post.looks * post.costs <= most_s


def test_what_is_found_no_longer_stays_guarded_for_a_minute(post: Post) -> None:
    post.write("etc/resolv.conf", ONE + TWO)
    assert post.guarded() == {"203.0.113.1", "203.0.113.2"}

    # At the regular look, so that it was seen last a whole minute ago.
    post.at += EVERY_S
    post.write("etc/resolv.conf", "")
    assert post.guarded() == {"203.0.113.1", "203.0.113.2"}
    post.at += 0.2
    post.write("etc/resolv.conf", ONE)
    assert post.guarded() == {"203.0.113.1", "203.0.113.2"}

    post.at += KEPT_S
    assert post.guarded() == {"203.0.113.1"}


def test_a_session_that_ended_is_no_longer_guarded(post: Post) -> None:
    post.write("run/systemd/sessions/2", "USER=eve\nREMOTE_HOST=203.0.113.9\n")
    assert post.guarded() == {"203.0.113.9"}
    post.at += 0.2

    (post.root / "run/systemd/sessions/2").unlink()

    assert post.guarded() == set()


def test_of_all_that_is_gone_the_latest_are_kept() -> None:
    many = [(ip_address(number), "gateway") for number in range(2 * KEPT_AT_MOST)]
    first, second = many[:KEPT_AT_MOST], many[KEPT_AT_MOST:]

    gone = gone_after(gone_after({}, first, [], 0.0), second, [], 1.0)

    assert set(gone) == set(second)
    assert gone_after(gone, [], [], 1.0 + KEPT_S) == {}
    assert gone_after(gone, [], second[:1], 2.0).keys() == set(second[1:])


@pytest.mark.root
def test_an_address_that_is_added_or_taken_away_is_noticed_at_once(
    post: Post, namespace: str
) -> None:
    with in_namespace(namespace):
        assert post.guarded() == set()
        post.at += 0.2
        ip("addr", "add", "203.0.113.7/32", "dev", "lo")
        assert post.guarded() == {"203.0.113.7"}
        post.at += 0.2
        ip("addr", "del", "203.0.113.7/32", "dev", "lo")
        ip("route", "add", "203.0.113.0/24", "dev", "lo")
        ip("route", "add", "198.51.100.0/24", "via", "203.0.113.8")
        assert post.guarded() == {"203.0.113.7", "203.0.113.8"}  # it may be back in a moment

        post.at += KEPT_S
        assert post.guarded() == {"203.0.113.8"}


@pytest.mark.root
def test_a_link_that_flaps_all_the_time_is_read_once_a_second(post: Post, namespace: str) -> None:
    with in_namespace(namespace):
        for _ in range(40):
            ip("addr", "add", "203.0.113.7/32", "dev", "lo")
            post.look()
            ip("addr", "del", "203.0.113.7/32", "dev", "lo")
            post.at += 0.2
            post.look()
            post.at += 0.2

    assert post.looks == 16 + AHEAD_S


def test_who_is_told_nothing_looks_more_often(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Changes, "listen", lambda _self: None)
    post.look()
    for _ in range(3):
        post.at += DEAF_EVERY_S
        post.look()

    assert post.looks == 4


def test_asking_whether_anything_changed_costs_next_to_nothing(post: Post) -> None:
    post.look()
    begun = os.times()
    for _ in range(1_000):
        post.look()
    ended = os.times()

    spent_s = (ended.user - begun.user) + (ended.system - begun.system)
    assert spent_s < 0.5  # 0.04 s here
    assert post.looks == 1
