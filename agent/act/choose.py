"""Which firewall a live run uses."""

from collections.abc import Iterator
from contextlib import suppress

from agent.act.command import find, run
from agent.act.interface import Firewall
from agent.errors import FirewallError


def open_firewall(choice: str) -> Firewall:
    """Give the firewall of that name; ``auto`` takes what fits this machine.

    That is iptables where the command is the legacy variant and ipset is there: rules of
    two kinds on one machine would confuse its operator. Everywhere else it is native
    nftables, or iptables where nft is not installed.

    Args:
        choice: ``auto``, ``iptables`` or ``nftables``.

    Raises:
        FirewallError: It is not there.
        PrivilegeError: This process may not use it.
    """
    name = _fitting() if choice == "auto" else choice
    if name == "iptables":
        from agent.act.iptables.firewall import Iptables  # noqa: PLC0415 - only what is used is loaded

        return Iptables()
    from agent.act.nftables.firewall import Nftables  # noqa: PLC0415 - ditto

    return Nftables()


def teardown_everywhere() -> tuple[str, ...]:
    """Remove what is ours from every firewall of this machine.

    Returns:
        What was removed, with the firewall's name first.

    Raises:
        FirewallError: Something of ours is still there; in the others nothing is.
    """
    removed: list[str] = []
    failures: list[FirewallError] = []
    for name in _names_here():
        try:
            removed += (f"{name}: {one}" for one in open_firewall(name).teardown())
        except FirewallError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return tuple(removed)


def firewalls_here() -> Iterator[Firewall]:
    """Give every firewall that something of ours may be in, whichever is in use now.

    One that does not work, or not for this process, is left out: nothing of ours is seen in it.
    """
    for name in _names_here():
        try:
            firewall = open_firewall(name)
        except FirewallError:
            continue
        yield firewall


def _names_here() -> Iterator[str]:
    if find("iptables") and find("ipset"):
        yield "iptables"
    if find("nft"):
        yield "nftables"


def leave_others(used: Firewall) -> tuple[str, ...]:
    """Remove what is ours from the firewalls that are not in use any more.

    Else bans would stay in them that nobody looks after, lifts or tells of. A firewall that
    is not in use and does not work must not keep the one in use from its work.

    Returns:
        What was removed, with the firewall's name first.
    """
    removed: list[str] = []
    for other in firewalls_here():
        if other.name != used.name:
            with suppress(FirewallError):
                removed += (f"{other.name}: {one}" for one in other.teardown())
    return tuple(removed)


def _fitting() -> str:
    has_iptables = bool(find("iptables") and find("ipset"))
    if has_iptables and "legacy" in run("iptables", "--version"):
        return "iptables"
    if find("nft"):
        return "nftables"
    if has_iptables:
        return "iptables"
    raise FirewallError("no firewall here: install nftables, or iptables and ipset")
