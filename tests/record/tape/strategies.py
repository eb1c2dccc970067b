"""Frames as hypothesis makes them: whatever can be told of a moment."""

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from hypothesis import strategies as st

from agent.model.address import HOST, Address, Prefix, Width, grouper, pack
from agent.model.frame import Frame, Rest
from agent.model.inputs import Guard, Identities, Inputs, Queue, Standing, Surroundings
from agent.model.learned import Learned, Verified
from agent.model.sample import SOCKETS, Sample, State
from tests.builders import NOW

IPV6_STARTS = ("2001:db8::", "64:ff9b::", "64:ff9b:1::", "2001::", "fe80::", "2001:db8:0:7::", "::")
KEY_OF = grouper(HOST)

counts = st.integers(0, 2**31)
names = st.text(max_size=8)
ports = st.integers(0, 65535)
moments = st.integers(0, 10**9).map(lambda some: NOW + timedelta(microseconds=some))


@st.composite
def ipv6(draw: st.DrawFn) -> IPv6Address:
    start = int(IPv6Address(draw(st.sampled_from(IPV6_STARTS))))
    address = IPv6Address(start | draw(st.integers(0, 2**32 - 1)))
    zone = draw(st.integers(0, 2**32 - 1)) if address.is_link_local else 0
    return IPv6Address(f"{address}%{zone}") if zone else address


addresses: st.SearchStrategy[Address] = st.one_of(
    st.integers(0, 40).map(lambda some: IPv4Address(f"192.0.2.{some}")),
    st.ip_addresses(v=4),
    ipv6(),
)


def _network(address: Address, cut: int) -> Prefix:
    bits = address.max_prefixlen - cut % (address.max_prefixlen + 1)
    if isinstance(address, IPv6Address):
        return IPv6Network((address.packed, bits), strict=False)
    return ip_network((int(address), bits), strict=False)


prefixes = st.builds(_network, addresses, st.integers(0, 128))
rows = st.dictionaries(
    st.builds(
        lambda address, state, port: (pack(address)[0], int(state), port, pack(address)[1]),
        addresses,
        st.sampled_from(State),
        ports,
    ),
    counts,
    max_size=30,
)
guards = st.builds(
    Guard, prefix=prefixes, why=names, until=st.none() | moments, only_ssh=st.booleans()
)
surroundings = st.builds(
    Surroundings,
    guards=st.lists(guards, max_size=3).map(tuple),
    administrators=st.frozensets(addresses, max_size=3),
)
identities = st.builds(
    Identities,
    found=st.dictionaries(names, st.frozensets(prefixes, max_size=4), max_size=3),
    answered=st.frozensets(addresses, max_size=4),
    unread=st.frozensets(names, max_size=2),
)
verified = st.builds(
    Verified,
    entries=st.frozensets(names, max_size=2),
    at=moments,
    names=st.lists(names, max_size=2).map(tuple),
)
learned = st.builds(
    Learned,
    verified=st.dictionaries(addresses, verified, max_size=3),
    hosts=st.dictionaries(names, st.frozensets(prefixes, max_size=3), max_size=2),
    tried=names,
)
samples = st.builds(
    Sample,
    taken_at=st.just(NOW),
    sockets=counts,
    states=st.dictionaries(st.sampled_from(State), counts),
    listening=st.frozensets(ports, max_size=4),
    tallies=rows.map(lambda tally: {SOCKETS: tally}),
    others=st.dictionaries(st.tuples(st.sampled_from(State).map(int), ports), counts, max_size=4),
)
histograms = st.dictionaries(st.integers(1, 100), st.integers(1, 10**6), min_size=1, max_size=5)
rests = st.builds(
    Rest,
    width=st.builds(Width, ipv4=st.integers(16, 32), ipv6=st.integers(32, 128)),
    floor=counts,
    counts=st.dictionaries(st.tuples(names, names), histograms, max_size=3),
)
plain_inputs = st.builds(
    Inputs,
    sample=samples,
    counters=st.dictionaries(names, st.integers(0, 2**62), max_size=4),
    surroundings=surroundings,
    listeners=st.dictionaries(
        ports,
        st.builds(Queue, waiting=counts, backlog=counts, smallest=counts, full=counts),
        max_size=3,
    ),
    sysctls=st.dictionaries(names, st.integers(-(2**31), 2**31), max_size=3),
    identities=identities,
)


@st.composite
def frames(draw: st.DrawFn, at: datetime = NOW) -> Frame:
    """A frame with what its kept hosts have proven."""
    given = draw(plain_inputs)
    keys = sorted({KEY_OF(row[0], row[3]) for row in given.sample.tallies[SOCKETS]})
    some = st.frozensets(st.sampled_from(keys)) if keys else st.just(frozenset[bytes]())
    standing = Standing(
        proven=draw(some), known=draw(some), others=draw(counts), others_known=draw(counts)
    )
    seen = replace(given.sample, taken_at=at)
    return Frame(
        at=at,
        is_start=draw(st.booleans()),
        policy_sha256=draw(names),
        inputs=replace(given, sample=seen, standing=standing),
        learned=draw(learned),
        rest=tuple(draw(st.lists(rests, max_size=3))),
    )


@st.composite
def tapes(draw: st.DrawFn) -> list[Frame]:
    """Frames one after the other; much of one stays in the next."""
    made: list[Frame] = []
    for number in range(draw(st.integers(1, 5))):
        at = NOW + timedelta(microseconds=number * draw(st.integers(1, 10**7)))
        frame = draw(frames(at))
        if draw(st.booleans()) and made:
            last = made[-1]
            tally = {**last.inputs.sample.tallies[SOCKETS]}
            for row in list(tally)[:: draw(st.integers(1, 4))]:
                del tally[row]
            tally |= frame.inputs.sample.tallies[SOCKETS]
            seen = replace(frame.inputs.sample, tallies={SOCKETS: tally})
            kept = replace(last.inputs, sample=seen, standing=frame.inputs.standing)
            frame = replace(frame, inputs=kept, learned=last.learned)
        made.append(frame)
    return made
