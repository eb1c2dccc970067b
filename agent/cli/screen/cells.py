"""What the cells of a source say. Pure."""

from agent.cli.pictured import percent
from agent.desk.top.values import Nearness, Row

_MOST_PERCENT = 999
_WARNED_FROM = 0.8


def main_service(row: Row) -> str:
    """Give the service that a source holds the most of, and how many others there are."""
    first, others = next(iter(row.services), ""), len(row.services) - 1
    return f"{first}+{others}" if others > 0 else first


def services(row: Row) -> str:
    """Give all of its services, with what it holds of each where that are several."""
    if len(row.services) == 1:
        return main_service(row)
    return ", ".join(f"{name} {count}" for name, count in row.services.items())


def share(near: Nearness) -> str:
    """Give the share of a limit in at most five columns."""
    return percent(near) if near.share * 100 <= _MOST_PERCENT else f">{_MOST_PERCENT}%"


def in_full(near: Nearness) -> str:
    """Give a limit with its rule and what was counted."""
    watched = " watched" if near.is_watched_only else ""
    return f"{near.rule} {near.count}/{near.limit} {share(near)}{watched}"


def is_above(row: Row) -> bool:
    """Whether a source is above a limit that gets it banned."""
    near = row.nearest
    return near is not None and not near.is_watched_only and near.count > near.limit


def is_near(row: Row) -> bool:
    """Whether it comes near to one."""
    near = row.nearest
    return near is not None and not near.is_watched_only and near.share >= _WARNED_FROM
