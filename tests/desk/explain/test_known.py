"""Who sources are, by what agents wrote down and by the newest moment of a tape."""

from agent.desk.explain.known import joined, known_by, with_names
from agent.model.address import Address
from agent.model.frame import Frame
from agent.model.inputs import Identities, Spared
from agent.model.learned import Learned, Verified
from tests.builders import NOW, entry, inputs, policy, prefix

ONE, TWO = prefix("192.0.2.1"), prefix("192.0.2.2")
BY = policy(
    allowlist=(entry("vpn", hosts=("a.example", "b.example")), entry("bot", names=("x.y",)))
)


def verified(address: Address) -> Learned:
    return Learned(verified={address: Verified(entries=frozenset({"bot"}), at=NOW)})


def frame(known: Identities, learned: Learned) -> Frame:
    return Frame(at=NOW, inputs=inputs({}, identities=known), learned=learned)


def test_an_entry_with_a_host_that_nobody_looked_up_may_hold_anybody() -> None:
    half = Learned(hosts={"a.example": frozenset({ONE})})
    whole = Learned(hosts={**half.hosts, "b.example": frozenset()})

    assert known_by(BY, Spared(), half, ()).unread == {"vpn"}
    assert known_by(BY, Spared(), whole, ()).unread == set()


def test_the_newest_moment_adds_what_was_not_written_down_yet() -> None:
    first, second = ONE.network_address, TWO.network_address
    newest = frame(
        Identities(
            found={"bot": frozenset({TWO}), "gone": frozenset({ONE})}, answered=frozenset({second})
        ),
        verified(second),
    )
    learned = with_names(verified(first), (newest,))
    spared = joined(Spared(found={"bot": frozenset({ONE}), "vpn": frozenset()}), (newest,))

    assert set(learned.verified) == {first, second}
    assert spared.found == {"bot": {ONE, TWO}, "vpn": frozenset()}
    assert known_by(BY, spared, learned, (newest,)).answered == {first, second}


def test_without_a_tape_it_is_what_was_written_down() -> None:
    learned, spared = verified(ONE.network_address), Spared(found={"bot": frozenset({ONE})})

    assert with_names(learned, ()) is learned
    assert joined(spared, ()) is spared
