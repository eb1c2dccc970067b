"""What peers that count connections have in common: all ports, honest crowds, what differs."""

from agent.model.policy import SSH, SSH_PORT

REST = "all-but-ssh"
"""Bans of the host by a rule about port 22 would close ssh too, so it is a service of its own."""

LAST_PORT = 65_535

WHOLE = {
    SSH: (range(SSH_PORT, SSH_PORT + 1),),
    REST: (range(1, SSH_PORT), range(SSH_PORT + 1, LAST_PORT + 1)),
}
"""All ports, for peers that count them together."""

COMMON = (
    "There one look bans. Here a source has to stay above its limit.",
    "SYN_RECV never adds to a ban here: a forged packet would ban an innocent source.",
    "An IPv6 source is a /64, one customer's line, and not an address.",
    (
        "Its bans close ssh too. Here ssh stays open but for ssh-connections; if sshd listens on "
        "another port than 22, change the services."
    ),
    "Own addresses, gateways, resolvers and the far ends of ssh sessions are guarded anyway.",
)
"""What differs, a sentence each."""

SSH_APART = "The same for ssh, apart, so that a ban for anything else leaves ssh open."
HALF_OPEN_OUT = "SYN_RECV is left out: it proves nothing"
HALF_OPEN_ONLY = "half-open connections are slowed down, never banned for"

_CROWD = 300
_OF_A_BROWSER = 6
_LIST_OR_OBSERVE = (
    "List offices under allowlist, or write mode: observe until you have seen in the log whom it "
    "hits."
)


def crowd(count: int) -> tuple[str, ...]:
    """Warn of a limit that honest people pass together; nothing where they do not."""
    if count >= _CROWD:
        return ()
    people = max(1, count // _OF_A_BROWSER)
    hold = f"{people} people behind one address hold {count} connections"
    return (f"Low: {hold}, {_OF_A_BROWSER} to a browser. {_LIST_OR_OBSERVE}",)
