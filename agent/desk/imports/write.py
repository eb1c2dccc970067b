"""A draft -> the text of a policy, and range files where lists are long. Pure.

Whatever came from outside stands in a comment, printable and cut, or is a value of ours: an
address, a number, or a name that was checked.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from textwrap import wrap

from agent.desk.imports.blocks import default_blocks
from agent.desk.imports.draft import Draft, Head, Item, Limit
from agent.desk.imports.notes import WIDTH
from agent.desk.imports.ranged import Ranged, split
from agent.model.address import Prefix, is_host
from agent.model.policy import Mode
from agent.policy.names import is_slug
from agent.record.phrases import printable

_IPV4_BITS = 32
_REMARK = 60
_HELD_S = 20
"""How long a source has to be above a limit: a reload of many tabs is over by then."""

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_ADJUST = "adjust: nat (then grants: 10x), crawler, partner, infrastructure"

_DEFAULTS = """\
{peer} gives no limit of connections here, so these are the default policy's, which ban nobody
that could be an honest crowd. Put the rules of policies/web.yaml, or of another one for your
kind of server, in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A policy, and what lies beside it.

    Attributes:
        text: Of the policy.
        ranges: By the name of a file beside it, its text: lists that are too long for a person.
    """

    text: str
    ranges: dict[str, str]


def write(draft: Draft, stem: str) -> Written:
    """Write a policy.

    Args:
        draft: What it says.
        stem: Of the file's name, for those of range files.

    Raises:
        UnreadableError: A list is longer than a range file can be.
    """
    ranged = split(draft.entries, stem)
    body = _own(draft, draft.head, ranged) if draft.head else _defaults(draft, ranged)
    lines = (*_top(draft), "", "version: 1", "", *body, "", *_comment(*draft.notes.lines()))
    return Written(text="\n".join(lines).rstrip("\n") + "\n", ranges=ranged.texts)


def _top(draft: Draft) -> Iterator[str]:
    yield from _comment(f"Imported from {draft.peer}:")
    yield from _comment(*(f"  {_cut(file, 200)}" for file in draft.files[:_REMARK]))
    yield from _comment(
        "",
        "    abuse-agent check FILE                    is it right?",
        "    abuse-agent --dry-run --policy FILE       whom would it ban?",
    )
    if draft.differs:
        yield from _comment("", f"What differs from {draft.peer}:")
    for sentence in draft.differs:
        yield from _comment(*wrap(f"- {sentence}", WIDTH - 2, subsequent_indent="  "))


def _own(draft: Draft, head: Head, ranged: Ranged) -> Iterator[str]:
    """Give the blocks of a draft that has limits."""
    seconds = int(head.every.total_seconds())
    times = max(2, ceil(_HELD_S / seconds) + 1)
    yield _beside(f"every: {length(head.every)}", head.every_from)
    yield ""
    yield "defaults:"
    yield _beside(f"  sustained: {times} of {times}", f"above for {(times - 1) * seconds} s")
    yield _beside(f"  escalate: {head.escalate}", head.escalate_from)
    yield ""
    yield "services:"
    for name, ports in draft.services.items():
        yield f"  {name}: {{ports: [{', '.join(map(_ports, ports))}]}}"
    yield ""
    if draft.entries:
        yield "allowlist:"
        yield from _entries(draft, ranged)
        yield ""
    yield "rules:"
    for limit in draft.limits:
        yield from _rule(limit)


def _defaults(draft: Draft, ranged: Ranged) -> Iterator[str]:
    """Give the default policy's blocks, with the draft's entries in them."""
    blocks = default_blocks()
    yield from _comment(*_DEFAULTS.format(peer=draft.peer).split("\n"))
    for key in ("every", "defaults", "services", "allowlist"):
        yield from blocks[key]
        yield ""
    yield from _entries(draft, ranged)
    yield ""
    yield from blocks["rules"]


def _entries(draft: Draft, ranged: Ranged) -> Iterator[str]:
    for entry in draft.entries:
        yield from (f"  # {_cut(line, WIDTH)}" for line in entry.comment)
        yield f"  - name: {entry.name}"
        yield f"    kind: {entry.kind}   # {_ADJUST}"
        yield "    grants: exempt"
        if entry.services:
            yield f"    services: [{', '.join(entry.services)}]"
        yield from _listed("prefixes", ranged.inline(entry))
        if file := ranged.files.get(entry.name):
            yield _beside(f"    ranges: [{_quoted(file)}]", ranged.told(entry))
        yield from _listed("hosts", entry.hosts)
        yield from _listed("names", entry.domains)


def _listed(key: str, items: Iterable[Item[Prefix]] | Iterable[Item[str]]) -> Iterator[str]:
    written = [
        _beside(f"      - {_who(item.what)}", f"{item.spot}{_behind(item.remark)}")
        for item in items
    ]
    if written:
        yield f"    {key}:"
        yield from written


def _rule(limit: Limit) -> Iterator[str]:
    for sentence in limit.comment:
        yield from (f"  {line}" for line in _comment(*wrap(printable(sentence), WIDTH - 4)))
    yield f"  - name: {limit.name}"
    yield f"    service: {limit.service}"
    yield f"    count: {'connections' if limit.states else 'half_open'}"
    if limit.states:
        yield f"    states: [{', '.join(limit.states)}]"
    yield f"    above: {limit.above}"
    if limit.network_bits < _IPV4_BITS:
        yield f"    per: {{ipv4: {limit.network_bits}}}"
    if limit.states:
        yield f"    ban: {length(limit.lasts)}"
        yield f"    scope: {limit.scope}"
    else:
        yield "    throttle: 1/s"
        yield f"    for: {length(limit.lasts)}"
    if limit.mode is not Mode.ENFORCE:
        yield f"    mode: {limit.mode}"


def length(lasts: timedelta) -> str:
    """Write a duration exactly, in whole seconds at least."""
    left, parts = max(1, int(lasts.total_seconds())), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _ports(ports: range) -> str:
    return f"{ports[0]}-{ports[-1]}" if len(ports) > 1 else f"{ports[0]}"


def _who(what: Prefix | str) -> str:
    """Write a network or a name; one that begins or ends with a colon in quotes."""
    if isinstance(what, str):
        return what
    text = str(what.network_address) if is_host(what) else str(what)
    return f'"{text}"' if ":" in {text[0], text[-1]} else text


def _quoted(file: str) -> str:
    """Write the name of a file within a list; one that is more than a name in quotes."""
    return file if is_slug(file) else json.dumps(file, ensure_ascii=False)


def _comment(*lines: str) -> Iterator[str]:
    yield from (f"# {printable(line)}".rstrip() for line in lines)


def _beside(text: str, remark: str) -> str:
    return f"{text}   # {_cut(remark, WIDTH)}" if remark else text


def _behind(remark: str) -> str:
    return f": {_cut(remark, _REMARK)}" if remark else ""


def _cut(text: str, most: int) -> str:
    """Give the beginning of a text, printable."""
    return printable(text if len(text) <= most else f"{text[:most]}...")
