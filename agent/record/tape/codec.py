"""Frames to bytes and back, each as what changed since the one before. Pure.

A frame is a JSON object with what changed of what changes rarely, then three tables: the rows
of the tally, what was known of hosts, and all single numbers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.model.address import Width
from agent.model.frame import Frame, Rest
from agent.model.inputs import Identities, Inputs, Listeners, Standing, Surroundings, Sysctls
from agent.model.learned import Learned
from agent.model.sample import SOCKETS, Sample, State
from agent.record.tape import facts
from agent.record.tape.columns import Cursor, text
from agent.record.tape.tables import (
    HostKeys,
    Name,
    NameKeys,
    Row,
    RowKeys,
    read_change,
    write_change,
)

_ROWS, _HOSTS, _NAMES = RowKeys(), HostKeys(), NameKeys()
_LARGEST = 2**62
"""No number is told that is larger."""

_PROVEN, _KNOWN = 1, 2


@dataclass(slots=True)
class _Last:
    """The frame before, as both sides have it: at first, nothing."""

    rows: Mapping[Row, int] = field(default_factory=dict)
    hosts: Mapping[bytes, int] = field(default_factory=dict)
    numbers: Mapping[Name, int] = field(default_factory=dict)
    policy_sha256: str = ""
    listening: frozenset[int] = frozenset()
    surroundings: Surroundings = field(default_factory=Surroundings)
    listeners: Listeners = field(default_factory=dict)
    sysctls: Sysctls = field(default_factory=dict)
    identities: Identities = field(default_factory=Identities)
    learned: Learned = field(default_factory=Learned)
    levels: tuple[tuple[Width, int], ...] = ()


@dataclass(slots=True)
class Encoder:
    """Writes frames. A new one begins with a whole frame."""

    _last: _Last = field(default_factory=_Last)

    def encode(self, frame: Frame) -> bytes:
        """Write a frame as its change against the one before."""
        last, standing = self._last, frame.inputs.standing or Standing()
        told = self._told(frame)
        rows, last.rows = write_change(last.rows, frame.inputs.sample.tallies[SOCKETS], _ROWS)
        hosts, last.hosts = write_change(last.hosts, _hosts(standing), _HOSTS)
        names, last.numbers = write_change(last.numbers, dict(_numbers(frame, standing)), _NAMES)
        return text(json.dumps(told, separators=(",", ":")).encode()) + rows + hosts + names

    def _told(self, frame: Frame) -> dict[str, Any]:
        """Tell what changed of what changes rarely."""
        last, inputs = self._last, frame.inputs
        told: dict[str, Any] = {"at": facts.tell_moment(frame.at)}
        if frame.is_start:
            told["start"] = True
        if frame.policy_sha256 != last.policy_sha256:
            last.policy_sha256 = told["policy"] = frame.policy_sha256
        if inputs.sample.listening != last.listening:
            last.listening = inputs.sample.listening
            told["listening"] = sorted(last.listening)
        if inputs.surroundings != last.surroundings:
            last.surroundings = inputs.surroundings
            told["surroundings"] = facts.tell_surroundings(last.surroundings)
        if inputs.listeners != last.listeners:
            last.listeners = inputs.listeners
            told["listeners"] = facts.tell_listeners(last.listeners)
        if inputs.sysctls != last.sysctls:
            last.sysctls = inputs.sysctls
            told["sysctls"] = dict(last.sysctls)
        return told | self._told_of_sources(frame)

    def _told_of_sources(self, frame: Frame) -> dict[str, Any]:
        last = self._last
        told: dict[str, Any] = {}
        identities, learned = frame.inputs.identities, frame.learned
        if identities is not last.identities and (
            change := facts.tell_identities(last.identities, identities)
        ):
            told["identities"] = change
        if learned is not last.learned and (change := facts.tell_learned(last.learned, learned)):
            told["learned"] = change
        last.identities, last.learned = identities, learned
        levels = tuple((one.width, one.floor) for one in frame.rest)
        if levels != last.levels:
            last.levels = levels
            told["levels"] = facts.tell_levels(levels)
        return told


@dataclass(slots=True)
class Decoder:
    """Reads frames, from the first that an encoder wrote."""

    _last: _Last = field(default_factory=_Last)

    def decode(self, content: bytes) -> Frame:
        """Read the next frame.

        Raises:
            ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError:
                It is damaged. Nothing can be read behind it.
        """
        last, cursor = self._last, Cursor(content)
        told = json.loads(cursor.text())
        self._hear(told)
        last.rows = read_change(last.rows, cursor, _ROWS)
        last.hosts = read_change(last.hosts, cursor, _HOSTS)
        last.numbers = read_change(last.numbers, cursor, _NAMES)
        numbers = _Numbers.of(last.numbers)
        at = facts.hear_moment(told["at"])
        return Frame(
            at=at,
            is_start=bool(told.get("start")),
            policy_sha256=last.policy_sha256,
            inputs=Inputs(
                sample=Sample(
                    taken_at=at,
                    sockets=numbers.single["sockets"],
                    states=numbers.states,
                    listening=last.listening,
                    tallies={SOCKETS: last.rows},
                    others=numbers.others,
                ),
                counters=numbers.counters,
                surroundings=last.surroundings,
                listeners=last.listeners,
                sysctls=last.sysctls,
                identities=last.identities,
                standing=_standing(last.hosts, numbers.single),
            ),
            learned=last.learned,
            rest=tuple(
                Rest(width=width, floor=floor, counts=numbers.counts.get(at, {}))
                for at, (width, floor) in enumerate(last.levels)
            ),
        )

    def _hear(self, told: Mapping[str, Any]) -> None:
        """Take what changed of what changes rarely."""
        last = self._last
        last.policy_sha256 = str(told.get("policy", last.policy_sha256))
        if "listening" in told:
            last.listening = frozenset(map(int, told["listening"]))
        if "surroundings" in told:
            last.surroundings = facts.hear_surroundings(told["surroundings"])
        if "listeners" in told:
            last.listeners = facts.hear_listeners(told["listeners"])
        if "sysctls" in told:
            last.sysctls = {str(name): int(one) for name, one in told["sysctls"].items()}
        if "identities" in told:
            last.identities = facts.hear_identities(last.identities, told["identities"])
        if "learned" in told:
            last.learned = facts.hear_learned(last.learned, told["learned"])
        if "levels" in told:
            last.levels = tuple(facts.hear_levels(told["levels"]))


def _hosts(standing: Standing) -> Mapping[bytes, int]:
    hosts = dict.fromkeys(standing.proven, _PROVEN)
    for key in standing.known:
        hosts[key] = hosts.get(key, 0) | _KNOWN
    return hosts


def _numbers(frame: Frame, standing: Standing) -> Iterator[tuple[Name, int]]:
    """Give all single numbers, by the section they belong to and what they are."""
    sample = frame.inputs.sample
    yield ("n", "sockets"), sample.sockets
    yield ("n", "others"), standing.others
    yield ("n", "known"), standing.others_known
    for name, number in frame.inputs.counters.items():
        yield ("c", name), min(number, _LARGEST)
    for state, count in sample.states.items():
        yield ("s", state.value), count
    for (kind, port), count in sample.others.items():
        yield ("o", kind, port), count
    for at, one in enumerate(frame.rest):
        for (service, measure), histogram in one.counts.items():
            for count, sources in histogram.items():
                yield ("h", at, service, measure, count), sources


def _standing(hosts: Mapping[bytes, int], single: Mapping[str, int]) -> Standing:
    return Standing(
        proven=frozenset([key for key, how in hosts.items() if how & _PROVEN]),
        known=frozenset([key for key, how in hosts.items() if how & _KNOWN]),
        others=single["others"],
        others_known=single["known"],
    )


@dataclass(frozen=True, slots=True)
class _Numbers:
    """All single numbers, each where it belongs."""

    single: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    states: dict[State, int] = field(default_factory=dict)
    others: dict[tuple[int, int], int] = field(default_factory=dict)
    counts: dict[int, dict[tuple[str, str], dict[int, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, numbers: Mapping[Name, int]) -> "_Numbers":
        """Sort them."""
        found = cls()
        plain: dict[str, dict[Any, int]] = {"n": found.single, "c": found.counters}
        for (section, *name), number in numbers.items():
            if section == "h":
                at, service, measure, count = name
                counts = found.counts.setdefault(at, {})
                counts.setdefault((service, measure), {})[count] = number
            elif section == "o":
                state, port = name
                found.others[state, port] = number
            elif section == "s":
                found.states[State(name[0])] = number
            else:
                plain[section][name[0]] = number
        return found
