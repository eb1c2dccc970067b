"""Lines above rows, and lines that are no row of TCP. Pure.

Source: the catalogs of Debian's net-tools 2.10 (cs, de, et, fr, ja, pt_BR; all other
languages have the English titles); misc/ss.c of iproute2 6.1; get_tcp4_sock and
udp4_seq_show of the kernel.
"""

from collections.abc import Mapping
from enum import Enum, auto

from agent.observe.saved import forms
from agent.observe.saved.forms import Form
from agent.observe.saved.states import encoded


class Header(Enum):
    """What stands above rows."""

    TITLE = auto()
    """Of netstat; the columns' names follow."""
    NETSTAT = auto()
    SS = auto()
    SS_STATELESS = auto()
    SS_STATELESS_NETID = auto()
    PROC = auto()
    PROC6 = auto()
    NO_TCP = auto()
    """Of a file of /proc whose rows look like TCP's and are not."""


FORM_BELOW: Mapping[Header, Form | None] = {
    Header.TITLE: forms.NETSTAT,
    Header.NETSTAT: forms.NETSTAT,
    Header.SS: forms.SS,
    Header.SS_STATELESS: forms.SS_STATELESS,
    Header.SS_STATELESS_NETID: forms.SS_STATELESS_NETID,
    Header.PROC: forms.PROC,
    Header.PROC6: forms.PROC,
    Header.NO_TCP: None,
}
"""The form of the rows below a header."""


_TITLES = tuple(
    encoded(
        (
            "Active Internet connections",
            "Aktivní Internetová spojení",
            "Aktive Internetverbindungen",
            "Aktiivsed internetiühendused",
            "Connexions Internet actives",
            "稼働中のインターネット接続",
            "Conexões Internet Ativas",
        )
    )
)
_QUEUE_NAMES = frozenset(encoded(("Recv-Q", "Přích-F", "VvJrk", "受信-Q")))
_OTHER_LINES = tuple(
    encoded(
        (
            "Active UNIX domain sockets",
            "Aktivní sokety domény UNIX",
            "Aktive Sockets in der UNIX-Domäne",
            "Aktiivsed UNIX domeeni soklid",
            "Sockets du domaine UNIX actives",
            "稼働中のUNIXドメインソケット",
            "Domain sockets UNIX ativos",
            "Proto ",
            # What netstat -p says to somebody who may not see all processes.
            "(Not all processes could be identified",
            "will not be shown, you would have to be root",
            "(No info could be read for",
        )
    )
)
_OTHER_SOCKETS = frozenset(
    b"udp udp6 udpl udpl6 udplite raw raw6 sctp sctp6 icmp icmp6 igmp dccp mptcp unix ?? "
    b"u_str u_dgr u_seq u_raw u_rdm p_raw p_dgr nl tipc ti_st ti_dg v_str v_dgr xdp".split()
)


def header_of(words: list[bytes]) -> Header | None:
    """Tell which header a line of these words is; None when it is none. There is a word."""
    if words[0] == b"sl":
        if b"drops" in words:
            return Header.NO_TCP
        return Header.PROC6 if b"remote_address" in words else Header.PROC
    if words[0] == b"Proto" and not _QUEUE_NAMES.isdisjoint(words[1:2]):
        return Header.NETSTAT
    if b" ".join(words).startswith(_TITLES):
        return Header.TITLE
    if b"Local" in words and b"Peer" in words:
        return _header_of_ss(words)
    return None


def _header_of_ss(words: list[bytes]) -> Header:
    if b"State" in words:
        return Header.SS
    return Header.SS_STATELESS_NETID if words[0] == b"Netid" else Header.SS_STATELESS


def is_other(words: list[bytes]) -> bool:
    """Whether a line of these words is known to tell of no TCP socket. There is a word."""
    return words[0] in _OTHER_SOCKETS or b" ".join(words).startswith(_OTHER_LINES)
