"""What a rule can count. A new measure is one line here and a reader that tallies it."""

from dataclasses import dataclass
from types import MappingProxyType

from agent.model.sample import SOCKETS, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something a rule counts for each source.

    Attributes:
        name: As the policy writes it after ``count:``.
        tally: Which of a sample's tallies it sums.
        proves: Whether what is counted proves that the source completed a
            handshake. If not, its address may be forged, and no rule may ban on it.
        states: The states that a rule may name.
        usual: The states counted when a rule names none.
        unit: What the count counts, for a sentence.
    """

    name: str
    tally: str
    proves: bool
    states: frozenset[State]
    usual: frozenset[State]
    unit: str


_PROVEN = frozenset(
    {
        State.ESTABLISHED,
        State.FIN_WAIT1,
        State.FIN_WAIT2,
        State.TIME_WAIT,
        State.CLOSE_WAIT,
        State.LAST_ACK,
        State.CLOSING,
    }
)

MEASURES = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure(
                name="connections",
                tally=SOCKETS,
                proves=True,
                states=_PROVEN,
                usual=frozenset({State.ESTABLISHED}),
                unit="connections",
            ),
            Measure(
                name="half_open",
                tally=SOCKETS,
                proves=False,
                states=frozenset({State.SYN_RECV}),
                usual=frozenset({State.SYN_RECV}),
                unit="half-open connections",
            ),
        )
    }
)
