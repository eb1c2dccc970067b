"""The names of TCP states, as netstat in every language, ss and /proc write them.

A translated name stands here in the character sets that a terminal of that
language may have. What netstat calls CONNECTED, or a translation of it, is a UNIX
socket; a name that is not listed, as ``UNKNOWN``, is not read.

Source: the catalogs of Debian's net-tools 2.10 (cs, de, et, fr, ja, pt_BR; all
other languages have the English names); misc/ss.c of iproute2 6.1;
include/net/tcp_states.h.
"""

from collections.abc import Mapping

from agent.model.sample import State

_TRANSLATED = {
    "ZAVŘEN": State.CLOSE,
    "ZAVÍRÁ": State.CLOSING,
    "SPOJENO": State.ESTABLISHED,
    "POSLEDNÍ": State.LAST_ACK,  # its second word is ACK
    "NASLOUCHÁ": State.LISTEN,
    "VERBUNDEN": State.ESTABLISHED,
    "FECHAR": State.CLOSE,
    "ESPERANDO_FECHAR": State.CLOSE_WAIT,
    "FECHANDO": State.CLOSING,
    "ESTABELECIDA": State.ESTABLISHED,
    "ESPERA_FIN1": State.FIN_WAIT1,
    "ESPERA_FIN2": State.FIN_WAIT2,
    "ÚLTIMO_ACK": State.LAST_ACK,
    "OUÇA": State.LISTEN,
    "SYN_RECEBIDO": State.SYN_RECV,
    "SYN_ENVIADO": State.SYN_SENT,
}

_CHARACTER_SETS = ("utf-8", "iso-8859-1", "iso-8859-2")


def _encoded() -> dict[bytes, State]:
    """Give each translated name in each character set that has its letters."""
    names = {}
    for text, state in _TRANSLATED.items():
        for character_set in _CHARACTER_SETS:
            try:
                names[text.encode(character_set)] = state
            except UnicodeEncodeError:
                continue
    return names


OF_NETSTAT: Mapping[bytes, State] = {state.name.encode(): state for state in State} | _encoded()
"""By the first word of what netstat prints."""

OF_SS: Mapping[bytes, State] = {
    b"ESTAB": State.ESTABLISHED,
    b"SYN-SENT": State.SYN_SENT,
    b"SYN-RECV": State.SYN_RECV,
    b"FIN-WAIT-1": State.FIN_WAIT1,
    b"FIN-WAIT-2": State.FIN_WAIT2,
    b"TIME-WAIT": State.TIME_WAIT,
    b"UNCONN": State.CLOSE,
    b"CLOSE-WAIT": State.CLOSE_WAIT,
    b"LAST-ACK": State.LAST_ACK,
    b"LISTEN": State.LISTEN,
    b"CLOSING": State.CLOSING,
}

OF_PROC: Mapping[bytes, State] = {b"%02X" % state: state for state in State} | {
    b"0C": State.SYN_RECV
}
"""0C is a request socket, which some kernels tell by its own number."""
