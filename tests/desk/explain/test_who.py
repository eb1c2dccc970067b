"""Who a source is, as far as it is known without asking anybody."""

from datetime import timedelta

from agent.decide.grants import grants_of
from agent.desk.explain.values import Who
from agent.desk.explain.who import MOST, who_is
from agent.model.inputs import Guard, Identities, Spared, Surroundings
from agent.model.learned import Learned, Verified
from agent.model.policy import AllowEntry
from tests.builders import NOW, entry, policy, prefix

ONE, WIDE = "192.0.2.10", "192.0.2.0/24"
NOBODY = Identities()


def who(
    text: str, *entries: AllowEntry, guards: tuple[str, ...] = (), known: Identities = NOBODY
) -> Who:
    found = tuple(Guard(prefix=prefix(one), why=f"why {one}") for one in guards)
    spared = Spared(surroundings=Surroundings(guards=found), found=known.found)
    grants = grants_of(policy(allowlist=entries), spared)
    return who_is(prefix(text), grants, known, Learned(), NOW)


def test_guards_around_it_and_inside_it_are_told() -> None:
    guards = ("192.0.0.0/16", "192.0.2.7/32", "198.51.100.1/32")

    assert [str(one.prefix) for one in who(ONE, guards=guards).guards] == ["192.0.0.0/16"]
    assert [one.why for one in who(WIDE, guards=guards).guards] == [
        "why 192.0.0.0/16",
        "why 192.0.2.7/32",
    ]


def test_entries_are_told_with_the_prefix_that_holds_it_also_where_they_are_over() -> None:
    over = entry("over", WIDE, until=NOW - timedelta(days=1))
    vpn = entry("vpn", hosts=("vpn.example",))
    known = Identities(found={"vpn": frozenset({prefix(f"{ONE}/32")})})
    found = who(ONE, over, vpn, entry("other", "198.51.100.0/24"), known=known)

    assert [(one.entry, str(one.prefix), one.is_over) for one in found.listed] == [
        (over, WIDE, True),
        (vpn, f"{ONE}/32", False),
    ]


def test_it_may_belong_to_entries_with_names_until_it_was_answered_for() -> None:
    bot = entry("bot", names=("bot.example",))
    answered = Identities(answered=frozenset({prefix(ONE).network_address}))

    assert who(ONE, bot).may_be == (bot,)
    assert who(ONE, bot, known=answered).may_be == ()
    assert who(WIDE, bot).may_be == ()


def test_confirmed_names_and_vendors_are_told() -> None:
    learned = Learned(
        verified={
            prefix(text).network_address: Verified(
                entries=frozenset({"bot"}), at=NOW, names=(f"{text}.x.y",)
            )
            for text in (ONE, "198.51.100.1")
        }
    )
    vendors = {"Fast": frozenset({prefix(WIDE)}), "Slow": frozenset({prefix("192.0.2.11/32")})}
    known = Identities(vendors=vendors)
    found = who_is(prefix(ONE), grants_of(policy(), Spared()), known, learned, NOW)

    ((address, name),) = found.names
    assert (str(address), name.names) == (ONE, (f"{ONE}.x.y",))
    assert found.vendors == ("Fast",)


def test_of_very_many_some_are_told() -> None:
    guards = tuple(f"192.0.2.{number}/32" for number in range(100))

    assert len(who(WIDE, guards=guards).guards) == MOST
