"""`python -m agent`."""

from agent.cli import entry

entry()
