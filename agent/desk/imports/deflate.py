"""What ddos-deflate's files say, as the draft of a policy. Pure.

Source: config/ddos.conf, src/ddos.sh and README.md of ddos-deflate 0.6 to 1.3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent.desk.imports import deflate_told as told
from agent.desk.imports.common import (
    HALF_OPEN_ONLY,
    HALF_OPEN_OUT,
    REST,
    SSH_APART,
    WHOLE,
    crowd,
)
from agent.desk.imports.draft import Draft, Entry, Head, Limit
from agent.desk.imports.listed import Listing, demand, words
from agent.desk.imports.notes import Notes
from agent.desk.imports.numbers import interval, lasting, limit, number, ports
from agent.desk.imports.reader import Reader, Setting
from agent.desk.imports.shell import settings_of
from agent.desk.imports.source import Source
from agent.desk.imports.states import COUNTED, states_of
from agent.errors import UnreadableError
from agent.model.policy import SSH, Kind, Mode, Scope
from agent.policy.words import listed, shown

CONNECTIONS, PERIOD_S, EVERY_S = 150, 600, 5
"""What holds where the file does not say."""

_ADDRESSES, _HOSTS = "ignored-addresses", "ignored-hosts"
_MOST_PORT_RULES = 64
_ON = frozenset({"true", "1", "yes", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What all rules have in common."""

    states: tuple[str, ...]
    lasts: timedelta
    mode: Mode
    comment: tuple[str, ...]

    def rule(
        self, name: str, service: str, count: int, *comment: str, lasts: timedelta | None = None
    ) -> Limit:
        """Give the rule that bans at so many connections."""
        return Limit(
            name=name,
            service=service,
            comment=comment,
            states=self.states,
            above=limit(count - 1),
            lasts=lasts or self.lasts,
            scope=Scope.SERVICE if service == SSH else Scope.HOST,
            mode=self.mode,
        )


def draft_of(
    confs: Sequence[Source], addresses: Sequence[Source], hosts: Sequence[Source]
) -> Draft:
    """Read ddos-deflate's files.

    Args:
        confs: Its configurations; of several the last one that sets something holds.
        addresses: Its lists of addresses and networks.
        hosts: Its lists of host names.

    Raises:
        UnreadableError: They are not what they should be.
    """
    notes = Notes()
    settings: dict[str, Setting] = {}
    for conf in confs:
        settings |= settings_of(conf, notes)
    if confs and told.KNOWN.isdisjoint(settings):
        raise UnreadableError(f"{confs[0].path}: no setting of ddos-deflate is in it")
    reader = Reader(settings=settings, notes=notes)
    limits, services = _limits(reader) if confs else ((), {})
    entries = tuple(_entries(reader, confs, addresses, hosts))
    head = _head(reader) if confs else None
    told.tell(reader)
    return Draft(
        peer="ddos-deflate",
        files=tuple(str(one.path) for one in (*confs, *addresses, *hosts)),
        differs=told.DIFFERS if confs else (),
        head=head,
        services=services,
        entries=entries,
        limits=limits,
        notes=notes,
    )


def _head(reader: Reader) -> Head:
    every_s, said = reader.number("DAEMON_FREQ", EVERY_S, least=1)
    return Head(
        every=interval(every_s), every_from=said, escalate_from="every ban there is as long"
    )


def _limits(reader: Reader) -> tuple[tuple[Limit, ...], dict[str, tuple[range, ...]]]:
    """Give the rules, and the services that they watch."""
    states, comment = _states(reader)
    period_s, period_said = reader.number("BAN_PERIOD", PERIOD_S, least=1)
    mode, observed = _mode(reader)
    common = _Common(
        states=states,
        lasts=lasting(period_s),
        mode=mode,
        comment=(period_said, *comment, *observed),
    )
    count, said = reader.number("NO_OF_CONNECTIONS", CONNECTIONS)
    first = (f"{said}: a ban at so many; a rule of ours bans above its limit.", *common.comment)
    limits = [
        common.rule("connections", REST, count, *first, *_elsewhere(reader), *crowd(count)),
        common.rule("ssh-connections", SSH, count, SSH_APART),
    ]
    services = dict(WHOLE)
    for one, numbers in (*_of_http(reader, common), *_of_ports(reader, common)):
        limits.append(one)
        services[one.service] = numbers
    return tuple(limits), services


