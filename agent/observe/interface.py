"""The contract that every reader of sockets keeps.

One reading is one moment: it sees every TCP socket of this process's network
namespace, whoever owns it, as ``netstat`` would print it, and needs no privilege
where the kernel does not ask for one. Two readers of one quiet table give equal
samples, but for what a reader says in its own file that it can't see. A reading
is whole or an error: there are no half counts. A reader keeps nothing between
two readings and may be called from any thread, by one at a time.
"""

from datetime import datetime
from typing import Protocol

from agent.model.sample import Sample


class SocketReader(Protocol):
    """Something that reads the machine's table of TCP sockets."""

    @property
    def name(self) -> str:
        """For records, as ``sock_diag``."""

    def read(self, now: datetime) -> Sample:
        """Count the sockets of this moment, which the caller's clock calls `now`.

        Raises:
            RefusedError: The kernel does not let this process ask in this way;
                it will not tomorrow either. Another reader may be tried.
            ObserveError: The answer did not come, or can't be read.
        """
