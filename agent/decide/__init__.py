"""The judgement, pure: no I/O, no clock. `step` is the whole of it."""

from agent.decide.allow import allow_set
from agent.decide.memory import Memory
from agent.decide.reconcile import Reconciliation, reconcile
from agent.decide.step import step

__all__ = ["Memory", "Reconciliation", "allow_set", "reconcile", "step"]
