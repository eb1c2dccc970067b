"""What a tape tells of a source, in words."""

from collections.abc import Iterator

from agent.desk.explain.values import Above, Taped
from agent.desk.explain.words import section, table
from agent.record.phrases import counted, moment_text


def tape_lines(told: Taped | None, why: str) -> Iterator[str]:
    """Write what happened over the tape.

    Args:
        told: That; None without a tape.
        why: There is none, or what of it could not be read; empty otherwise.
    """
    yield from section("over the tape", _told(told, why) if told else iter([why]))


def _told(told: Taped, why: str) -> Iterator[str]:
    if why:
        yield why
    if not (told.begins and told.ends):
        yield "nothing of that time can be read" if why else "nothing is recorded of that time"
        return
    span = f"from {moment_text(told.begins)} to {moment_text(told.ends)}"
    yield f"{counted(told.frames, 'moment')} {span}"
    yield f"whoever has {told.floor} sockets or fewer is kept only in a crowd"
    if not (told.first and told.last):
        yield "it is in none of them"
    else:
        first, last = moment_text(told.first), moment_text(told.last)
        yield f"it is in {told.seen} of them, first {first}, last {last}"
    rows = [
        (place, state.name, str(peak.count), moment_text(peak.at))
        for (place, state), peak in told.peaks.items()
    ]
    yield from table(("SERVICE", "STATE", "MOST", "AT"), rows)
    for name, above in told.above.items():
        yield _above(name, above)


def _above(name: str, above: Above) -> str:
    span = f"first {moment_text(above.first)}, last {moment_text(above.last)}"
    cycles = counted(above.cycles, "moment")
    return f"{name}: above today's limit in {cycles}, {span}, at most {above.most.count}"
