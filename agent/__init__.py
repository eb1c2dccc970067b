"""abuse-agent: who holds this machine's TCP connections, judged and banned for a time."""

__version__ = "0.1.0"
