"""Questions and answers as they go over the wire. Pure.

The only module that imports dnspython, and so imported only when something is to be asked.

Source: RFC 1035 4 (messages), RFC 2308 5 (how long a negative answer holds), RFC 2317 4
(reverse names behind a CNAME), RFC 6891 6.2.3 (size of an answer).
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from struct import Struct

from dns.exception import DNSException
from dns.message import Message, from_wire
from dns.name import Name
from dns.name import from_text as name_of
from dns.rcode import NOERROR, NXDOMAIN
from dns.rdataclass import IN
from dns.rdatatype import CNAME, SOA, RdataType
from dns.rrset import RRset

from agent.identify.question import MOST_BYTES, Answer, Kind, Question, Reply

MOST_ALIASES = 8
"""Names behind names (CNAME) that are followed."""

_HEAD = Struct(">HHHHHH")
_WHAT = Struct(">HH")
_OPT = 41
_SIZE = b"\0" + Struct(">HHIH").pack(_OPT, MOST_BYTES, 0, 0)
_RECURSION = 0x0100
_RESPONSE, _TRUNCATED = 0x8000, 0x0200
_OPCODE, _RCODE = 0x7800, 0x000F
_MOST_RECORDS = 100
_MOST_NAMES = 24
"""In the answer to a reverse question, aliases included: whoever owns the address writes as many
there as he likes, to be dear to read, and no crawler has more than a few."""

_UNSAID_S = 300
_LABEL = re.compile(rb"[a-z0-9_-]{1,63}")


def encode(question: Question, number: int) -> bytes:
    """Write a question.

    Args:
        question: What is asked; recursion is wanted.
        number: Its id, 0 to 65,535; the answer has to bear it.
    """
    labels = (label.encode("ascii") for label in question.name.split("."))
    name = b"".join(bytes([len(label)]) + label for label in labels)
    head = _HEAD.pack(number, _RECURSION, 1, 0, 0, 1)
    return head + name + b"\0" + _WHAT.pack(question.kind, IN) + _SIZE


def decode(asked: bytes, question: Question, got: bytes) -> Answer | Reply:
    """Read what came back for a question.

    Args:
        asked: The question as it was sent.
        question: The same.
        got: A datagram from the server that was asked; anything.
    """
    end = _end_of_question(asked)
    if len(got) < end or got[:2] != asked[:2]:
        return Reply.STRAY
    _, flags, questions, *counts = _HEAD.unpack_from(got)
    is_echo = got[_HEAD.size : end].lower() == asked[_HEAD.size : end].lower()
    if questions != 1 or not is_echo or not flags & _RESPONSE or flags & _OPCODE:
        return Reply.STRAY
    is_cut = flags & _TRUNCATED or len(got) > MOST_BYTES or sum(counts) > _MOST_RECORDS
    if is_cut or flags & _RCODE not in {NOERROR, NXDOMAIN}:
        return Reply.REFUSED
    if question.kind is Kind.PTR and counts[0] > _MOST_NAMES:
        return Answer(ttl_s=_UNSAID_S)
    try:
        return _read(from_wire(got, ignore_trailing=True), question)
    except (DNSException, ValueError, IndexError):
        return Reply.REFUSED


def _read(message: Message, question: Question) -> Answer:
    """Follow the names to the records asked for. A circle ends like a long way: with nothing."""
    name, kind, ttls = name_of(question.name), RdataType(question.kind), [2**31]
    for _ in range(MOST_ALIASES + 1):
        records = message.get_rrset(message.answer, name, IN, kind)
        if records is not None:
            return _answer(question.kind, records, min(*ttls, records.ttl))
        alias = message.get_rrset(message.answer, name, IN, CNAME)
        if alias is None:
            return Answer(ttl_s=min(*ttls, *_negative(message.authority)))
        ttls.append(alias.ttl)
        name = alias[0].target
    return Answer(ttl_s=min(ttls))


def _answer(kind: Kind, records: RRset, ttl_s: int) -> Answer:
    if kind is Kind.PTR:
        return Answer(names=tuple(_names(one.target for one in records)), ttl_s=ttl_s)
    addresses = tuple(ip_address(one.address) for one in records)
    return Answer(addresses=addresses, ttl_s=ttl_s)


def _names(targets: Iterable[Name]) -> Iterator[str]:
    """Give those that are host names: no label holds a dot or anything else that misleads."""
    for target in targets:
        labels = [label.lower() for label in target.labels if label]
        if labels and all(map(_LABEL.fullmatch, labels)):
            yield b".".join(labels).decode("ascii")


def _negative(authority: Iterable[RRset]) -> Iterator[int]:
    """Give how long it holds that there is nothing."""
    told = [min(one.ttl, one[0].minimum) for one in authority if one.rdtype == SOA]
    yield from told or [_UNSAID_S]


def _end_of_question(asked: bytes) -> int:
    """Give where the question section of a query of ours ends: a name, its kind, its class."""
    return asked.index(b"\0", _HEAD.size) + 5
