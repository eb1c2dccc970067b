"""Saved listings of sockets: what an operator has at hand of netstat, ss and /proc/net/tcp."""

from agent.observe.saved.read import read_moments, sample_of_saved
from agent.observe.saved.values import Example, Moment, Reason, Unread

__all__ = ["Example", "Moment", "Reason", "Unread", "read_moments", "sample_of_saved"]
