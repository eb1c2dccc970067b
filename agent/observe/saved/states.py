"""The names of TCP states, as netstat in every language, ss and /proc write them.

A translated name stands here in the character sets that a terminal of that
language may have. What netstat calls CONNECTED, or a translation of it, is a UNIX
socket; a name that is not listed, as ``UNKNOWN``, is not read.

Source: the catalogs of Debian's net-tools 2.10 (cs, de, et, fr, ja, pt_BR; all
other languages have the English names); misc/ss.c of iproute2 6.1;
include/net/tcp_states.h.
"""

from collections.abc import Iterable, Mapping

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

_CHARACTER_SETS = ("utf-8", "iso-8859-1", "iso-8859-2", "euc-jp")


def encoded(texts: Iterable[str]) -> dict[bytes, str]:
    """Give each text in each character set that has its letters and that a terminal may have."""
    found = {}
    for text in texts:
        for character_set in _CHARACTER_SETS:
            try:
                found[text.encode(character_set)] = text
            except UnicodeEncodeError:
                continue
    return found


OF_NETSTAT: Mapping[bytes, int] = {state.name.encode(): int(state) for state in State} | {
    name: int(_TRANSLATED[text]) for name, text in encoded(_TRANSLATED).items()
}
"""The numbers of states by the first word of what netstat prints."""

_OF_SS = {
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

OF_SS: Mapping[bytes, int] = {name: int(state) for name, state in _OF_SS.items()}
OF_PROC: Mapping[bytes, int] = {b"%02X" % state: int(state) for state in State} | {
    b"0C": int(State.SYN_RECV)
}
"""0C is a request socket, which some kernels tell by its own number."""
