"""Running what takes time beside the screen, which stays live meanwhile."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def beside(task: Callable[[], T], *, has_to_end: bool = False) -> "Future[T]":
    """Run a task in a thread of its own.

    Args:
        task: What to run.
        has_to_end: Whether the program waits for it at its end: what changes the firewall is
            not left half done, what only reads is not waited for.

    Returns:
        What comes of it; it can't be cancelled.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    Thread(target=_run, args=(task, future), daemon=not has_to_end).start()
    return future


def _run(task: Callable[[], T], future: "Future[T]") -> None:
    try:
        future.set_result(task())
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
        future.set_exception(error)
