"""What CSF's configuration says of connections, as rules. Pure.

Source: csf.conf, readme.txt, and connectiontracking in lfd.pl of CSF 14 and 15.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from agent.desk.imports.common import (
    HALF_OPEN_ONLY,
    HALF_OPEN_OUT,
    SSH_APART,
    WHOLE,
    crowd,
)
from agent.desk.imports.draft import Head, Limit
from agent.desk.imports.notes import Notes
from agent.desk.imports.numbers import interval, lasting, limit, ports
from agent.desk.imports.reader import Reader, Setting
from agent.desk.imports.source import Source
from agent.desk.imports.states import COUNTED, states_of
from agent.desk.imports.write import length
from agent.model.policy import SSH, SSH_PORT, Scope
from agent.policy.fields import LONGEST, MOST_PORTS
from agent.policy.words import listed, shown

INTERVAL_S, BLOCK_S, PERMBLOCK_S = 30, 1800, 86_400
"""What holds where the file does not say."""

_VALUE = re.compile(r'[^"]*"(.*)"[^"]*')
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_MOST_SETTINGS = 2_000
_DAY_S = 86_400
_YEAR_S = 365 * _DAY_S
_NETWORK_BITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What becomes of connection tracking.

    Attributes:
        head: None where it is off.
        services: By name, their ports.
        rules: None where it is off.
    """

    head: Head | None = None
    services: dict[str, tuple[range, ...]] = field(default_factory=dict)
    rules: tuple[Limit, ...] = ()


def settings_of(source: Source, notes: Notes) -> dict[str, Setting]:
    """Read the settings of csf.conf, as csf does; of several of one name the last holds."""
    found: dict[str, Setting] = {}
    for spot, line in source.lines():
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        key, equals, rest = said.partition("=")
        name, value = "".join(key.split()), _VALUE.fullmatch(rest)
        if not equals or value is None or not _NAME.fullmatch(name):
            notes.add(spot, shown(said), 'no setting as KEY = "value"')
        elif name in found or len(found) < _MOST_SETTINGS:
            if earlier := found.get(name):
                notes.add(earlier.spot, name, f"set again in line {spot.line}")
            found[name] = Setting(value=value[1], spot=spot)
        else:
            notes.add(spot, name, f"more than {_MOST_SETTINGS} settings")
    return found


