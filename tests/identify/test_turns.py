"""Whose turn it is to be asked about."""

from dataclasses import dataclass, field
from ipaddress import ip_address

from agent.identify.exchange import SLOW_AFTER_S
from agent.identify.turns import LIGHTER_EVERY_S, MOST_OF_ONE, NEW_EVERY, Turns
from agent.model.address import Address


@dataclass(slots=True)
class Waiting:
    """Turns with a clock in hand."""

    seconds: float = 0.0
    turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self.turns = Turns(lambda: self.seconds)

    def adopt(self, *texts: str) -> None:
        self.turns.adopt(tuple(map(ip_address, texts)), lambda _: False)

    def take(self, most: int = 10_000) -> list[str]:
        taken: list[Address] = []
        while len(taken) < most and (one := self.turns.take()):
            taken.append(one)
        return list(map(str, taken))

    def done(self, *texts: str, is_answered: bool) -> None:
        for text in texts:
            self.turns.done(ip_address(text), is_answered=is_answered)


def hosts(start: str, count: int) -> list[str]:
    return [str(ip_address(start) + at) for at in range(count)]


def test_networks_take_turns_and_the_heaviest_of_each_is_first() -> None:
    waiting = Waiting()
    waiting.adopt(
        "198.18.0.1", "198.18.9.2", "198.18.0.3", "2001:db8::1", "2001:db8:9::1", "1.1.1.1"
    )

    assert waiting.take() == [
        *("198.18.0.1", "2001:db8::1", "1.1.1.1"),
        *("198.18.9.2", "2001:db8:9::1", "198.18.0.3"),
    ]
    assert not waiting.turns.is_ready


def test_a_network_has_so_many_under_way_and_one_more_for_each_that_ended() -> None:
    waiting = Waiting()
    waiting.adopt(*hosts("198.18.0.1", 40), "192.0.2.1")

    taken = waiting.take()
    assert len(taken) == MOST_OF_ONE + 1
    assert not waiting.turns.is_ready
    assert waiting.turns.waiting == 40 - MOST_OF_ONE

    waiting.done("192.0.2.1", "198.18.0.1", "198.18.0.2", is_answered=True)
    assert len(waiting.take()) == 2


def test_whoever_left_his_place_lets_another_of_his_network_go_on() -> None:
    waiting = Waiting()
    crowd = hosts("198.18.0.1", 40)
    waiting.adopt(*crowd)
    taken = waiting.take()
    waiting.turns.release()
    assert not waiting.turns.is_ready

    waiting.seconds += SLOW_AFTER_S
    waiting.turns.release()

    assert len(waiting.take()) == MOST_OF_ONE
    waiting.done(*taken, is_answered=False)
    assert waiting.take() == []


def test_who_is_under_way_settled_or_named_twice_does_not_wait() -> None:
    waiting = Waiting()
    waiting.adopt("198.18.0.1")
    waiting.take()
    addresses = [ip_address(text) for text in ("198.18.0.1", "1.1.1.1", "2.2.2.2", "2.2.2.2")]

    waiting.turns.adopt(addresses, lambda key: key == b"\1\1\1\1")

    assert waiting.turns.waiting == 1
    assert waiting.take() == ["2.2.2.2"]


def test_the_newest_cycle_says_who_waits() -> None:
    waiting = Waiting()
    waiting.adopt("198.18.0.1", "198.18.0.2")
    waiting.adopt("198.18.0.2")

    assert waiting.take() == ["198.18.0.2"]


def test_who_is_new_comes_before_those_who_wait_already() -> None:
    waiting = Waiting()
    waiting.adopt("198.18.0.1", "1.1.1.1")
    waiting.adopt("198.18.0.1", "198.18.0.2", "1.1.1.1", "2.2.2.2")

    assert waiting.take(1) == ["198.18.0.2"]
    waiting.adopt("198.18.0.1", "1.1.1.1", "2.2.2.2", "3.3.3.3")
    assert waiting.take() == ["3.3.3.3", "2.2.2.2", "198.18.0.1", "1.1.1.1"]


def test_who_was_tried_in_vain_comes_behind_who_was_not() -> None:
    waiting = Waiting()
    waiting.adopt("198.18.0.1")
    waiting.done(*waiting.take(), is_answered=False)
    waiting.adopt("198.18.0.2")

    waiting.adopt("198.18.0.1", "198.18.0.2", "198.18.0.3")

    assert waiting.take() == ["198.18.0.3", "198.18.0.2", "198.18.0.1"]


def test_each_fourth_turn_is_that_of_the_newest_of_a_burdened_network_too() -> None:
    waiting = Waiting()
    for text in ("198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.4"):
        waiting.adopt(text)
        waiting.done(*waiting.take(), is_answered=False)
    others = [f"{number}.0.0.1" for number in range(1, 9)]
    waiting.adopt(*others)

    waiting.adopt(*others, "198.18.0.9")

    assert waiting.take().index("198.18.0.9") == NEW_EVERY - 1


def test_whose_zones_are_silent_comes_behind_all_others_for_a_while() -> None:
    waiting = Waiting()
    for text in ("198.18.0.1", "198.18.0.2", "198.18.0.3", "192.0.2.1"):
        waiting.adopt(text)
        waiting.done(*waiting.take(), is_answered=text == "192.0.2.1")

    waiting.adopt("198.18.0.9", "192.0.2.9", "192.0.2.10")
    assert waiting.take() == ["192.0.2.9", "192.0.2.10", "198.18.0.9"]

    waiting.done("198.18.0.9", "192.0.2.9", "192.0.2.10", is_answered=True)
    for _ in range(3):
        waiting.seconds += LIGHTER_EVERY_S
        waiting.adopt("203.0.113.1")
        waiting.done(*waiting.take(), is_answered=True)
    waiting.adopt("198.18.0.9", "192.0.2.9")
    assert waiting.take() == ["198.18.0.9", "192.0.2.9"]


def test_after_a_bug_everybody_may_be_asked_about_again() -> None:
    waiting = Waiting()
    crowd = hosts("198.18.0.1", 40)
    waiting.adopt(*crowd)
    taken = waiting.take()

    waiting.turns.forget()
    waiting.done(*taken, is_answered=True)  # of those that went on after all

    assert len(waiting.take()) == MOST_OF_ONE
    waiting.adopt(taken[0])
    assert waiting.take() == []
    waiting.turns.forget()
    waiting.adopt(taken[0])
    assert waiting.take() == [taken[0]]


def test_nothing_is_kept_of_what_has_ended() -> None:
    waiting = Waiting()
    waiting.adopt(*hosts("198.18.0.1", 5), "2001:db8::1")
    waiting.done(*waiting.take(), is_answered=True)
    turns = waiting.turns
    kept = (turns._taken, turns._under_way, turns._burdens, turns._queues)  # noqa: SLF001

    assert not any((*kept, turns._tried))  # noqa: SLF001


def test_much_is_taken_over_with_pauses() -> None:
    pauses: list[None] = []
    addresses = tuple(map(ip_address, hosts("198.18.0.1", 1000)))

    Waiting().turns.adopt(addresses, lambda _: False, lambda: pauses.append(None))

    assert len(pauses) == 3
