"""Thinning: of a whole moment what the tape keeps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.model.address import Width
from agent.model.frame import Frame
from agent.model.inputs import Inputs
from agent.model.sample import SOCKETS
from agent.record.tape.crowd import Crowd
from agent.record.tape.interface import Moment
from agent.record.tape.known import Known


@dataclass(slots=True)
class Thinner:
    """Makes frames out of moments; remembers only what makes that cheaper."""

    _widened: dict[Width, Mapping[bytes, bytes]] = field(default_factory=dict)
    _known: Known = field(default_factory=Known)

    def frame_of(self, moment: Moment, *, is_start: bool) -> Frame:
        """Give what is to be kept of a moment."""
        inputs, known = moment.inputs, self._known
        crowd = Crowd.of(inputs.sample.tallies.get(SOCKETS, {}), moment.policy, self._widened)
        kept, levels, most = crowd.levels()
        rows, others = crowd.split(kept, most)
        learned = moment.learned()
        known.take(inputs.identities, learned if is_start else replace(learned, tried=""), rows)
        return Frame(
            at=inputs.sample.taken_at,
            is_start=is_start,
            policy_sha256=moment.policy.sha256,
            inputs=Inputs(
                sample=replace(inputs.sample, tallies={SOCKETS: rows}, others=others),
                counters=inputs.counters,
                surroundings=inputs.surroundings,
                listeners=inputs.listeners,
                sysctls=inputs.sysctls,
                identities=known.identities,
                standing=moment.standing(kept),
            ),
            learned=known.learned,
            rest=tuple(crowd.rest(kept, levels)),
        )
