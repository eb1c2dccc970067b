"""An explanation as a person reads it: a heading each, then short lines that fit a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import TextWrapper

from agent.desk.explain.answer import answer, because, kept_from
from agent.desk.explain.follows import follows
from agent.desk.explain.identity_words import identity
from agent.desk.explain.values import Counts, Explanation, Present, Ruling
from agent.model.address import is_line
from agent.model.ban import Ban, Held
from agent.model.inspection import Traffic
from agent.model.sample import State
from agent.observe.peers import Peers, Queues
from agent.record.events import prefix_text
from agent.record.phrases import counted, duration, moment_text, printable, until

COLUMNS = 80
_INDENT = "  "
_MOST_OF_A_RULE = 10
"""Of a wide prefix very many may be near a limit."""

_PLAIN = TextWrapper(COLUMNS, break_on_hyphens=False, break_long_words=False)
_WRAPPED = TextWrapper(
    COLUMNS,
    initial_indent=_INDENT,
    subsequent_indent="      ",
    break_on_hyphens=False,
    break_long_words=False,
)
"""A path stays whole, however long it is: it is there to be copied."""


def lines_of(told: Explanation) -> Iterator[str]:
    """Write everything but what the tape tells."""
    yield from _PLAIN.wrap(answer(told))
    if told.agent is None and "state" not in told.unread:
        yield "no agent is running: nothing new follows until one is"
    if told.agent is not None and told.agent.policy_sha256 not in {"", told.policy.sha256}:
        yield f"the agent runs with another policy than {', '.join(told.policy.files)}, used here"
    if told.agent is None and "state" in told.unread:
        yield from _PLAIN.wrap(
            f"judged by {', '.join(told.policy.files)}: whether an agent runs, and by which "
            "policy, is not known"
        )
    yield from section("who", identity(told))
    yield from section("now", _present(told))
    yield from section("rules", _rulings(told))
    yield from section("bans", _past(told))
    yield from section("firewall", _kept(told))


def section(name: str, lines: Iterable[str]) -> Iterator[str]:
    """Write a heading and what stands below it; lines of a table keep their spaces."""
    yield ""
    yield name
    for line in lines:
        if len(line) <= COLUMNS - len(_INDENT):
            yield _INDENT + line
        else:
            yield from _WRAPPED.wrap(line)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a small table; columns whose cells are all numbers stand to the right."""
    if not rows:
        return
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, cells)) for cells in columns]
    is_number = [all(map(str.isdecimal, cells[1:])) for cells in columns]
    for row in (head, *rows):
        cells = zip(row, widths, is_number, strict=True)
        yield "  ".join(
            f"{one:>{size}}" if right else f"{one:<{size}}" for one, size, right in cells
        ).rstrip()


def _present(told: Explanation) -> Iterator[str]:
    if "sockets" in told.unread:
        yield f"not known: {told.unread['sockets']}"
        return
    present, is_alone = told.present, told.line.prefix == told.source.prefix
    if not present.line:
        yield f"no connections of {told.line} on listening ports"
    elif is_alone:
        yield from table(("SERVICE", "STATE", "COUNT"), _counts(present.line))
    else:
        yield from table(("SERVICE", "STATE", "COUNT", "ITS LINE"), _both(present))
        yield f"it is judged with its line, {told.line}"
    half_open = sum(n for (_, state), n in present.line.items() if state is State.SYN_RECV)
    if half_open:
        yield f"{half_open} half-open: one forged packet makes one, so they prove nobody"
    yield from _queues(told)


def _counts(counts: Counts) -> list[tuple[str, str, str]]:
    return [(place, state.name, str(count)) for (place, state), count in counts.items()]


def _both(present: Present) -> list[tuple[str, str, str, str]]:
    return [
        (place, state.name, str(present.own.get((place, state), 0)), str(count))
        for (place, state), count in present.line.items()
    ]


def _queues(told: Explanation) -> Iterator[str]:
    peers = told.present.peers
    if peers is None:
        yield f"queues not known: {told.unread.get('queues', 'the sockets are not')}"
        return
    inbound = peers.sockets - peers.outgoing.total()
    if inbound:
        yield f"waiting in these: {_waiting(peers.inbound)}"
    if peers.outgoing:
        yield (
            f"{counted(peers.outgoing.total(), 'outgoing connection')} to it, "
            f"{_ports(peers)}: opened from here, they count for nothing; waiting in them: "
            f"{_waiting(peers.outbound)}"
        )


