"""A peer and where its files are -> a policy that is right."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.desk.imports.csf_files import read_csf
from agent.desk.imports.deflate_files import read_deflate
from agent.desk.imports.draft import Draft
from agent.desk.imports.fail2ban_files import read_fail2ban
from agent.desk.imports.write import Written, write
from agent.errors import Fault, PolicyError
from agent.identify.ranges import parse_ranges
from agent.policy import PolicyText, parse_policy
from agent.policy.files import LARGEST_BYTES

PEERS: Mapping[str, Callable[[Sequence[Path]], Draft]] = {
    "ddos-deflate": read_deflate,
    "csf": read_csf,
    "fail2ban": read_fail2ban,
}
"""By name, what reads its files: those of these paths, or of the usual places."""

_STEM = "imported"


def imported(peer: str, paths: Sequence[Path], output: Path | None) -> Written:
    """Read a peer's files as a policy.

    Args:
        peer: One of `PEERS`.
        paths: Its folders or files; empty for the usual places.
        output: The file that it will be written to, for the names of range files beside it.

    Raises:
        InputError: There is nothing to read.
        UnreadableError: It can't be read as that peer's.
    """
    written = write(PEERS[peer](paths), output.stem if output else _STEM)
    _prove(written)
    return written


def _prove(written: Written) -> None:
    """See to it that what was written is right: it is a bug of ours if not."""
    raw = written.text.encode()
    try:
        parse_policy((PolicyText(file="the policy", folder="/", raw=raw),))
    except PolicyError as error:
        raise RuntimeError(f"the policy that was written is wrong: {error}") from error
    found = (parse_ranges(text.encode(), name) for name, text in written.ranges.items())
    wrong = next((str(one) for one in found if isinstance(one, Fault)), "")
    if len(raw) > LARGEST_BYTES:
        wrong = f"{len(raw)} bytes are more than a policy has"
    if wrong:
        raise RuntimeError(f"what was written is wrong: {wrong}")
