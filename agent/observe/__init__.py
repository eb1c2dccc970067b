"""Observe: what the kernel holds at this moment. Nothing here judges or changes anything."""

from agent.observe.choose import open_reader

__all__ = ["open_reader"]