def _states(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the states that the rules sum, and what the comment says of them."""
    text, said = reader.text("CONN_STATES"), reader.said("CONN_STATES")
    if not said:
        return COUNTED, ()
    states, half_open, others = states_of(text)
    left = f"; no rule counts {listed(map(shown, others[:5]))}" if others else ""
    if states:
        also = f"; {HALF_OPEN_OUT}" if half_open else ""
        return states, (f"{said}{also}{left}",)
    if half_open:
        return (), (f"{said}: {HALF_OPEN_ONLY}{left}",)
    return COUNTED, (f"{said}: none that a rule can sum, so all that it can{left}",)


def _mode(reader: Reader) -> tuple[Mode, tuple[str, ...]]:
    """Whether the rules act: an old configuration may say that nobody is banned."""
    if reader.text("KILL") != "0":
        return Mode.ENFORCE, ()
    return Mode.OBSERVE, (f"{reader.said('KILL')}: bans nobody, so the rules observe.",)


def _elsewhere(reader: Reader) -> tuple[str, ...]:
    """Tell what limits for single ports change for the limit of all."""
    if reader.text("ENABLE_PORTS").lower() not in _ON:
        return ()
    return (f"{reader.said('ENABLE_PORTS')}: there only who is on one of those ports is judged.",)


def _of_http(reader: Reader, common: _Common) -> Iterator[tuple[Limit, tuple[range, ...]]]:
    """Give the limit for web connections that version 0.8 had."""
    wanted, text = number(reader.text("NO_OF_CONNECTIONS_HTTP")), reader.text("HTTP_PORTS")
    numbers = tuple(filter(None, map(ports, text.split("|")[:_MOST_PORT_RULES])))
    if wanted is None or not numbers:
        reader.tell("NO_OF_CONNECTIONS_HTTP", told.NO_PORTS)
        reader.tell("HTTP_PORTS", told.NO_PORTS)
        return
    said = (reader.said("HTTP_PORTS"), reader.said("NO_OF_CONNECTIONS_HTTP"))
    yield common.rule("http-connections", "http", wanted, *said, *crowd(wanted)), numbers


def _of_ports(reader: Reader, common: _Common) -> Iterator[tuple[Limit, tuple[range, ...]]]:
    """Give the limits for single ports, where they are in force."""
    key = "PORT_CONNECTIONS"
    if reader.text("ENABLE_PORTS").lower() not in _ON:
        for one in ("ENABLE_PORTS", key):
            reader.tell(one, "not in force there, as ENABLE_PORTS says")
        return
    found: set[str] = set()
    for word in reader.text(key).split():
        rule = _of_port(word, common, f"{reader.settings[key].spot}: {key}: {word}")
        if rule and rule[0].name not in found and len(found) < _MOST_PORT_RULES:
            found.add(rule[0].name)
            yield rule
        else:
            reader.notes.add(reader.settings[key].spot, shown(word), told.NO_PORT_RULE)


def _of_port(word: str, common: _Common, said: str) -> tuple[Limit, tuple[range, ...]] | None:
    """Read one limit, as ``80:150:600`` or ``20-21:150:600``; None where it is none."""
    first, _, rest = word.partition(":")
    numbers = ports(first)
    count, lasts_s = map(number, rest.partition(":")[::2])
    if numbers is None or count is None or not lasts_s:
        return None
    name = "-".join(map(str, ("port", *dict.fromkeys((numbers[0], numbers[-1])))))
    comment = (said, *crowd(count))
    rule = common.rule(f"{name}-connections", name, count, *comment, lasts=lasting(lasts_s))
    return rule, (numbers,)


def _entries(
    reader: Reader, confs: Sequence[Source], addresses: Sequence[Source], hosts: Sequence[Source]
) -> Iterator[Entry]:
    """Give the entries that both lists make."""
    read: list[Listing] = []
    for key, name, sources in (
        ("USE_IGNORE_IP_LIST", _ADDRESSES, addresses),
        ("USE_IGNORE_HOST_LIST", _HOSTS, hosts),
    ):
        if reader.text(key) not in {"", "1"}:
            reader.tell(key, "that list is not in force there, and was not read")
            continue
        listing = Listing(notes=reader.notes, has_own=not confs, beside=read[0] if read else None)
        read.append(listing)
        for word in (word for source in sources for word in words(source)):
            if name == _HOSTS:
                listing.take_any(word)
            else:
                listing.take_network(word)
        yield from listing.entries(name, told.NAMES if name == _HOSTS else (), Kind.PARTNER)
    if not confs:
        demand(read, (*addresses, *hosts)[0].path)
