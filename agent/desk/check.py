"""Is a policy right, and what of it will surprise? With everything that `check` shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from agent.errors import Fault, MissingFileError, PolicyError
from agent.identify.range_files import range_cautions
from agent.model.caution import Caution, Warned
from agent.model.policy import Policy
from agent.policy import PolicyText, parse_policy, policy_cautions, read_files, spots_of

Look: TypeAlias = Callable[[Policy, datetime], Iterator[Caution]]

LOOKS: tuple[Look, ...] = (policy_cautions, range_cautions)
"""Each tells, at a moment, what of a right policy will surprise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of one policy.

    Attributes:
        policy: None when it is wrong.
        faults: What is wrong, in the order of the files.
        warnings: What will surprise, in the same order; none of a wrong policy.
        files: Those that were named, as far as they could be read.
        texts: By file, what is in it.
        is_missing: Whether nothing is wrong but paths that do not exist.
    """

    policy: Policy | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Warned, ...] = ()
    files: tuple[str, ...]
    texts: dict[str, PolicyText]
    is_missing: bool = False


def checked(paths: Sequence[str], now: datetime, looks: Sequence[Look] = LOOKS) -> Checked:
    """Read the files and folders that make one policy, and look at it.

    Args:
        paths: Of the one policy.
        now: For entries that end and lists that grow old.
        looks: What tells of that which will surprise.
    """
    read = read_files(paths)
    texts = {one.file: one for one in read if isinstance(one, PolicyText)}
    files = tuple(dict.fromkeys(one.file for one in read))
    try:
        policy = parse_policy(read)
    except PolicyError as error:
        is_missing = isinstance(error, MissingFileError)
        return Checked(faults=error.faults, files=files, texts=texts, is_missing=is_missing)
    spots = spots_of(tuple(texts.values()))
    found = {spots.warned(caution) for look in looks for caution in look(policy, now)}
    order = {file: number for number, file in enumerate(files)}
    warnings = sorted(found, key=lambda one: (order.get(one.file, 0), one))
    return Checked(policy=policy, warnings=tuple(warnings), files=files, texts=texts)
