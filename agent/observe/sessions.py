"""Where people are logged in from. Whoever reads this must not be locked out.

logind's files come first: where utmp is gone (systemd 255 and later), psutil finds
nobody. Our own environment tells of a session that neither knows, unless sudo has
stripped it.

Source: sd-login(3), utmp(5), ssh(1) (SSH_CONNECTION).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from agent.model.address import Address
from agent.model.policy import Administrators
from agent.observe.accounts import Accounts, is_number, read_administrators
from agent.observe.found import address_of, lines_of

FOLDER = Path("run/systemd/sessions")
MOST_SESSIONS = 8_192
"""As many as logind keeps, so that nobody's can be hidden behind others.

Source: logind.conf(5) (SessionsMax).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The far end of a session.

    Attributes:
        address: Where it is.
        why: That it is a session, and where it was found.
        is_administrators: Whether somebody who administers this machine is there.
    """

    address: Address
    why: str
    is_administrators: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    """What some record tells: the far end in its words, the user's name and number."""

    host: str
    where: str
    user: str = ""
    number: int | None = None


def read_sessions(
    root: Path, environ: Mapping[str, str], administrators: Administrators
) -> Iterator[Session]:
    """Find the far ends of sessions; a host name in place of an address is skipped."""
    logins = islice(chain(_environment(environ), _logind(root), _utmp()), MOST_SESSIONS)
    remote = [(address, login) for login in logins if (address := address_of(login.host))]
    # Most machines have nobody logged in at most times.
    known = read_administrators(root, administrators) if remote else None
    for address, login in remote:
        is_ours = known is not None and _is_among(login, known)
        whose = "session of an administrator" if is_ours else "session"
        yield Session(address=address, why=f"{whose} ({login.where})", is_administrators=is_ours)


def _is_among(login: _Login, known: Accounts) -> bool:
    return login.user in known.names or login.number in known.numbers


def _environment(environ: Mapping[str, str]) -> Iterable[_Login]:
    """Give the session that this agent was started from: whoever may start it is root's equal."""
    host = environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return [_Login(host=host, where="$SSH_CONNECTION", number=0)] if host else []


def _logind(root: Path) -> Iterator[_Login]:
    try:
        names = (file for file in (root / FOLDER).iterdir() if file.suffix != ".ref")
        files = sorted(islice(names, MOST_SESSIONS))
    except OSError:
        return
    for file in files:
        pairs = (line.partition("=") for line in lines_of(file))
        session = {key: value for key, _, value in pairs}
        if session.get("STATE") != "closing":
            number = session.get("UID", "")
            yield _Login(
                host=session.get("REMOTE_HOST", ""),
                where=f"/{FOLDER}",
                user=session.get("USER", ""),
                number=int(number) if is_number(number) else None,
            )


def _utmp() -> Iterator[_Login]:
    import psutil  # noqa: PLC0415 - 12 MB that a command without guards does without

    try:
        users = psutil.users()
    except (OSError, RuntimeError, ValueError):
        return
    for user in users:
        yield _Login(host=user.host or "", where="utmp", user=user.name or "")
