"""Texts -> Policy, or everything that is wrong with them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import PurePath
from typing import TypeVar

from agent.errors import MissingFileError, PolicyError
from agent.model.policy import USUAL, Policy, Recording, Safety
from agent.policy.block import Block, read_block, read_key
from agent.policy.build import (
    build_administrators,
    build_entry,
    build_proxies,
    build_rule,
    build_safety,
    build_service,
    build_tape,
)
from agent.policy.checks import (
    Known,
    check_administrators,
    check_length,
    check_party,
    check_rule,
    check_unique,
)
from agent.policy.document import Scalar
from agent.policy.fallback import BUILT_IN, EVERY, Fallback
from agent.policy.join import Joined, join
from agent.policy.notes import notes_of
from agent.policy.place import Faults, Place
from agent.policy.shapes import (
    AdministratorsShape,
    Defaults,
    EntryShape,
    HeadShape,
    ProxiesShape,
    RuleShape,
    SafetyShape,
    ServiceShape,
    Shape,
    TapeShape,
)
from agent.policy.text import PolicyText, Unread

S = TypeVar("S", bound=Shape)

MOST_SERVICES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """The blocks of a policy as they were read, each sound or not."""

    every: timedelta | None
    tape: TapeShape | None
    safety: Block[SafetyShape] | None
    defaults: Block[Defaults] | None
    proxies: Block[ProxiesShape] | None
    administrators: Block[AdministratorsShape] | None
    services: tuple[tuple[Place, Block[ServiceShape] | None], ...]
    allowlist: tuple[Block[EntryShape], ...]
    rules: tuple[Block[RuleShape], ...]

    @property
    def fallback(self) -> Fallback:
        """What the rules may leave out."""
        return BUILT_IN.under(self.defaults.shape) if self.defaults else BUILT_IN


def parse_policy(texts: Sequence[PolicyText | Unread]) -> Policy:
    """Give the policy that all texts together declare.

    Raises:
        PolicyError: Something is wrong; it tells all of it.
        MissingFileError: Nothing is wrong but paths that do not exist.
    """
    faults = Faults()
    joined = join(texts, faults)
    draft = _read(joined, faults)
    _check(draft, joined, faults)
    if not joined.rules and joined.complete:
        file = texts[0].file if texts else "policy"
        faults.add_at(file, (0, 0), "no rules: a policy without rules judges nobody")
    if faults.found:
        raise _error(texts, faults)
    return _build(draft, [text for text in texts if isinstance(text, PolicyText)])


def _read(joined: Joined, faults: Faults) -> _Draft:
    every, tape = joined.single.get("every"), joined.single.get("tape")
    is_told = tape is not None and not tape.is_blank
    services = [(key, read_block(place, ServiceShape, faults)) for key, place in joined.services]
    return _Draft(
        every=read_key(every, HeadShape, "every", faults) if every else None,
        tape=read_key(tape, HeadShape, "tape", faults) if tape and is_told else None,
        safety=_single(joined, "safety", SafetyShape, faults),
        defaults=_single(joined, "defaults", Defaults, faults),
        proxies=_single(joined, "trusted_proxies", ProxiesShape, faults),
        administrators=_single(joined, "administrators", AdministratorsShape, faults),
        services=tuple(services),
        allowlist=_blocks(joined.allowlist, EntryShape, faults),
        rules=_blocks(joined.rules, RuleShape, faults),
    )


def _single(joined: Joined, key: str, kind: type[S], faults: Faults) -> Block[S] | None:
    place = joined.single.get(key)
    return None if place is None or place.is_blank else read_block(place, kind, faults)


def _blocks(places: Iterable[Place], kind: type[S], faults: Faults) -> tuple[Block[S], ...]:
    blocks = (read_block(place, kind, faults) for place in places)
    return tuple(block for block in blocks if block is not None)


def _check(draft: _Draft, joined: Joined, faults: Faults) -> None:
    for key, _ in draft.services:
        read_key(key, EntryShape, "name", faults)
    for key, _ in draft.services[MOST_SERVICES:][:1]:
        faults.add(key, f"more than {MOST_SERVICES} services: join those with the same rules")
    check_unique(((_name(key), key) for key, _ in draft.services), faults)
    check_unique(_named(draft.allowlist), faults)
    check_unique(_named(draft.rules), faults)
    known = Known(
        services={_name(key): None for key, _ in draft.services} if joined.complete else None,
        fallback=_checked_fallback(draft, joined, faults),
    )
    for entry in draft.allowlist:
        check_party(entry, known, faults)
    if draft.proxies:
        check_party(draft.proxies, known, faults)
    if draft.administrators:
        check_administrators(draft.administrators, faults)
    for rule in draft.rules:
        check_rule(rule, known, faults)


def _checked_fallback(draft: _Draft, joined: Joined, faults: Faults) -> Fallback | None:
    """Give what the rules may leave out; None when the lengths in it can't be relied on."""
    if draft.defaults is None:
        return BUILT_IN if joined.complete and "defaults" not in joined.single else None
    before = len(faults.found)
    check_length(draft.defaults, "ban", BUILT_IN, faults)
    sound = len(faults.found) == before and draft.defaults.sound("ban", "escalate")
    return draft.fallback if sound else None


def _name(key: Place) -> str:
    return key.node.text if isinstance(key.node, Scalar) else ""


def _named(blocks: Iterable[Block[EntryShape] | Block[RuleShape]]) -> list[tuple[str, Place]]:
    return [(block.shape.name, block.place.at("name")) for block in blocks if block.sound("name")]


def _error(texts: Sequence[PolicyText | Unread], faults: Faults) -> PolicyError:
    found = faults.in_order(tuple(text.file for text in texts))
    missing = {text.file for text in texts if isinstance(text, Unread) and text.missing}
    kind = MissingFileError if all(fault.file in missing for fault in found) else PolicyError
    return kind(found)


def _build(draft: _Draft, texts: Sequence[PolicyText]) -> Policy:
    services = {
        _name(key): build_service(_name(key), block.shape) for key, block in draft.services if block
    }
    proxies = [build_proxies(draft.proxies)] if draft.proxies else []
    allowlist = (*map(build_entry, draft.allowlist), *proxies)
    named = draft.administrators
    return Policy(
        every=draft.every or EVERY,
        safety=build_safety(draft.safety.shape) if draft.safety else Safety(),
        services=tuple(services.values()),
        allowlist=allowlist,
        rules=tuple(
            build_rule(rule, services[rule.shape.service], draft.fallback) for rule in draft.rules
        ),
        files=tuple(text.file for text in texts),
        sha256=_digest(texts),
        administrators=build_administrators(named.shape) if named else USUAL,
        tape=build_tape(draft.tape) if draft.tape else Recording(),
        notes=tuple(notes_of(allowlist)),
    )


def _digest(texts: Iterable[PolicyText]) -> str:
    """Give the hash over names and bytes, each behind its length so that none can shift.

    Names without their folders: the same policy has the same hash wherever it lies.
    """
    digest = sha256()
    for text in texts:
        for part in (PurePath(text.file).name.encode(), text.raw):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
