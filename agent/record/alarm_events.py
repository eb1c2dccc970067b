"""What concerns the machine as a whole, as events; pure, by the contract."""

from agent.model.alarm import Alarm, BehindProxy, Breaker, Flood, Slow
from agent.record.events import Event, Json, Level


def alarm_event(alarm: Alarm) -> Event:
    """Give the event that tells of an alarm."""
    match alarm:
        case Flood():
            return _flood(alarm)
        case Slow():
            return _slow(alarm)
        case Breaker():
            return _breaker(alarm)
        case BehindProxy():
            return _behind_proxy(alarm)


def _flood(alarm: Flood) -> Event:
    fields: dict[str, Json] = {
        "service": alarm.service or None,
        "half_open": alarm.half_open,
        "sources": alarm.sources,
        "networks": alarm.networks,
        "heaviest": alarm.heaviest,
        "counters": dict(alarm.counters),
        "lasted_s": round(alarm.lasted.total_seconds(), 3),
        "advice": alarm.advice,
    }
    if alarm.is_over:
        return Event("flood.ended", fields)
    return Event("flood.suspected", fields, Level.WARNING)


def _slow(alarm: Slow) -> Event:
    fields: dict[str, Json] = {
        "service": alarm.service,
        "waiting": alarm.waiting,
        "backlog": alarm.backlog,
        "counters": dict(alarm.counters),
        "lasted_s": round(alarm.lasted.total_seconds(), 3),
        "advice": alarm.advice,
    }
    if alarm.is_over:
        return Event("backlog.drained", fields)
    return Event("backlog.full", fields, Level.WARNING)


def _breaker(alarm: Breaker) -> Event:
    fields: dict[str, Json] = {
        "reason": alarm.reason,
        "candidates": alarm.candidates,
        "known_clients": alarm.known_clients,
    }
    if alarm.is_open:
        return Event("breaker.opened", fields, Level.ERROR)
    return Event("breaker.closed", fields)


def _behind_proxy(alarm: BehindProxy) -> Event:
    fields: dict[str, Json] = {
        "vendor": alarm.vendor,
        "connections": alarm.connections,
        "total": alarm.total,
        "sources": alarm.sources,
        "advice": alarm.advice,
    }
    return Event("proxy.suspected", fields, Level.WARNING)
