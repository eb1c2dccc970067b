"""Observe: what the kernel holds at this moment. Nothing here judges or changes anything."""
