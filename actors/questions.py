"""Optimizers of Trace that ask their model by themselves, such as TextGrad, made to wait for nobody.

They call a model in the middle of their work and block until it has answered, which would hold up every agent of the
process. Here their model is a list of answers. As long as there is one, they get it; when the next is missing, their
work is broken off with the question, the agent asks it and waits, and the work is begun again with one answer more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

MOST_QUESTIONS = 100
"""An optimizer that asks more for one lesson is not one that anybody waits for."""


class Unanswered(BaseException):
    """A question without an answer yet. No Exception: optimizers catch those, and ask again."""

    def __init__(self, messages: Sequence[dict[str, str]]) -> None:
        super().__init__()
        self.messages = [dict(message) for message in messages]


class Answers:
    """Stands in for the `llm` of an optimizer of `opto`, which it calls or whose `create` it calls."""

    def __init__(self) -> None:
        self._known: list[str] = []
        self._next = 0

    def forget(self) -> None:
        """Another lesson begins."""
        self._known.clear()

    def add(self, answer: str) -> None:
        """The answer to the last question.

        Raises:
            RuntimeError: there are too many.
        """
        if len(self._known) >= MOST_QUESTIONS:
            raise RuntimeError(f"the optimizer asked more than {MOST_QUESTIONS} questions")
        self._known.append(answer)

    def create(self, messages: Sequence[dict[str, str]], **_how: Any) -> Any:
        """What an OpenAI client would return, as far as optimizers look at it.

        Raises:
            Unanswered: nobody has answered this yet.
        """
        if self._next >= len(self._known):
            raise Unanswered(messages)
        self._next += 1
        message = SimpleNamespace(content=self._known[self._next - 1])
        return SimpleNamespace(choices=[SimpleNamespace(message=message)])

    __call__ = create

    def work(self, optimizer: Any) -> dict[Any, Any] | Unanswered:
        """Let an optimizer, to which feedback was given, work with the answers there are.

        Returns: the new values by parameter, or the question at which it got stuck.
        """
        self._next = 0
        try:
            with redirect_stdout(StringIO()):  # optimizers print what they make of a reply
                return optimizer.propose()
        except Unanswered as question:
            return question
