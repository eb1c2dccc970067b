"""The first line: is it banned, will it be, and why."""

from agent.desk.explain.follows import follows
from agent.desk.explain.values import Explanation, Ruling
from agent.model.address import covers, is_host
from agent.model.ban import Ban, Held
from agent.model.inputs import Guard
from agent.model.policy import Answer, Scope
from agent.record.phrases import counted, duration, printable, until

_DONE = {Answer.DROP: "banned from", Answer.THROTTLE: "throttled at"}


def answer(told: Explanation) -> str:
    """Give the sentence that answers what an operator asks."""
    passes = _passes(told)
    ban = None if passes else _ban(told)
    if ban:
        return f"{told.source} {ban}"
    if passes:
        return f"{told.source} {passes}"
    if told.past is None and told.kept is None:
        return f"whether {told.source} is banned can't be told: {_why_unread(told)}"
    return f"{told.source} is not banned{_why_not(told)}"


def kept_from(scope: Scope, service: str) -> str:
    """Name what a ban covers."""
    return service if scope is Scope.SERVICE else "this host"


def because(ban: Ban) -> str:
    """Say in a few words what led to a ban."""
    if ban.count is None or ban.limit is None:
        return printable("; ".join(ban.reasons) or ban.rule)
    return f"{ban.rule} counted {ban.count}, limit {ban.limit}"


def _ban(told: Explanation) -> str:
    """Tell of the longest ban that covers the source; empty where there is none."""
    bans = told.past.in_force if told.past else ()
    covering = [one for one in bans if covers(one.source.prefix, told.source.prefix)]
    if covering:
        return _recorded(covering[0], told)
    held = [
        one
        for one in (told.kept.bans if told.kept else ())
        if covers(one.source.prefix, told.source.prefix)
    ]
    return _held(held[0], told) if held else ""


def _recorded(ban: Ban, told: Explanation) -> str:
    name = ban.service.name if ban.service else ""
    left = duration(round(ban.rest(told.now).total_seconds()))
    inside = "" if ban.source.prefix == told.source.prefix else f" as part of {ban.source}"
    places = {(one.source.prefix, one.target) for one in told.kept.bans} if told.kept else None
    is_lost = places is not None and (ban.source.prefix, ban.target) not in places
    lost = "; but the firewall does not hold that ban" if is_lost else ""
    return (
        f"is {_DONE[ban.answer]} {kept_from(ban.scope, name)}{inside} "
        f"{until(ban.until)} ({left} left): {because(ban)}{lost}"
    )


def _held(held: Held, told: Explanation) -> str:
    scope, service, done = held.target
    ends = until(told.now + held.left) if held.left else "for ever"
    inside = "" if held.source.prefix == told.source.prefix else f" as part of {held.source}"
    rule = printable(held.mark.rule) if held.mark else "nobody we know"
    return f"is {_DONE[done]} {kept_from(scope, service)}{inside} {ends}: by {rule}"


def _passes(told: Explanation) -> str:
    """Say why no ban of anything reaches the source; empty where one could."""
    prefix = told.source.prefix
    for guard in told.who.guards:
        if not guard.only_ssh and covers(guard.prefix, prefix):
            return _guarded(guard)
    for one in told.who.listed:
        entry = one.entry
        is_full = entry.patience is None and not entry.services and not one.is_over
        if is_full and covers(one.prefix, prefix):
            ends = f", {until(entry.until)}" if entry.until else ""
            return f"will never be banned: allowlist entry {entry.name}, {entry.declared_at}{ends}"
    allowed = told.kept.allowed if told.kept else ()
    if any(covers(one, prefix) for one in allowed):
        return "passes whatever is banned: the firewall's allow set holds it"
    return ""


def _guarded(guard: Guard) -> str:
    return f"will {'not' if guard.until else 'never'} be banned: {printable(guard.why)}"


def _why_unread(told: Explanation) -> str:
    return told.unread.get("state") or told.unread.get("firewall", "")


def _why_not(told: Explanation) -> str:
    if not told.is_known:
        return ": nothing is known of it here"
    inside = _inside(told)
    if inside:
        return (
            f" as a whole: {counted(inside, 'ban')} of somebody in it {_is_or_are(inside)} in force"
        )
    over = [one for one in told.rulings if one.weight.is_above]
    if over:
        return _over(max(over, key=lambda one: one.weight.count / one.weight.limit))
    if "sockets" in told.unread:
        return f"; what it holds can't be told: {told.unread['sockets']}"
    peers = told.present.peers
    if not (told.present.line or (peers and peers.sockets)):
        return ", and holds no connection here"
    return f": it is above no limit{_spared(told)}"


def _inside(told: Explanation) -> int:
    """Count the bans of somebody in a prefix; one address has nobody in it."""
    if is_host(told.source.prefix):
        return 0
    return len(told.past.in_force if told.past else told.kept.bans if told.kept else ())


def _is_or_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _spared(told: Explanation) -> str:
    """Say which services' rules never ban it; empty where all could."""
    for one in told.who.listed:
        entry, is_over = one.entry, one.is_over
        is_full = entry.patience is None and not is_over
        if is_full and covers(one.prefix, told.source.prefix):
            rules = f"{' and '.join(sorted(entry.services))} rules"
            return f"; {rules} never ban it: allowlist entry {entry.name}, {entry.declared_at}"
    for guard in told.who.guards:
        if guard.only_ssh and covers(guard.prefix, told.source.prefix):
            return f"; ssh rules do not ban it: {printable(guard.why)}"
    return ""


def _over(ruling: Ruling) -> str:
    weight = ruling.weight
    return f": {weight.rule.name} counts {weight.count}, limit {weight.limit}; {follows(ruling)}"
