"""``./dev bench replay``: how long does a day on the tape take to be judged?

The day is made: 17,280 frames, as the tape keeps them of 10,000 sources at a time of which 500
are above the floor. Measured are whole processes, and what of it is reading the tape.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from agent.model.address import HOST, grouper, pack
from agent.model.frame import Frame, Rest
from agent.model.inputs import Inputs, Standing
from agent.model.sample import SOCKETS, Sample, State
from agent.policy import load_policy
from agent.record.tape.folder import open_folder
from agent.record.tape.reader import read_tape
from agent.record.tape.stream import Packing
from bench.rounds import machine, timed

CYCLES = 17_280
EVERY = timedelta(seconds=5)
SOURCES, KEPT = 10_000, 500
POLICY = "policies/web.yaml"
_BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
_ESTABLISHED, _TIME_WAIT = int(State.ESTABLISHED), int(State.TIME_WAIT)
_ROUNDS = 3
_WIDTHS = {rule.per for rule in load_policy([POLICY]).rules} - {HOST}


def main() -> None:
    """Make a day and judge it."""
    print(machine())
    with TemporaryDirectory(prefix="bench-") as folder:
        tape = Path(folder) / "tape"
        taken, _ = timed(lambda: _write(tape))
        size = sum(one.stat().st_size for one in tape.iterdir())
        print(f"a day of {CYCLES} frames, made in {taken:.0f} s: {size / 1e6:.1f} MB")
        reading = [timed(lambda: sum(1 for _ in read_tape(tape)))[0] for _ in range(_ROUNDS)]
        _show("reading it", reading)
        for name, more in (
            ("replay", ()),
            ("replay --against", ("--against", "policies/default.yaml")),
        ):
            judged = [timed(partial(_command, "replay", tape, *more))[0] for _ in range(_ROUNDS)]
            _show(name, judged)
        _show("suggest", [timed(lambda: _command("suggest", tape))[0]])


def _show(name: str, seconds: list[float]) -> None:
    middle = median(seconds)
    print(f"{name:<18} {middle:6.1f} s, {middle / CYCLES * 1000:.2f} ms a cycle")


def _command(name: str, tape: Path, *more: str) -> None:
    agent = Path(sys.executable).with_name("abuse-agent")
    arguments = (name, "--policy", POLICY, "--tape", str(tape), *more)
    pid = os.posix_spawn(
        agent,
        (str(agent), *arguments),
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 1}:
        raise SystemExit(f"{name} failed")
    del usage


def _write(tape: Path) -> None:
    folder, packing, descriptor = open_folder(tape), Packing(), -1
    for number, frame in enumerate(_frames()):
        if number % 720 == 0:
            if descriptor >= 0:
                os.close(descriptor)
            packing = Packing()
            _, descriptor = folder.begin(frame.at)
        content = packing.pack(frame)
        if content is None:
            raise SystemExit("a frame is too large")
        os.write(descriptor, content)
    os.close(descriptor)
    folder.close()


def _frames() -> Iterator[Frame]:
    """Give the day: each cycle some of the kept come and go, and a fifth of the counts change."""
    random = Random(5)  # noqa: S311 - the same day each time
    policy, key_of = load_policy([POLICY]), grouper(HOST)
    here: dict[tuple[int, bytes], list[int]] = {}
    for number in range(CYCLES):
        for gone in random.sample(sorted(here), min(len(here), 4)):
            del here[gone]
        while len(here) < KEPT:
            address = IPv4Address(random.getrandbits(32))
            here[pack(address)] = [random.randrange(11, 60), random.randrange(30)]
        for counts in random.sample(list(here.values()), KEPT // 5):
            counts[0] = max(11, counts[0] + random.randrange(-3, 4))
        rows = Counter[tuple[int, int, int, bytes]]()
        for (family, packed), (established, waiting) in here.items():
            rows[family, _ESTABLISHED, 443, packed] = established
            if waiting:
                rows[family, _TIME_WAIT, 443, packed] = waiting
        keys = frozenset(key_of(*one) for one in here)
        yield Frame(
            at=_BEGIN + number * EVERY,
            is_start=number == 0,
            policy_sha256=policy.sha256,
            inputs=Inputs(
                sample=Sample(
                    taken_at=_BEGIN + number * EVERY,
                    sockets=rows.total() + 19_000,
                    states={State.ESTABLISHED: 24_000, State.TIME_WAIT: 9_000},
                    listening=frozenset({22, 80, 443}),
                    tallies={SOCKETS: rows},
                    others={(_ESTABLISHED, 443): 19_000},
                ),
                counters={"SyncookiesSent": 0, "ListenDrops": number // 100},
                standing=Standing(
                    proven=keys, known=keys, others=SOURCES - KEPT, others_known=4_000
                ),
            ),
            rest=_rest(random),
        )


def _rest(random: Random) -> tuple[Rest, ...]:
    """Give the others: nearly all have a few connections."""
    counts = {count: random.randrange(1, 4_000 // count) for count in range(1, 11)}
    kept_widths = _WIDTHS
    wide = (
        Rest(width=one, floor=100, counts={("web", "connections"): {3: 9_000}})
        for one in sorted(kept_widths, key=lambda one: -one.ipv4)
    )
    return (Rest(width=HOST, floor=10, counts={("web", "connections"): counts}), *wide)


if __name__ == "__main__":
    main()
