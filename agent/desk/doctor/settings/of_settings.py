"""What is told of the settings in force, and of the files that set them at boot. Pure."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.settings.table import GONE, SETTINGS
from agent.desk.doctor.settings.values import Ill, Setting
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.observe.written import Written
from agent.record.phrases import printable

_MOST_LINES = 20
_SHOWN = 60


def of_settings(facts: Facts) -> Iterator[Finding]:
    """Tell of each setting that exists here, and of lines that a boot stumbles over."""
    if not facts.settings:
        yield Finding(
            topic=Topic.SETTINGS,
            name="settings",
            grade=Grade.UNKNOWN,
            value="",
            says="no setting below /proc/sys/net can be read",
            do=("run it on the machine itself; some containers hide them",),
        )
        return
    for one in SETTINGS:
        value = facts.settings.get(one.name)
        if value is not None:
            yield _finding(one, _words(value), _ill(facts, one, value))
    told = (found for line in _last(facts) if (found := _of_line(facts, line)))
    yield from (found for found, _ in zip(told, range(_MOST_LINES), strict=False))


def _ill(facts: Facts, setting: Setting, value: str) -> Ill | None:
    numbers = tuple(int(one) for one in value.split() if one.isascii() and one.isdecimal())
    if len(numbers) != setting.numbers:
        return None
    found = (judge(facts, numbers) for judge in setting.judges)
    return next((one for one in found if one is not None), None)


def _finding(setting: Setting, value: str, ill: Ill | None) -> Finding:
    return Finding(
        topic=Topic.SETTINGS,
        name=setting.name,
        grade=ill.grade if ill else Grade.FINE,
        value=printable(value)[:_SHOWN],
        says=ill.says if ill else f"{setting.does}. The kernel's own: {setting.default}",
        why=f"{setting.does[0].upper()}{setting.does[1:]}. The kernel's own: {setting.default}. "
        f"Tutorials: {setting.tutorials}"
        if ill
        else f"Tutorials: {setting.tutorials}",
        do=(f"sysctl -w {setting.name}={ill.to}",) if ill and ill.to else (),
    )


def _last(facts: Facts) -> list[Written]:
    """Give of each setting the line that holds: the last one."""
    return list({one.name: one for one in facts.written}.values())


def _of_line(facts: Facts, line: Written) -> Finding | None:
    """Tell of a line that is about nothing, or says something else than is in force."""
    place = printable(f"{line.file}:{line.line}")
    now = facts.settings.get(line.name)
    if now is None:
        why = GONE.get(line.name) or (
            "that is its name of old: today it begins with net.netfilter.nf_conntrack"
            if ".ip_conntrack_" in line.name
            else ""
        )
        if not why:
            return None
        says, do = f"this kernel has no such setting: {why}", f"take the line out of {place}"
    elif _words(now) == line.value:
        return None
    else:
        wanted, shown = printable(line.value)[:_SHOWN], printable(_words(now))[:_SHOWN]
        says = f"the file says {wanted}, and {shown} is in force: the next boot changes it"
        says += _harm(facts, line)
        do = f"have {place} say what you want, then: sysctl --system"
    return Finding(
        topic=Topic.SETTINGS,
        name=f"{place} {line.name}",
        grade=Grade.ADVICE,
        value=printable(line.value)[:_SHOWN],
        says=says,
        do=(do,),
    )


def _harm(facts: Facts, line: Written) -> str:
    """Say what speaks against a value that is not in force yet."""
    setting = next((one for one in SETTINGS if one.name == line.name), None)
    ill = _ill(facts, setting, line.value) if setting else None
    return f". Then {ill.says}" if ill else ""


def _words(value: str) -> str:
    return " ".join(value.split())
