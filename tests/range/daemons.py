"""Other people's programs inside a namespace: nginx, dnsmasq, and the tools of attackers."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.range.hosts import eventually
from tests.range.namespaces import in_namespace

_LEAVE_S = 5.0
_TOLD_BYTES = 2_000

_NGINX = """\
daemon off;
master_process off;
user root;
pid {folder}/nginx.pid;
worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 300s;
  keepalive_requests 1000000;
  server {{
{listen}
    root {folder}/pages;
  }}
}}
"""


class Daemon:
    """A program of somebody else, which runs until this is closed.

    Attributes:
        process: Its process.
    """

    def __init__(self, namespace: str, words: Sequence[str], told: Path) -> None:
        self._told = told
        with told.open("w") as output, in_namespace(namespace):
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def told(self) -> str:
        """Give the end of what it has printed by now."""
        return self._told.read_text(errors="replace")[-_TOLD_BYTES:]

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(timeout=_LEAVE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()


def started(namespace: str, words: Sequence[str], told: Path) -> Daemon:
    """Start a program in a namespace; what it prints goes into a file.

    Raises:
        FileNotFoundError: There is no such program.
    """
    return Daemon(namespace, words, told)


def nginx(namespace: str, ports: Iterable[int], folder: Path) -> Daemon:
    """Start a web server with a short page, ``/``, and a long one, ``/long``.

    Args:
        namespace: Where.
        ports: Of both families.
        folder: An empty one, for its pages and its own needs.

    Raises:
        RuntimeError: It did not come up.
    """
    ports = tuple(ports)
    (folder / "pages").mkdir(parents=True)
    (folder / "pages/index.html").write_text("hello\n")
    (folder / "pages/long").write_bytes(bytes(1_000_000))
    listen = "\n".join(
        f"    listen {at}{port} backlog=4096;" for port in ports for at in ("", "[::]:")
    )
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, listen=listen))
    words = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    daemon = Daemon(namespace, words, folder / "told")
    return _ready(daemon, namespace, "tcp", ports)


def dnsmasq(namespace: str, lines: Iterable[str], folder: Path) -> Daemon:
    """Start a name server that knows what its lines say, and nothing else.

    Raises:
        RuntimeError: It did not come up.
    """
    folder.mkdir(parents=True)
    own = ("port=53", "no-resolv", "no-hosts", "no-daemon", "local-ttl=60", "bind-dynamic")
    (folder / "dnsmasq.conf").write_text("\n".join((*own, *lines, "")))
    words = ["dnsmasq", f"--conf-file={folder}/dnsmasq.conf", "--user=root", "--pid-file="]
    return _ready(Daemon(namespace, words, folder / "told"), namespace, "udp", (53,))


def _ready(daemon: Daemon, namespace: str, kind: str, ports: Iterable[int]) -> Daemon:
    """Wait until all these ports are listened at."""
    wanted = set(ports)

    def is_there() -> bool:
        with in_namespace(namespace):
            rows = [
                line.split()
                for name in (kind, f"{kind}6")
                for line in Path(f"/proc/thread-self/net/{name}").read_text().splitlines()[1:]
            ]
        return wanted <= {int(row[1].rpartition(":")[2], 16) for row in rows}

    if not eventually(is_there):
        daemon.close()
        raise RuntimeError(f"{daemon.process.args!r} did not come up: {daemon.told()}")
    return daemon
