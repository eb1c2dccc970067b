"""What a source holds at one moment. Pure."""

from collections import Counter

from agent.desk.explain.values import Counts
from agent.model.address import Prefix, holder
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Sample, State


def counts_of(sample: Sample, prefix: Prefix, policy: Policy) -> Counts:
    """Count the sockets of a prefix by service and state, most first within a service.

    A port of several services counts for each, as it does for their rules.
    """
    services: dict[int, list[str]] = {}
    for service in policy.services:
        for port in service.ports:
            services.setdefault(port, []).append(service.name)
    holds, counts = holder(prefix), Counter[tuple[str, State]]()
    for (family, state, port, packed), count in sample.tallies.get(SOCKETS, {}).items():
        if holds(family, packed):
            for name in services.get(port, [f"port {port}"]):
                counts[name, State(state)] += count
    order = {service.name: index for index, service in enumerate(policy.services)}
    return dict(
        sorted(counts.items(), key=lambda one: (order.get(one[0][0], len(order)), -one[1], one[0]))
    )
