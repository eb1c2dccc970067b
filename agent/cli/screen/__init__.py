"""The live screen of ``top``: what goes on, drawn again and again, and what to do about it."""
