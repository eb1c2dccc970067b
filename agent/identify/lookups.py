"""Look-ups under way: each goes on when all that it asked is answered, or given up."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from agent.identify.exchange import Exchange
from agent.identify.question import Answer, Question, Steps

T = TypeVar("T")

PATIENCE_S = 2.0
"""For one look-up with all its questions."""


def begin(exchange: Exchange, steps: Steps[T], done: Callable[[T], None]) -> None:
    """Have a look-up done.

    Args:
        exchange: Through this; its turns carry the look-up on.
        steps: The look-up, not begun.
        done: Is given what came of it, in a later turn.
    """
    _go_on(exchange, steps, done, exchange.stopwatch() + PATIENCE_S, next(steps))


def _go_on(
    exchange: Exchange,
    steps: Steps[T],
    done: Callable[[T], None],
    deadline: float,
    questions: Sequence[Question],
) -> None:
    """Ask the next questions, all at once."""
    answers: dict[int, Answer | None] = {}

    def told(at: int, answer: Answer | None) -> None:
        answers[at] = answer
        if len(answers) < len(questions):
            return
        try:
            more = steps.send(tuple(answers[at] for at in range(len(questions))))
        except StopIteration as end:
            done(end.value)
        else:
            _go_on(exchange, steps, done, deadline, more)

    for at, question in enumerate(questions):
        exchange.ask(question, deadline, partial(told, at))
