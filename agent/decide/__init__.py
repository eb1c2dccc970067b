"""The judgement, pure: no I/O, no clock. `step` is the whole of it."""

from agent.decide.allow import allow_set
from agent.decide.guard import guarded, remembered
from agent.decide.layout import layout_of
from agent.decide.memory import Memory
from agent.decide.reconcile import Reconciliation, Recorded, reconcile
from agent.decide.standing import standing_of
from agent.decide.step import step

__all__ = [
    "Memory",
    "Reconciliation",
    "Recorded",
    "allow_set",
    "guarded",
    "layout_of",
    "reconcile",
    "remembered",
    "standing_of",
    "step",
]
