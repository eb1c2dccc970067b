"""Whom fail2ban ignores, as entries of the allowlist. Pure.

Source: jail.conf(5), jailreader.py and ipdns.py of fail2ban 1.0.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agent.desk.imports.draft import Draft, Entry
from agent.desk.imports.ini import DEFAULT, INCLUDES, Options, Value
from agent.desk.imports.listed import GUARDED, Listing, Word
from agent.desk.imports.notes import Notes
from agent.desk.imports.numbers import ports
from agent.desk.imports.source import Source
from agent.errors import UnreadableError
from agent.model.policy import Kind
from agent.policy.words import shown

IGNORE = "ignoreip"

DIFFERS = (
    (
        "It counts failed logins in logs. Here only connections count that a source holds at once, "
        "so that no limit of it has a counterpart: let both run."
    ),
    (
        "Who is listed for all of it is exempt here from every limit; who is listed for some "
        "logins is so at the services with their ports."
    ),
    "Own addresses (ignoreself), gateways and resolvers are guarded anyway.",
)

_ON = frozenset({"true", "1", "yes", "on"})
_WORDS = re.compile(r"[\s,]+")
_SLUG = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 32
_MOST_SECTIONS = 50
_PORTS = {
    "ssh": "22",
    "http": "80",
    "https": "443",
    "ftp": "21",
    "ftp-data": "20",
    "ftps": "990",
    "ftps-data": "989",
    "smtp": "25",
    "smtps": "465",
    "ssmtp": "465",
    "submissions": "465",
    "submission": "587",
    "pop3": "110",
    "pop3s": "995",
    "imap2": "143",
    "imap": "143",
    "imap3": "220",
    "imaps": "993",
    "sieve": "4190",
    "all": "0:65535",
}
"""Names of ports that its own files use. Source: services(5)."""

_FILE = "a list in a file: give that file's lines to this one, or write a range file"
_OF_LOGINS = "of failed logins: a limit here is of connections held at once, with a ban of its own"
_WHY = (
    (("bantime", "findtime", "maxretry", "maxmatches"), _OF_LOGINS),
    (("ignoreself",), GUARDED),
    (("ignorecommand", "ignorecache"), "no command is run to ask whom to spare: list him"),
    (
        (
            *("action", "banaction", "mta", "destemail", "sender", "chain", "protocol", "port"),
            *("fail2ban", "blocktype", "returntype"),
        ),
        "what becomes of a failed login stays fail2ban's",
    ),
)
_OTHER = "which logs are read, and for what, stays fail2ban's"

KNOWN = frozenset({IGNORE, "bantime", "maxretry", "enabled", "filter", "logpath", "findtime"})
"""Options by which files are known as fail2ban's."""


def draft_of(sources: Iterable[Source], services: Mapping[str, Iterable[range]]) -> Draft:
    """Read fail2ban's files.

    Args:
        sources: In the order in which they hold, the strongest last.
        services: Of the policy: what their ports are.

    Raises:
        UnreadableError: They set nothing of fail2ban's.
    """
    options = Options(notes=Notes())
    read = list(sources)
    for source in read:
        options.take(source)
    if KNOWN.isdisjoint(key for _, key in options.values):
        raise UnreadableError(f"{read[0].path}: no setting of fail2ban is in it")
    entries = tuple(_entries(options, services))
    _tell(options)
    return Draft(
        peer="fail2ban",
        files=tuple(str(one.path) for one in read),
        differs=DIFFERS,
        entries=entries,
        notes=options.notes,
    )


def _entries(options: Options, services: Mapping[str, Iterable[range]]) -> Iterator[Entry]:
    whole = Listing(notes=options.notes, has_own=True)
    if value := options.own(DEFAULT, IGNORE):
        _take(whole, value, options, DEFAULT)
    yield from whole.entries("fail2ban-ignored", (), Kind.PARTNER)
    found = 0
    for section in options.sections():
        value = options.own(section, IGNORE)
        if value is None:
            continue
        reason, touched = _touched(options, section, services)
        found += not reason
        if reason or found > _MOST_SECTIONS:
            why = reason or f"more than {_MOST_SECTIONS} lists"
            options.notes.add(value.lines[0][0], f"{IGNORE} of {shown(section)}", why)
            continue
        listing = Listing(notes=options.notes, beside=whole, has_own=True)
        _take(listing, value, options, section)
        name = f"fail2ban-{found}-{_SLUG.sub('-', section)[:_LONGEST_NAME]}"
        comment = (f"For {shown(section)} alone there; here at the services with its ports.",)
        for entry in listing.entries(name, comment, Kind.PARTNER):
            yield replace(entry, services=touched)


def _touched(
    options: Options, section: str, services: Mapping[str, Iterable[range]]
) -> tuple[str, tuple[str, ...]]:
    """Name the services that a section is about; or say why its list needs no entry."""
    if options.text(section, "enabled").strip().lower() not in _ON:
        return "not enabled there", ()
    named = _WORDS.split(options.text(section, "port"))
    numbers = [ports(_PORTS.get(one, one).replace("0:", "1:", 1)) for one in named if one]
    wanted = [one for one in numbers if one]
    touched = tuple(
        name
        for name, watched in services.items()
        if any(a.start < b.stop and b.start < a.stop for a in wanted for b in watched)
    )
    return "" if touched else "no rule watches its ports, so nobody is banned there", touched


def _take(listing: Listing, value: Value, options: Options, section: str) -> None:
    """Take the words of a list, each with the place of its line."""
    for spot, line in value.lines:
        said, _, remark = line.partition("#")
        for text in filter(None, _WORDS.split(options.expanded(said, section, IGNORE))):
            word = Word(text=text, spot=spot, remark=remark.strip(), is_quoted=value.is_quoted)
            if text.startswith("file:"):
                listing.refuse(word, _FILE)
            else:
                listing.take_any(word)


def _tell(options: Options) -> None:
    """Tell of everything that is set and has no counterpart."""
    for (section, key), values in options.values.items():
        if section == INCLUDES:
            continue
        for earlier in values[:-1]:
            options.notes.add(earlier.lines[0][0], _name(key, earlier), "set again later")
        if key != IGNORE:
            options.notes.add(values[-1].lines[0][0], _name(key, values[-1]), _why(key))


def _name(key: str, value: Value) -> str:
    if not value.is_quoted:
        return "a setting"
    return shown(key) if _SLUG.search(key) else key


def _why(key: str) -> str:
    return next((why for starts, why in _WHY if key.startswith(starts)), _OTHER)
