"""Where people are logged in from. Whoever reads this must not be locked out.

logind's files come first: where utmp is gone (systemd 255 and later), psutil finds
nobody. Our own environment tells of a session that neither knows, unless sudo has
stripped it.

Source: sd-login(3), utmp(5), ssh(1) (SSH_CONNECTION).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from agent.observe.found import Found, address_of, lines_of

_FOLDER = Path("run/systemd/sessions")
_MOST_SESSIONS = 1_000


def read_sessions(root: Path, environ: Mapping[str, str]) -> Iterator[Found]:
    """Find the remote ends of sessions; a host name in place of an address is skipped."""
    texts = [*_logind(root), *_environment(environ), *_utmp()]
    for text, why in texts:
        if address := address_of(text):
            yield address, f"session ({why})"


def _logind(root: Path) -> Iterator[tuple[str, str]]:
    try:
        names = (file for file in (root / _FOLDER).iterdir() if file.suffix != ".ref")
        files = sorted(islice(names, _MOST_SESSIONS))
    except OSError:
        return
    for file in files:
        pairs = (line.partition("=") for line in lines_of(file))
        session = {key: value for key, _, value in pairs}
        if session.get("STATE") != "closing":
            yield session.get("REMOTE_HOST", ""), f"/{_FOLDER}"


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield environ.get("SSH_CONNECTION", "").partition(" ")[0], "$SSH_CONNECTION"


def _utmp() -> list[tuple[str, str]]:
    import psutil  # noqa: PLC0415 - 12 MB that a command without guards does without

    try:
        return [(user.host or "", "utmp") for user in psutil.users()]
    except (OSError, RuntimeError, ValueError):
        return []
