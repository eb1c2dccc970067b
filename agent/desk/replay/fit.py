"""Whether a tape keeps enough to judge by a policy. What it left out is never guessed at."""

from collections.abc import Iterator

from agent.errors import Fault, PolicyError
from agent.model.address import HOST, Width
from agent.model.frame import Frame, Rest
from agent.model.policy import Policy, Rule


def demand_fit(policy: Policy, frame: Frame) -> None:
    """See to it that whoever may be above a limit of the policy is in the frame.

    Raises:
        PolicyError: Some rule counts what the frame does not keep; it tells all such rules.
    """
    faults = tuple(_misfits(policy, frame)) if frame.rest else ()
    if faults:
        raise PolicyError(faults)


def fits(policy: Policy, frame: Frame) -> bool:
    """Whether whoever may be above a limit of the policy is in the frame."""
    return not frame.rest or not any(_misfits(policy, frame))


def _misfits(policy: Policy, frame: Frame) -> Iterator[Fault]:
    for rule in policy.rules:
        fitting = [one for one in frame.rest if _holds(one.width, rule.per)]
        if any(one.floor <= rule.limit for one in fitting):
            continue
        file, _, line = rule.declared_at.rpartition(":")
        is_own = policy.sha256 == frame.policy_sha256
        why = _crowded(frame, fitting) if fitting and is_own else _why(rule, fitting, frame)
        yield Fault(file=file, line=int(line), column=1, path=rule.name, problem=why)


def _holds(recorded: Width, wanted: Width) -> bool:
    """Whether sources of a recorded width hold those of the wanted one.

    Whoever is above a limit has its whole wider source above it, and that is kept with all
    its members.
    """
    return recorded.ipv4 <= wanted.ipv4 and recorded.ipv6 <= wanted.ipv6


def _crowded(frame: Frame, fitting: list[Rest]) -> str:
    """Tell of a floor that rose: for its own policy a tape has no other that is too high."""
    at, floor = f"{frame.at:%Y-%m-%d %H:%M:%S}Z", min(one.floor for one in fitting)
    return (
        f"at {at} more sources were here than a moment on the tape has room for, and those with "
        f"{floor} or fewer sockets were not kept one by one; leave that moment out by --since "
        "or --until"
    )


def _why(rule: Rule, fitting: list[Rest], frame: Frame) -> str:
    at = f"{frame.at:%Y-%m-%d %H:%M:%S}Z"
    if not fitting:
        return (
            f"it counts per {rule.per}, and at {at} the tape kept no sources of that width: "
            "have it recorded first, by a rule of that width with mode: observe"
        )
    floor = min(one.floor for one in fitting)
    key = "floor" if rule.per == HOST else "prefix_floor"
    return (
        f"its limit {rule.limit} lies below the tape's floor: at {at} sources with {floor} or "
        f"fewer sockets were not kept one by one; set {key}: {rule.limit} under tape: in the "
        "policy that the agent runs with, and try again when enough is recorded"
    )
