"""Firewall, ledger and policy, kept in accord."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.act.cut.cutting import Cut
from agent.act.dry_run import DryRun
from agent.decide import allow_set
from agent.enact import Accord, Hands
from agent.errors import FirewallError
from agent.model.address import Prefix
from agent.model.ban import Ban, Installed
from agent.model.layout import Layout
from agent.model.plan import Lift, Plan
from agent.model.policy import Policy, Service
from agent.record.events import Event
from agent.record.ledger import End, MemoryLedger, News
from tests.builders import NOW, SSH, WEB, ban, entry, policy, prefix, spared, throttle

MAIL = Service(name="mail", ports=frozenset({25}))


@dataclass(slots=True)
class Watched(DryRun):
    """A firewall that counts the looks into it, and can be touched."""

    looks: int = 0
    touched: bool = False
    lost: tuple[str, ...] = ()
    work: Callable[[], None] = lambda: None
    refuses: bool = False

    def prepare(self, layout: Layout) -> tuple[str, ...]:
        DryRun.prepare(self, layout)
        made, self.lost = self.lost, ()
        return made

    def missing(self, layout: Layout) -> tuple[str, ...]:  # noqa: ARG002 - as it was told
        return self.lost

    def is_touched(self) -> bool:
        touched, self.touched = self.touched, False
        return touched

    def apply(self, plan: Plan, now: datetime) -> None:
        if self.refuses:
            raise FirewallError("no")
        DryRun.apply(self, plan, now)

    def installed(self, now: datetime) -> Installed:
        self.looks += 1
        self.work()
        found = DryRun.installed(self, now)
        return replace(
            found, allowed=frozenset(list(found.allowed))
        )  # a new object, as of a kernel

    def lose(self) -> None:
        """What a foreign flush does."""
        self._bans, self.touched, self.lost = {}, True, ("web",)


@dataclass(slots=True)
class Scene:
    """An accord, and what it told and cut."""

    firewall: Watched = field(default_factory=Watched)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    policy: Policy = field(default_factory=policy)
    told: list[Event] = field(default_factory=list)
    cut: list[Ban] = field(default_factory=list)
    on_cut: Callable[[], object] = lambda: None
    seconds: float = 0.0
    accord: Accord = field(init=False)

    def __post_init__(self) -> None:
        def cut(bans: Sequence[Ban], *_: object) -> Cut:
            self.cut += bans
            self.on_cut()
            return Cut()

        hands = Hands(firewall=self.firewall, ledger=self.ledger, cut=cut, tell=self.told.append)
        self.accord = Accord(hands, lambda: self.seconds)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def look(self, *, after: float = 0.0, news: News | None = None, guard: str = "") -> Installed:
        self.seconds += after
        found = spared(*([guard] if guard else []))
        return self.accord.installed(self.policy, found, news or News(), self.now)

    def names(self) -> list[str]:
        return [event.name for event in self.told if event.name != "ban.planned"]

    def install(self, *bans: Ban) -> None:
        self.accord.carry_out(Plan(add=bans), self.now)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.look()
    return made


def test_between_two_full_looks_nothing_is_read(scene: Scene) -> None:
    scene.install(ban())
    before, first = scene.firewall.looks, scene.look(after=5)

    assert scene.look(after=20) is first
    assert scene.firewall.looks == before


@pytest.mark.parametrize(
    ("after", "news", "touched"),
    [
        pytest.param(31.0, News(), False, id="half-a-minute"),
        pytest.param(5.0, News(), True, id="touched"),
        pytest.param(5.0, News(is_other=True), False, id="a-command-wrote"),
    ],
)
def test_a_full_look_is_taken_when_it_may_matter(
    scene: Scene, after: float, news: News, touched: bool
) -> None:
    before = scene.firewall.looks
    scene.firewall.touched = touched

    scene.look(after=after, news=news)

    assert scene.firewall.looks > before


def test_what_a_foreign_flush_removed_is_back_and_told(scene: Scene) -> None:
    scene.install(ban())
    scene.firewall.lose()

    found = scene.look(after=5)

    assert [one.left for one in found.bans] == [timedelta(seconds=595)]
    assert scene.names()[-2:] == ["firewall.healed", "ban.restored"]
    assert scene.told[-3].fields == {"missing": ("web",), "bans": 1}


def test_making_everything_for_the_first_time_is_no_healing() -> None:
    scene = Scene()
    scene.firewall.lost = ("web",)

    scene.look()

    assert scene.names() == []


def test_a_ban_ends_by_its_own_time_without_a_look(scene: Scene) -> None:
    scene.install(ban(lasts=timedelta(seconds=10)))
    before = scene.firewall.looks

    assert len(scene.look(after=10.5).bans) == 1
    assert scene.look(after=1).bans == ()
    assert (scene.names()[-1], scene.firewall.looks) == ("ban.expired", before)
    assert scene.ledger.has_ended("b1")


def test_the_allow_set_follows_the_guards(scene: Scene) -> None:
    found = scene.look(after=5, guard="192.0.2.200/32")

    assert found.allowed == {prefix("192.0.2.200/32")}


def test_a_ban_whose_agent_was_killed_is_adopted_and_cut(scene: Scene) -> None:
    scene.ledger.intend([ban()])
    scene.firewall.apply(Plan(add=(ban(),)), NOW)

    scene.look(news=News(is_other=True))

    assert scene.names() == ["ban.adopted"]
    assert (scene.ledger.in_force(), scene.cut) == ((ban(),), [ban()])


def test_what_a_dead_agent_left_behind_is_cut_though_the_ban_is_over(scene: Scene) -> None:
    scene.ledger.intend([ban()])

    scene.look(after=700)

    assert (scene.cut, scene.ledger.in_force(), scene.names()) == ([ban()], (), [])


def test_a_ban_that_never_held_is_forgotten_and_nobody_is_cut(scene: Scene) -> None:
    scene.ledger.intend([ban()])

    scene.look(news=News(is_other=True))

    assert (scene.cut, dict(scene.ledger.intended())) == ([], {})


def test_a_ban_of_a_service_that_is_gone_is_over(scene: Scene) -> None:
    scene.install(ban(), ban("192.0.2.11/32", ban_id="b2", service=SSH))
    scene.policy = policy(services=(WEB,))

    found = scene.look(after=5)

    assert [one.target[1] for one in found.bans] == ["web"]
    assert scene.told[-1].fields["reasons"] == ["its service, or its rate, is gone from the policy"]


def test_a_new_ban_in_the_same_place_ends_the_old_one(scene: Scene) -> None:
    scene.install(ban())

    scene.install(ban(ban_id="b2", rule="manual"))

    assert [one.ban_id for one in scene.ledger.in_force()] == ["b2"]


def test_throttles_cut_nobody(scene: Scene) -> None:
    scene.install(ban(), throttle("192.0.2.11/32", ban_id="b2"))

    assert [one.ban_id for one in scene.cut] == ["b1"]


def test_unbanned_by_hand_is_forgiven(scene: Scene) -> None:
    scene.install(ban())
    (held,) = scene.look().bans

    scene.accord.carry_out(Plan(lift=(Lift(held=held, reason="x"),)), scene.now, how=End.FORGIVEN)

    assert (scene.ledger.in_force(), dict(scene.ledger.history())) == ((), {})


def test_a_new_policy_is_no_healing(scene: Scene) -> None:
    scene.policy, scene.firewall.lost = policy(services=(WEB, SSH, MAIL)), ("mail",)

    scene.look(after=5)

    assert scene.names() == []


def test_who_changes_other_rules_all_the_time_does_not_keep_us_looking(scene: Scene) -> None:
    def work() -> None:
        scene.seconds += 0.5

    scene.firewall.work = work
    looks = 0
    for _ in range(20):
        before, scene.firewall.touched = scene.firewall.looks, True
        scene.look(after=1)
        looks += scene.firewall.looks > before

    # Half a second every five seconds.
    assert looks <= 5


def test_rules_that_are_gone_are_made_at_once_however_often_others_touch_them(scene: Scene) -> None:
    def work() -> None:
        scene.seconds += 1.0

    scene.firewall.work = work
    scene.install(ban())
    scene.firewall.touched = True
    scene.look(after=1)
    scene.firewall.lose()

    assert len(scene.look(after=0.2).bans) == 1
    assert scene.names()[-2:] == ["firewall.healed", "ban.restored"]


def test_what_is_cut_late_is_cut_before_it_is_written_down(scene: Scene) -> None:
    scene.ledger.intend([ban()])
    scene.firewall.apply(Plan(add=(ban(),)), NOW)
    seen: list[bool] = []
    scene.on_cut = lambda: seen.append("b1" in scene.ledger.intended())

    scene.look(news=News(is_other=True))

    assert seen == [True]


def test_the_first_look_cuts_who_is_kept_out_already(scene: Scene) -> None:
    scene.install(ban())
    scene.cut.clear()

    Accord(scene.accord.hands, lambda: scene.seconds).installed(
        scene.policy, spared(), News(), scene.now
    )

    assert scene.cut == [ban()]


def test_a_ban_that_is_refused_is_not_taken_for_the_one_that_is_there(scene: Scene) -> None:
    scene.install(ban())
    scene.firewall.refuses = True

    scene.install(ban(ban_id="b2", lasts=timedelta(hours=1)))

    assert scene.names()[-1] == "ban.failed"
    assert [one.ban_id for one in scene.ledger.in_force()] == ["b1"]


def test_a_lift_that_does_not_hold_is_told(scene: Scene) -> None:
    scene.install(ban())
    (held,) = scene.look().bans
    scene.firewall.refuses = True

    scene.accord.carry_out(Plan(lift=(Lift(held=held, reason="x"),)), scene.now)

    assert scene.told[-1].name == "lift.failed"
    assert scene.told[-1].fields["error"] == "no"
    assert [one.ban_id for one in scene.ledger.in_force()] == ["b1"]


def test_an_allow_set_that_does_not_hold_ends_the_cycle(scene: Scene) -> None:
    scene.firewall.refuses = True

    with pytest.raises(FirewallError, match="no"):
        scene.look(guard="192.0.2.200/32")


def test_very_many_bans_that_come_back_are_one_line(scene: Scene) -> None:
    scene.install(*(ban(f"192.0.{n // 250}.{n % 250}/32", ban_id=f"b{n}") for n in range(500)))
    assert scene.names().count("ban.would_apply") == 500
    scene.firewall.lose()

    scene.look(after=5)
    scene.look(after=700)

    told = [event for event in scene.told if event.name == "bans.summary"]
    assert [(one.fields["what"], one.fields["bans"]) for one in told] == [
        ("ban.planned", 500),
        ("ban.planned", 500),
        ("ban.restored", 500),
        ("ban.expired", 500),
    ]


def test_where_a_firewall_covers_ipv4_only_its_allow_set_is_of_ipv4(scene: Scene) -> None:
    scene.firewall.versions = (4,)
    found = spared("192.0.2.200/32", "2001:db8::7/128")

    held = scene.accord.installed(scene.policy, found, News(), scene.now)

    assert held.allowed == {prefix("192.0.2.200/32")}


def test_a_ban_that_nobody_judged_here_is_strange_for_one_look(scene: Scene) -> None:
    scene.firewall.apply(Plan(add=(ban(),)), NOW)
    scene.firewall.touched = True

    scene.look(after=1)
    assert scene.accord.is_strange
    scene.look(after=1)
    assert not scene.accord.is_strange


def test_an_exemption_that_ends_leaves_the_allow_set_at_a_full_look(scene: Scene) -> None:
    until = NOW + timedelta(seconds=20)
    scene.policy = policy(allowlist=(entry("visitor", "192.0.2.9", until=until),))

    assert scene.look().allowed == {prefix("192.0.2.9")}
    assert scene.look(after=31).allowed == frozenset()


def test_after_a_failure_a_full_look_is_taken(scene: Scene) -> None:
    scene.firewall.refuses = True
    with pytest.raises(FirewallError):
        scene.look(after=1, guard="192.0.2.200/32")
    scene.firewall.refuses = False
    before = scene.firewall.looks

    scene.look(after=1)

    assert scene.firewall.looks > before


def test_a_ban_that_was_over_when_the_agent_came_back_has_ended(scene: Scene) -> None:
    scene.ledger.intend([ban()])

    scene.look(after=700)

    assert dict(scene.ledger.intended()) == {}
    assert scene.ledger.has_ended("b1")


def test_an_exemption_that_was_lost_is_back_at_once_however_often_others_touch_rules(
    scene: Scene,
) -> None:
    def work() -> None:
        scene.seconds += 1.0

    scene.firewall.work = work
    scene.look(after=31, guard="192.0.2.200/32")
    DryRun.apply(scene.firewall, Plan(allow=frozenset()), scene.now)
    scene.firewall.touched = True

    scene.look(after=0.2, guard="192.0.2.200/32")

    assert scene.firewall.allowed() == {prefix("192.0.2.200/32")}


def test_who_is_exempt_is_added_up_again_only_when_that_may_have_changed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of tens of thousands it takes a second."""
    seen: list[frozenset[Prefix]] = []

    def counted(*given: Any) -> frozenset[Prefix]:
        seen.append(allow_set(*given))
        return seen[-1]

    monkeypatch.setattr("agent.enact.accord.allow_set", counted)
    allowed = [scene.look(after=31, guard=guard).allowed for guard in ("192.0.2.9/32",) * 3]
    assert len(seen) == 1
    assert all(one is allowed[0] for one in allowed)

    scene.look(after=31, guard="192.0.2.8/32")
    assert len(seen) == 2
