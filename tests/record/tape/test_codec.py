"""A frame comes back as it was, and nothing that is read does harm."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.address import AF_INET6, MAPPED
from agent.model.frame import Frame
from agent.model.inputs import Identities, Standing
from agent.model.learned import Learned
from agent.model.sample import SOCKETS
from agent.record.tape import facts
from agent.record.tape.codec import Decoder, Encoder
from tests.builders import NOW, inputs
from tests.record.tape.strategies import frames, tapes

DAMAGED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@given(tapes())
def test_frames_come_back_as_they_were(tape: list[Frame]) -> None:
    encoder, decoder = Encoder(), Decoder()

    assert [decoder.decode(encoder.encode(frame)) for frame in tape] == tape


@given(frames())
def test_what_did_not_change_is_the_very_same(frame: Frame) -> None:
    encoder, decoder = Encoder(), Decoder()
    first = decoder.decode(encoder.encode(frame)).inputs
    second = decoder.decode(encoder.encode(frame)).inputs

    assert second.surroundings is first.surroundings
    assert second.identities is first.identities
    assert second.identities.found is first.identities.found
    assert second.listeners is first.listeners
    assert second.sysctls is first.sysctls
    assert second.sample.listening is first.sample.listening
    assert second.sample.tallies[SOCKETS] is first.sample.tallies[SOCKETS]


@given(frames())
def test_names_that_did_not_change_are_the_very_same(frame: Frame) -> None:
    encoder, decoder = Encoder(), Decoder()
    first = decoder.decode(encoder.encode(frame))
    answered = replace(frame.inputs.identities, answered=frozenset())
    changed = replace(frame, inputs=replace(frame.inputs, identities=answered))

    second = decoder.decode(encoder.encode(changed))
    assert second.inputs.identities.found is first.inputs.identities.found
    assert second.learned is first.learned


@given(frames(), st.data())
def test_a_frame_that_is_cut_off_is_an_error(frame: Frame, data: st.DataObject) -> None:
    content = Encoder().encode(frame)
    end = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(DAMAGED):
        Decoder().decode(content[:end])


@given(tapes(), st.data())
def test_a_damaged_frame_is_an_error_or_some_frame(tape: list[Frame], data: st.DataObject) -> None:
    encoder, decoder = Encoder(), Decoder()
    for frame in tape:
        content = bytearray(encoder.encode(frame))
        for _ in range(data.draw(st.integers(0, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            assert isinstance(decoder.decode(bytes(content)), Frame)
        except DAMAGED:
            return


def test_a_mapped_address_that_was_never_unmapped_stays_what_it_is() -> None:
    mapped = (AF_INET6, 1, 80, MAPPED + bytes([192, 0, 2, 1]) + bytes(4))
    given = inputs({}, standing=Standing())
    sample = replace(given.sample, tallies={SOCKETS: {mapped: 3}})
    frame = Frame(at=NOW, inputs=replace(given, sample=sample))

    assert Decoder().decode(Encoder().encode(frame)) == frame


def test_changes_of_what_is_known_add_up_to_no_more_than_a_frame_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facts, "KNOWN_AT_MOST", 20)
    found = [{"found": {f"entry{at}": [[], ["192.0.2.0/24"]]}} for at in range(21)]
    verified = [{"verified": {f"192.0.2.{at}": [0, [], []]}} for at in range(21)]

    with pytest.raises(ValueError, match="too much"):
        reduce(facts.hear_identities, found, Identities())
    with pytest.raises(ValueError, match="too much"):
        reduce(facts.hear_learned, verified, Learned())
