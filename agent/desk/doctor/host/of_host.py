"""What is told of the firewall, the agent and the machine. Pure."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.host.values import DRY_RUN, Room, Service
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.record.locks import Agent
from agent.record.phrases import counted, duration, printable

_NET_ADMIN = 12
_MISSED_CYCLES, _SPARE_S = 3, 5.0
_MOST_TOLD = 10
_MEBIBYTE = 1 << 20
_LEAST_BYTES, _LITTLE_BYTES = 64 * _MEBIBYTE, 1024 * _MEBIBYTE
_LITTLE_SHARE = 20
_NEVER = {"0", "0s", "0sec"}


def of_host(facts: Facts) -> Iterator[Finding]:
    """Tell of the firewall, the agent and the machine."""
    yield from _firewall(facts)
    yield from _agent(facts)
    yield from _policy(facts)
    yield from _journal(facts.host.service)
    yield from _clock(facts)
    yield from (_room(one, facts.host.service) for one in facts.host.rooms)


def _firewall(facts: Facts) -> Iterator[Finding]:
    fences = facts.host.fences
    told = ", ".join(fences.commands)
    yield _told(
        Topic.FIREWALL,
        "firewall",
        Grade.ADVICE if fences.beside else Grade.FINE,
        told or "none installed",
        (
            f"legacy iptables has rules in {', '.join(fences.legacy)}, which iptables here, of the "
            "other variant, does not show, and which hold all the same"
        )
        if fences.beside
        else "what can stop packets here",
        do=("iptables-legacy-save", "move those rules over, and flush them there")
        if fences.beside
        else (),
    )
    for fault in fences.saved[:_MOST_TOLD]:
        yield _told(Topic.FIREWALL, "saved rules", Grade.WRONG, "", fault)
    for name, what in (("saved rules", "saved rules"), ("verify", "firewall")):
        if what in facts.unread:
            yield _told(Topic.FIREWALL, name, Grade.UNKNOWN, "", facts.unread[what])
    # `verify` tells of saved files as well.
    faults = [one for one in fences.faults or () if one not in fences.saved]
    for fault in faults[:_MOST_TOLD]:
        do = ("abuse-agent verify",)
        yield _told(Topic.FIREWALL, "verify", _of_rules(facts), "", fault, do=do)
    if fences.faults is not None and not faults:
        yield _told(Topic.FIREWALL, "verify", Grade.FINE, "", "rules and sets are as they should")


def _of_rules(facts: Facts) -> Grade:
    """Without an agent, nothing has to be in force."""
    return Grade.WRONG if facts.host.service.running else Grade.ADVICE


def _agent(facts: Facts) -> Iterator[Finding]:
    service, agent = facts.host.service, facts.host.service.running
    if "agent" in facts.unread:
        yield _told(Topic.AGENT, "agent", Grade.UNKNOWN, "", facts.unread["agent"])
    elif agent is None:
        yield _told(
            Topic.AGENT,
            "agent",
            Grade.WRONG if service.is_enabled else Grade.FINE,
            "not running",
            "a boot starts it, and it does not run: nobody is banned"
            if service.is_enabled
            else "no agent runs, and no boot starts one",
            do=("systemctl status abuse-agent", "journalctl -u abuse-agent -n 50")
            if service.is_enabled
            else (),
        )
    else:
        yield _cycles(facts, agent)
        yield from _may(service, agent)


def _cycles(facts: Facts, agent: Agent) -> Finding:
    last = agent.cycled or agent.started
    late_s = (facts.now - last).total_seconds() if last else 0.0
    is_late = late_s > _MISSED_CYCLES * agent.every_s + _SPARE_S
    return _told(
        Topic.AGENT,
        "agent",
        Grade.WRONG if is_late else Grade.FINE,
        f"pid {agent.pid}, {agent.firewall}",
        f"it runs, and its last cycle was {duration(round(max(0.0, late_s)))} ago; one is due each "
        f"{duration(agent.every_s)}",
        do=("journalctl -u abuse-agent -n 50", "systemctl restart abuse-agent") if is_late else (),
    )


def _may(service: Service, agent: Agent) -> Iterator[Finding]:
    if service.capabilities is None or agent.firewall == DRY_RUN:
        return
    has = bool(service.capabilities >> _NET_ADMIN & 1)
    yield _told(
        Topic.AGENT,
        "capabilities",
        Grade.FINE if has else Grade.WRONG,
        f"{service.capabilities:x}",
        "it may change the firewall" if has else "it lacks CAP_NET_ADMIN, and can ban nobody",
        do=() if has else ("systemctl cat abuse-agent, where AmbientCapabilities has to name it",),
    )


def _policy(facts: Facts) -> Iterator[Finding]:
    found = facts.host.service.policy
    if found is None:
        if "policy" in facts.unread:
            yield _told(Topic.AGENT, "policy", Grade.UNKNOWN, "", facts.unread["policy"])
        return
    files = ", ".join(found.files)
    do = (f"abuse-agent check {' '.join(found.files)}",)
    if found.faults:
        says = f"it is wrong, and would keep an agent from starting: {found.faults[0]}"
        yield _told(Topic.AGENT, "policy", Grade.WRONG, files, says, do=do)
        return
    old = [one for one in found.warnings if one.kind == "range-file"]
    for one in old[:_MOST_TOLD]:
        yield _told(Topic.AGENT, "range file", Grade.ADVICE, "", one.problem, do=do)
    more = len(found.warnings) - len(old)
    says = "it is right" + (f"; check tells {counted(more, 'warning')}" if more else "")
    yield _told(Topic.AGENT, "policy", Grade.FINE, files, says, do=do if more else ())


def _journal(service: Service) -> Iterator[Finding]:
    if service.quiet_s is None or service.quiet_s in _NEVER:
        return
    yield _told(
        Topic.MACHINE,
        "journal",
        Grade.ADVICE,
        f"LogRateLimitIntervalSec={service.quiet_s}",
        "the journal may drop lines of the agent, bans among them",
        do=("systemctl edit abuse-agent: LogRateLimitIntervalSec=0 below [Service]",),
    )


def _clock(facts: Facts) -> Iterator[Finding]:
    is_set = facts.host.is_clock_set
    if is_set is None:
        why = facts.unread.get("clock", "the kernel does not tell")
        yield _told(Topic.MACHINE, "clock", Grade.UNKNOWN, "", why)
        return
    yield _told(
        Topic.MACHINE,
        "clock",
        Grade.FINE if is_set else Grade.ADVICE,
        "synchronised" if is_set else "not synchronised",
        "its times can be held against those of others"
        if is_set
        else "nothing sets this clock by others: times of bans and logs drift away from theirs, "
        "unless a hypervisor sets it behind the kernel's back",
        do=() if is_set else ("timedatectl", "apt-get install systemd-timesyncd, or chrony"),
    )


def _room(room: Room, service: Service) -> Finding:
    free = room.free_bytes
    if (room.read_only and service.is_installed) or (free < _LEAST_BYTES and not room.read_only):
        grade = Grade.WRONG
    elif free < _LITTLE_BYTES and free * _LITTLE_SHARE < room.total_bytes and not room.read_only:
        grade = Grade.ADVICE
    else:
        grade = Grade.FINE
    return _told(
        Topic.MACHINE,
        "disk",
        grade,
        f"{room.path}: {free // _MEBIBYTE} of {room.total_bytes // _MEBIBYTE} MiB free",
        "it can only be read"
        if room.read_only
        else "room for the ledger, the tape and the log"
        if grade is Grade.FINE
        else "when it is full the agent bans on, but forgets who was banned before",
        do=() if grade is Grade.FINE else (f"df -h {room.path}", "journalctl --disk-usage"),
    )


def _told(  # noqa: PLR0913 - a finding's own fields
    topic: Topic, name: str, grade: Grade, value: str, says: str, *, do: tuple[str, ...] = ()
) -> Finding:
    """Give a finding; paths, and what a policy says, are others' words."""
    return Finding(
        topic=topic,
        name=name,
        grade=grade,
        value=printable(value),
        says=printable(says),
        do=tuple(printable(one) for one in do),
    )