def limits_of(reader: Reader) -> Limits:
    """Give the rules that connection tracking becomes, and what they need."""
    count, said = reader.number("CT_LIMIT", 0)
    if count == 0:
        for key in [key for key in reader.settings if key.startswith(("CT_", "LF_PERMBLOCK"))]:
            reader.tell(key, "no rule needs it: CT_LIMIT is 0, connections are not counted there")
        return Limits()
    every_s, every_said = reader.number("CT_INTERVAL", INTERVAL_S, least=1)
    block_s, block_said = reader.number("CT_BLOCK_TIME", BLOCK_S, least=1)
    lasts = lasting(block_s)
    escalate, escalate_said = _escalate(reader, lasts)
    states, states_said = _states(reader)
    services, ports_said = _services(reader)
    head = Head(
        every=interval(every_s),
        every_from=f"{every_said}; 5s costs milliseconds here",
        escalate=escalate,
        escalate_from=escalate_said,
    )
    comment = (f"{said}: a ban above it.", *ports_said, block_said, *states_said, *crowd(count))
    shared = _Shared(states=states, lasts=lasts)
    rules = [*shared.rules(services, "", count, comment), *_of_subnets(reader, shared, services)]
    return Limits(head=head, services=services, rules=tuple(rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What all rules have in common."""

    states: tuple[str, ...]
    lasts: timedelta

    def rules(
        self,
        services: dict[str, tuple[range, ...]],
        suffix: str,
        count: int,
        comment: tuple[str, ...],
        bits: int = 32,
    ) -> list[Limit]:
        """Give a rule for each service; the comment stands above the first one."""
        names = [name for name in services if name != SSH] + [SSH] * (SSH in services)
        return [
            Limit(
                name=f"{'ssh-' if name == SSH else ''}connections{suffix}",
                service=name,
                comment=(SSH_APART,) if at else comment,
                states=self.states,
                above=limit(count),
                lasts=self.lasts,
                network_bits=bits,
                scope=Scope.SERVICE if name == SSH else Scope.HOST,
            )
            for at, name in enumerate(names)
        ]


def _of_subnets(
    reader: Reader, shared: _Shared, services: dict[str, tuple[range, ...]]
) -> list[Limit]:
    """Give the rules for whole networks, where there is a limit for them."""
    count, said = reader.number("CT_SUBNET_LIMIT", 0)
    if count == 0:
        reader.tell("CT_SUBNET_LIMIT", "off there")
        return []
    comment = (
        f"{said}: a ban above it of the network, with everybody in it who is not listed.",
        "Add members: 8, so that a single busy host is judged by the other rules alone.",
    )
    return shared.rules(services, "-of-networks", count, comment, _NETWORK_BITS)


def _states(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the states that the rules sum, and what the comment says of them."""
    text, said = reader.text("CT_STATES"), reader.said("CT_STATES")
    skips = reader.text("CT_SKIP_TIME_WAIT") not in {"", "0"}
    skipped = (reader.said("CT_SKIP_TIME_WAIT"),) if skips else ()
    states, half_open, others = states_of(text)
    left = f"; no rule counts {listed(map(shown, others[:5]))}" if others else ""
    states = tuple(one for one in states if not (skips and one == "TIME_WAIT"))
    if states:
        return states, (f"{said}{f'; {HALF_OPEN_OUT}' if half_open else ''}{left}", *skipped)
    if half_open:
        return (), (f"{said}: {HALF_OPEN_ONLY}{left}",)
    usual = tuple(one for one in COUNTED if not (skips and one == "TIME_WAIT"))
    return usual, (*((f"{said}: none that a rule can sum{left}",) if text else ()), *skipped)


def _services(reader: Reader) -> tuple[dict[str, tuple[range, ...]], tuple[str, ...]]:
    """Give what is watched: some ports, or all; ssh apart."""
    text = reader.text("CT_PORTS")
    found = {one.start for one in map(ports, text.split(",")) if one and len(one) == 1}
    for word in [one for one in text.split(",") if one.strip()]:
        if (one := ports(word)) is None or len(one) != 1:
            reader.notes.add(reader.settings["CT_PORTS"].spot, shown(word), "no port")
    if not found:
        return dict(WHOLE), ()
    runs = _runs(sorted(found - {SSH_PORT}))
    if more := runs[MOST_PORTS:]:
        spot = reader.settings["CT_PORTS"].spot
        reader.notes.add(spot, f"from {more[0][0]} on", f"a service has at most {MOST_PORTS} ports")
    services: dict[str, tuple[range, ...]] = {}
    if SSH_PORT in found:
        services[SSH] = WHOLE[SSH]
    if runs:
        services["tracked-ports"] = tuple(runs[:MOST_PORTS])
    return services, (reader.said("CT_PORTS"),)


def _runs(numbers: list[int]) -> list[range]:
    """Join neighbours."""
    runs: list[range] = []
    for one in numbers:
        if runs and runs[-1].stop == one:
            runs[-1] = range(runs[-1].start, one + 1)
        else:
            runs.append(range(one, one + 1))
    return runs


def _escalate(reader: Reader, lasts: timedelta) -> tuple[str, str]:
    """Give how later bans grow, in place of blocks that never end."""
    perm_s, _ = reader.number("LF_PERMBLOCK_INTERVAL", PERMBLOCK_S, least=1)
    for key in ("LF_PERMBLOCK_COUNT", "LF_PERMBLOCK_ALERT"):
        reader.tell(key, "escalate counts every earlier ban, and no mail is sent")
    is_permblock = reader.text("LF_PERMBLOCK") not in {"", "0"}
    if reader.text("CT_PERMANENT") not in {"", "0"}:
        said = f"{reader.said('CT_PERMANENT')}: every ban ends here; these grow fast"
        return f"{{times: 10, up_to: {LONGEST}, within: 365d}}", said
    if is_permblock:
        up_to = length(max(lasts, timedelta(seconds=_DAY_S)))
        within = length(timedelta(seconds=min(max(perm_s, 60), _YEAR_S)))
        said = f"{reader.said('LF_PERMBLOCK')}: for ever after some; here each is twice as long"
        return f"{{times: 2, up_to: {up_to}, within: {within}}}", said
    return "none", "every block there is as long"
