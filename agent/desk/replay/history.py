"""Earlier bans, on which the length of the next one depends."""

from contextlib import suppress

from agent.desk.site import look_at_ledger
from agent.desk.where import Where
from agent.errors import AgentError
from agent.model.inputs import History


def read_history(where: Where) -> History:
    """Give what the ledger remembers; nothing where it can't be read, or nobody keeps one."""
    with suppress(AgentError):
        ledger = look_at_ledger(where)
        if ledger is not None:
            return ledger.history()
    return {}
