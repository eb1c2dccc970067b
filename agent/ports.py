"""Everything outside the judgement that a cycle touches."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from agent.act.interface import Firewall
from agent.enact.hands import Cutter
from agent.identify.interface import Identifier, Nobody
from agent.model.inputs import Counters, Listeners, Standing, Surroundings, Sysctls
from agent.model.learned import Learned
from agent.model.policy import Administrators
from agent.observe.interface import SocketReader
from agent.record.events import Event
from agent.record.ledger import Ledger
from agent.record.tape.interface import NoTape, Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the judgement that a cycle touches.

    Attributes:
        sockets: Reads the sockets.
        counters: Reads the kernel's counters.
        surroundings: Finds what is to be guarded, knowing who the administrators are.
        firewall: Holds the bans.
        ledger: Remembers them.
        write: Takes each event, with the moment and the number of its cycle.
        stopwatch: Seconds that only grow, to measure durations with.
        cut: Destroys the live sockets of banned sources; None in a dry run.
        writer: Keeps commands from changing firewall and ledger at the same time.
            Raises BusyError.
        listeners: Reads what waits at the listening sockets.
        sysctls: Reads the kernel's settings.
        identify: Knows who sources are.
        learned: What an earlier run has learned.
        keep: Writes down what is learned by now.
        tape: Records what each cycle saw.
        standing: What was known of sources ahead of this moment, where a tape tells it.
    """

    sockets: SocketReader
    counters: Callable[[], Counters]
    surroundings: Callable[[Administrators], Surroundings]
    firewall: Firewall
    ledger: Ledger
    write: Callable[[Event, datetime, int], None]
    stopwatch: Callable[[], float]
    cut: Cutter | None = None
    writer: Callable[[], AbstractContextManager[None]] = nullcontext
    listeners: Callable[[], Listeners] = dict
    sysctls: Callable[[], Sysctls] = dict
    identify: Identifier = field(default_factory=Nobody)
    learned: Learned = field(default_factory=Learned)
    keep: Callable[[Learned], None] = lambda _learned: None
    tape: Recorder = field(default_factory=NoTape)
    standing: Callable[[], Standing | None] = lambda: None
