"""Which sockets a view asks for. Pure."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from agent.decide.nearest import Counted, Crowd
from agent.desk.top.values import View
from agent.model.address import holder
from agent.model.policy import Policy
from agent.model.sample import Tally

PORT = "port "
"""How a port of no service is called, with its number."""

_LAST_PORT = 65_535

Names: TypeAlias = Mapping[int, tuple[str, ...]]
"""The services of each port that any has."""


def names_of(policy: Policy | None) -> Names:
    """Give the names of the services of each port that any has."""
    names: dict[int, tuple[str, ...]] = {}
    for service in policy.services if policy else ():
        for port in service.ports:
            names[port] = (*names.get(port, ()), service.name)
    return names


def called(port: int, names: Names) -> tuple[str, ...]:
    """Give what a port is called: its services, else by its number."""
    return names.get(port) or (f"{PORT}{port}",)


def service_of(text: str, policy: Policy | None) -> str | None:
    """Read what a view may ask for, as a person writes it; None where nothing is called so.

    Args:
        text: A service's name, ``port 8443``, or the number alone; empty for all.
        policy: Whose services.
    """
    if not text or any(text == one.name for one in (policy.services if policy else ())):
        return text
    number = text.removeprefix(PORT)
    is_port = number.isascii() and number.isdecimal() and 0 < int(number[:6]) <= _LAST_PORT
    return f"{PORT}{int(number)}" if is_port else None


def ports_of(service: str, policy: Policy | None) -> frozenset[int]:
    """Give the ports of a service, or of ``port 8443``; none where nothing is called so."""
    number = service.removeprefix(PORT)
    if number != service and number.isdecimal():
        return frozenset({int(number)})
    services = policy.services if policy else ()
    return frozenset(port for one in services if one.name == service for port in one.ports)


def wanted(view: View, policy: Policy | None) -> Callable[[Counted], bool] | None:
    """Give what tells whether a view asks for an item of a tally; None when it asks for all."""
    states = frozenset(map(int, view.states)) or None
    ports = ports_of(view.service, policy) if view.service else None
    holds = holder(view.prefix) if view.prefix is not None else None
    if states is None and ports is None and holds is None:
        return None

    def is_wanted(item: Counted) -> bool:
        (family, state, port, packed), _ = item
        return (
            (states is None or state in states)
            and (ports is None or port in ports)
            and (holds is None or holds(family, packed))
        )

    return is_wanted


def sockets_of(crowd: Crowd, is_wanted: Callable[[Counted], bool] | None) -> dict[bytes, int]:
    """Count what is asked for of each source that has any of it."""
    if is_wanted is None:
        return {
            key: items[0][1] if len(items) == 1 else sum([number for _, number in items])
            for key, items in crowd.items()
        }
    counts: dict[bytes, int] = {}
    for key, items in crowd.items():
        count = sum([item[1] for item in items if is_wanted(item)])
        if count:
            counts[key] = count
    return counts


def services_of(policy: Policy | None, tally: Tally, names: Names) -> tuple[str, ...]:
    """Give the names to filter by: the policy's services, then ports of none that are in use."""
    ports = {port for _, _, port, _ in tally}
    others = (f"{PORT}{port}" for port in sorted(ports) if port not in names)
    return (*(service.name for service in (policy.services if policy else ())), *others)
