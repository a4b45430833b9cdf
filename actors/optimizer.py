"""Trace's optimizers, guarded: every proposal is accepted, unchanged or rejected with a reason.

They are used for what they are good at (turning the recorded graph and the feedback into a
prompt); the model call is taken out of them, because it must be awaited and
must not be repeated on every error. What stock OptoPrime does and a text plan cannot bear is left out:
any text containing "def" is sent through a code formatter and mostly lost, "TERMINATE" anywhere in the
reply drops it silently, values that are no text become `'None'` or `"['go']"`, and a reply that is nearly JSON is
read by a pattern that can run two values into one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ..env.plugin import PluginError, find
from ..env.world import PLAN_TOKEN
from .agent import Learning, ReplyLimits
from .policy import find_policy
from .questions import Answers, Unanswered
from .recording import Recording, Thought
from .reply import read_object
from .trace_import import OPRO, Optimizer, OptoPrime, TextGrad
from .turn import REPLY_KEPT_CHARS, PlanUpdate

OPTIMIZERS: dict[str, Any] = {"optoprime": OptoPrime, "opro": OPRO, "textgrad": TextGrad}


def find_optimizer(name: str) -> Any:
    """The optimizer class of this name, or any other of Trace's or a user's as `module:Class`.

    Raises:
        PluginError: there is none.
    """
    return find("optimizer", name, OPTIMIZERS, Optimizer, "opto.optimizers.optimizer.Optimizer")


def has_settings(name: str) -> bool:
    """Whether an optimizer knows of a memory, an objective and sections of its prompt: whether it is an OptoPrime.

    Raises:
        PluginError: there is no such optimizer.
    """
    return issubclass(find_optimizer(name), OptoPrime)


def try_out(learning: Learning) -> None:
    """Make what an agent learns with once, to find out before a run whether it can be made.

    Raises:
        PluginError: it cannot, or there is no such thing.
    """
    policy = find_policy(learning.optimize)
    find_optimizer(learning.optimizer)
    try:
        recording = Recording("", policy)
        recording.prompt(PLAN_TOKEN)
        PlanOptimizer(recording, ReplyLimits(), learning)
    except PluginError:
        raise
    except Exception as error:  # a user's code may do anything
        raise PluginError(f"{type(error).__name__} in {learning.optimize} or {learning.optimizer}: {error}") from error


class PlanOptimizer:
    """Proposes new values for the parameters of one recording.

    One update is `prompt` → the caller asks a model → `more`, and asks again as long as that has a question → `apply`.
    Nothing changes until `apply`. Subclasses of OptoPrime have one question; others (`actors.questions`) any number,
    and are made of the parameters and their model alone.

    Attributes:
        version: how many proposals have been accepted.
    """

    def __init__(self, recording: Recording, limits: ReplyLimits, learning: Learning) -> None:
        self._recording = recording
        self._limits = limits
        self._mask = [f"#{section.capitalize()}" for section in learning.mask]
        self._memory_size = learning.memory_size
        make = find_optimizer(learning.optimizer)
        self._answers = None if issubclass(make, OptoPrime) else Answers()
        if self._answers is not None:
            self._optimizer = make(recording.parameters, llm=self._answers)
        else:
            self._optimizer = make(
                recording.parameters,
                llm=_never,
                log=False,
                memory_size=learning.memory_size,
                objective=learning.objective or None,
            )
        self._lesson: tuple[tuple[Thought, ...], str, str] = ((), "", "")
        self._proposed: dict[str, Any] = {}  # by an optimizer that asks by itself
        self.version = 0

    def prompt(self, thoughts: Iterable[Thought], next_observation: str, feedback: str) -> list[dict[str, str]] | None:
        """The messages that ask a model for better parameters; None if no parameter had a part in the thoughts.

        Enters the current values into the optimizer's memory: call it once for each update. No messages: there is
        nothing to ask, the proposal is made.
        """
        if self._answers is not None:
            self._answers.forget()
            self._proposed = {}
            self._lesson = tuple(thoughts), next_observation, feedback
            return self._work(self._answers)
        if not self._recording.feed_back(thoughts, next_observation, feedback, self._optimizer):
            return None
        with self._recording.section():
            system, user = self._optimizer.construct_prompt(self._optimizer.summarize(), mask=self._mask)
        self._forget_the_oldest()
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def more(self, reply: str) -> list[dict[str, str]] | None:
        """What is to be asked after a reply; nothing if it can be applied."""
        if self._answers is None:
            return None
        self._answers.add(reply)
        return self._work(self._answers)

    def _work(self, answers: Answers) -> list[dict[str, str]] | None:
        """Let an optimizer that asks by itself get on; the graph is made anew, as between two questions others work."""
        if not self._recording.feed_back(*self._lesson, self._optimizer):
            return None
        with self._recording.section():
            outcome = answers.work(self._optimizer)
        if isinstance(outcome, Unanswered):
            return outcome.messages
        self._proposed = {parameter.py_name: value for parameter, value in outcome.items()}
        return []

    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of a proposal: reasoning, and a text for every parameter. None: replies are free text."""
        if self._answers is not None:
            return None
        names = list(self._recording.values())
        text = {"type": "string", "maxLength": self._limits.plan_chars}
        suggestion = {
            "type": "object",
            "properties": dict.fromkeys(names, text),
            "required": names,
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {
                "reasoning": {"type": "string", "maxLength": self._limits.reasoning_chars},
                "suggestion": suggestion,
            },
            "required": ["reasoning", "suggestion"],
            "additionalProperties": False,
        }

    def apply(self, reply: str, *, cut: bool = False) -> PlanUpdate:
        """Take over the proposal in a reply, whole or not at all.

        Args:
            reply: the model's raw text.
            cut: it ends where the model had no more tokens left; then it is no proposal unless it is complete.
        """
        kept = reply[:REPLY_KEPT_CHARS]
        if self._answers is None and reply.strip().strip('"{}. \n') == "TERMINATE":
            return PlanUpdate(verdict="unchanged", reply=kept, version=self.version)
        if self._answers is not None:
            proposal, repaired = self._proposed, False
        else:
            data, repaired = read_object(reply, "suggestion")
            proposal = (data or {}).get("suggestion")
        old = self._recording.values()
        new: dict[str, str] = {}
        if repaired and cut:
            reason = "cut off"
        elif not isinstance(proposal, dict) or not proposal:
            reason = "no suggestion"
        else:
            new, reason = self._read(proposal, old)
        if reason:
            return PlanUpdate(verdict="rejected", reason=reason, reply=kept, repaired=repaired, version=self.version)
        if new == old:
            return PlanUpdate(verdict="unchanged", reply=kept, repaired=repaired, version=self.version)
        self._recording.set_values(new)
        self.version += 1
        diff = _diff(old, new)[:REPLY_KEPT_CHARS]
        return PlanUpdate(verdict="accepted", reply=kept, repaired=repaired, version=self.version, diff=diff)

    def state(self) -> dict[str, Any]:
        """The version, and the optimizer's memory: past (values, feedback) pairs."""
        memory = [[{k: list(v) for k, v in variables.items()}, feedback] for variables, feedback in self._memory()]
        return {"version": self.version, "memory": memory}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.version = state["version"]
        self._memory()[:] = [({k: tuple(v) for k, v in values.items()}, text) for values, text in state["memory"]]

    def _memory(self) -> list[tuple[Mapping[str, Any], str]]:
        optimizer = self._optimizer
        if self._answers is not None:  # what such an optimizer keeps from one lesson to the next is not known
            return []
        return optimizer.buffer if isinstance(optimizer, OPRO) else optimizer.memory.buffer

    def _forget_the_oldest(self) -> None:
        """OPRO would keep, and show, every pair there ever was."""
        memory = self._memory()
        del memory[: max(0, len(memory) - self._memory_size)]

    def _read(self, proposal: Mapping[str, Any], old: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """The new values, and why they cannot be taken ("" if they can). What is not named stays as it is."""
        new = dict(old)
        named = 0
        for name in old:
            base = name.rstrip("0123456789")
            alone = sum(other.rstrip("0123456789") == base for other in old) == 1
            key = base if name not in proposal and alone else name  # models drop the number
            if key in proposal:
                named += 1
                value = proposal[key]
                reason = self._fault(value)
                if reason:
                    return {}, reason
                new[name] = value.strip().replace(PLAN_TOKEN, "(plan)")  # the world's marker is no text of an agent's
        return new, "" if named else "unknown variable"

    def _fault(self, value: object) -> str:
        if not isinstance(value, str):
            return "not text"
        if not value.strip():
            return "empty"
        if len(value.strip()) > self._limits.plan_chars:
            return "too long"
        return ""


def _diff(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What changed, text by text, as a unified diff without its head."""
    lines: list[str] = []
    for name, text in new.items():
        if text != old[name]:
            changes = difflib.unified_diff(old[name].splitlines(), text.splitlines(), name, name, lineterm="", n=0)
            lines += [name, *(line for line in changes if not line.startswith(("---", "+++", "@@")))]
    return "\n".join(lines)


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("the optimizer must not call a model by itself")
