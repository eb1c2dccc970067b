"""What commands print that let somebody go."""

from agent.cli.output import show
from agent.desk.by_hand import Pardon
from agent.model.address import Source
from agent.record.events import rfc3339


def show_pardon(source: Source, pardon: Pardon) -> None:
    """Print as JSON whom a person let go, which bans that lifted, and until when it holds."""
    lifted = [str(one) for one in pardon.lifted]
    show({"source": str(source), "lifted": lifted, "until": rfc3339(pardon.until)})