def _waiting(queues: Queues) -> str:
    return (
        f"Recv-Q {queues.unread} bytes (at most {queues.unread_most} in one), "
        f"Send-Q {queues.unsent} (at most {queues.unsent_most})"
    )


def _ports(peers: Peers) -> str:
    ports = sorted({port for _, port in peers.outgoing})
    more = f" and {len(ports) - 5} more" if len(ports) > 5 else ""  # noqa: PLR2004 - some
    return f"port {', '.join(map(str, ports[:5]))}{more}"


def _rulings(told: Explanation) -> Iterator[str]:
    if "sockets" in told.unread:
        yield "not known without the sockets"
        return
    for rule in told.policy.rules:
        own = [one for one in told.rulings if one.weight.rule.name == rule.name]
        for ruling in own[:_MOST_OF_A_RULE]:
            yield _ruling(ruling, told)
        if len(own) > _MOST_OF_A_RULE:
            yield f"{rule.name}: and {len(own) - _MOST_OF_A_RULE} more in it"
    counting = {one.weight.rule.name for one in told.rulings}
    others = [one.name for one in told.policy.rules if one.name not in counting]
    if others:
        is_wide = not is_line(told.source.prefix)
        none = "find nobody in it near a limit" if is_wide else "count nothing of it"
        yield f"{none}: {', '.join(others)}"


def _ruling(ruling: Ruling, told: Explanation) -> str:
    weight = ruling.weight
    whom = "" if weight.source.prefix == told.source.prefix else f" of {weight.source}"
    hosts = f" ({counted(weight.hosts, 'host')})" if weight.hosts > 1 else ""
    patience = weight.grant.patience
    patient = "" if patience == 1 else f"{weight.rule.limit} x{patience} = "
    what = f"{weight.count} {weight.rule.measure.unit}{whom}{hosts}"
    unknown = f"; how long by now is not known: {ruling.unknown}" if _is_open(ruling) else ""
    return f"{weight.rule.name}: {what}, limit {patient}{weight.limit}: {follows(ruling)}{unknown}"


def _is_open(ruling: Ruling) -> bool:
    weight = ruling.weight
    return bool(weight.is_above and ruling.unknown and weight.rule.sustained.times > 1)


def _past(told: Explanation) -> Iterator[str]:
    past = told.past
    if past is None:
        yield f"not known: {told.unread['state']}"
        return
    if not (past.in_force or past.earlier or past.permits):
        yield "none in force, and none earlier"
    for ban in past.in_force:
        yield _ban(
            ban, f"{until(ban.until)}, {duration(round(ban.rest(told.now).total_seconds()))} left"
        )
    for permit in past.permits:
        yield f"{prefix_text(permit.prefix)} passes {until(permit.until)}: {printable(permit.why)}"
    for one in past.earlier:
        yield _ban(
            one.ban, f"{moment_text(one.ban.begins)} to {moment_text(one.ended)}, {one.how.value}"
        )


def _ban(ban: Ban, when: str) -> str:
    name = ban.service.name if ban.service else ""
    what = f"{ban.answer.value} {kept_from(ban.scope, name)}"
    reasons = printable("; ".join(ban.reasons) or because(ban))
    return f"{ban.source}: {what} {when} [{ban.ban_id}]: {reasons}"


def _kept(told: Explanation) -> Iterator[str]:
    kept = told.kept
    if kept is None:
        yield f"not known: {told.unread['firewall']}"
        return
    if not kept.bans:
        yield f"{kept.firewall} holds no ban of it"
    for held in kept.bans:
        yield f"{kept.firewall} holds {_held(held)}"
    for prefix in kept.allowed:
        yield f"{prefix_text(prefix)} is in the allow set, which stands ahead of every ban"
    for one in filter(_is_used, kept.traffic):
        yield (
            f"{counted(one.packets, 'packet')} ({counted(one.size_bytes, 'byte')}) stopped by the "
            f"set {one.name}: of all {one.elements} in it, the kernel counts by set"
        )


def _is_used(one: Traffic) -> bool:
    return bool(one.elements or one.packets)


def _held(held: Held) -> str:
    scope, service, done = held.target
    ends = f"{duration(round(held.left.total_seconds()))} left" if held.left else "without an end"
    by = f" [{held.mark.ban_id}] by {printable(held.mark.rule)}" if held.mark else ", not ours"
    return f"{held.source}: {done.value} {kept_from(scope, service)}, {ends}{by}"
