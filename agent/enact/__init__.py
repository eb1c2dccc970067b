"""Carrying out and keeping up: the firewall, the ledger and the records, always together.

The daemon's cycle and the commands that ban by hand both go through here, so that a ban
is intended, read back, cut and recorded in one way only.
"""

from agent.enact.accord import Accord
from agent.enact.hands import Hands

__all__ = ["Accord", "Hands"]
