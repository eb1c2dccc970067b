"""Which capabilities this process has. Source: proc_pid_status(5), capabilities(7)."""

from pathlib import Path

from agent.errors import PrivilegeError

_BITS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}


def demand(*capabilities: str, status: Path = Path("/proc/self/status")) -> None:
    """Pass when this process has all of them.

    Raises:
        PrivilegeError: It has not; the text names those that are missing.
    """
    held = _effective(status.read_text())
    missing = [name for name in capabilities if not held >> _BITS[name] & 1]
    if missing:
        raise PrivilegeError(
            f"this needs {' and '.join(missing)}: run it as root, or as the service's user"
        )


def _effective(status: str) -> int:
    return int(status.partition("CapEff:")[2].split()[0], 16)
