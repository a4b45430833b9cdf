"""What an agent is told about how it did: the feedback it learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..env.plugin import PluginError, is_path, load

MAX_FEEDBACK_CHARS = 2000
"""The feedback stands in the optimizer's prompt; a longer one is a mistake."""


class Consequence(NamedTuple):
    """What a step brought one agent.

    Attributes:
        agent: whom.
        step: counted from 0.
        total: its return: all it has earned since the beginning.
        reward: what it earned in this step.
        action: what it did; None if it did nothing.
        verdict: ok, invalid, late, failed or quarantined, as in the journal.
        detail: what was done, or why it was not, in the world's words; "" if the agent had no action in time.
    """

    agent: str
    step: int
    total: float
    reward: float
    action: str | None
    verdict: str
    detail: str


Feedback = Callable[[Consequence], str]


def task_return(consequence: Consequence) -> str:
    """The return so far, in the words of the Trace tutorial."""
    return f"Task Return: {consequence.total}"


def return_and_verdict(consequence: Consequence) -> str:
    """The return, and what became of the last action."""
    done = "was carried out" if consequence.verdict == "ok" else f"was not carried out ({consequence.verdict})"
    detail = " ".join(consequence.detail.split())[:200]
    action = consequence.action or "nothing"
    return f"{task_return(consequence)}\nLast action: {action} {done}" + (f": {detail}" if detail else "")


FEEDBACKS: Mapping[str, Feedback] = {"return": task_return, "return+verdicts": return_and_verdict}


def find_feedback(name: str) -> Feedback:
    """The feedback of this name, or a user's function `module:function` from a `Consequence` to a text.

    Raises:
        PluginError: there is none. A user's function that fails or returns no short text raises it, too.
    """
    if name in FEEDBACKS:
        return FEEDBACKS[name]
    if not is_path(name):
        raise PluginError(f"unknown feedback {name!r}; there are {', '.join(FEEDBACKS)}, module:function")
    function = load(name)
    if not callable(function):
        raise PluginError(f"{name} is not a function")

    def feedback(consequence: Consequence) -> str:
        try:
            text = function(consequence)
        except Exception as error:
            raise PluginError(f"feedback {name} failed: {type(error).__name__}: {error}") from error
        if not isinstance(text, str) or len(text) > MAX_FEEDBACK_CHARS:
            what = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
            raise PluginError(f"feedback {name} returned {what}, not a text of at most {MAX_FEEDBACK_CHARS}")
        return text

    return feedback
