"""OptoPrime, guarded: every proposal is accepted, unchanged or rejected with a reason.

Trace's optimizer is used for what it is good at (turning the recorded graph and the feedback into a
prompt, and reading the proposal); the model call is taken out of it, because it must be awaited and
must not be repeated on every error. What stock OptoPrime does and a text plan cannot bear is left out:
any text containing "def" is sent through a code formatter and mostly lost, "TERMINATE" anywhere in the
reply drops it silently, values that are no text become `'None'` or `"['go']"`, and a reply that is nearly JSON is
read by a pattern that can run two values into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .agent import ReplyLimits
from .recording import Recording
from .reply import read_json
from .trace_import import OptoPrime
from .turn import REPLY_KEPT_CHARS, PlanUpdate


class PlanOptimizer:
    """Proposes new values for the parameters of one recording.

    One update is `prompt` → the caller asks a model → `apply`. Nothing changes until `apply`.
    """

    def __init__(self, recording: Recording, limits: ReplyLimits, memory_size: int = 0) -> None:
        self._recording = recording
        self._limits = limits
        self._optimizer = OptoPrime(recording.parameters, llm=_never, log=False, memory_size=memory_size)

    def prompt(self, next_observation: str, feedback: str) -> list[dict[str, str]] | None:
        """The messages that ask a model for better parameters; None if no parameter had a part in it.

        Enters the current values into the optimizer's memory: call it once for each update.
        """
        if not self._recording.feed_back(next_observation, feedback, self._optimizer):
            return None
        with self._recording.section():
            system, user = self._optimizer.construct_prompt(self._optimizer.summarize())
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a proposal: reasoning, and a text for every parameter."""
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

    def apply(self, reply: str) -> PlanUpdate:
        """Take over the proposal in a reply, whole or not at all."""
        kept = reply[:REPLY_KEPT_CHARS]
        if reply.strip().strip('"{}. \n') == "TERMINATE":
            return PlanUpdate(verdict="unchanged", reply=kept)
        proposal = (read_json(reply) or {}).get("suggestion")
        if not isinstance(proposal, dict) or not proposal:
            return PlanUpdate(verdict="rejected", reason="no suggestion", reply=kept)
        values = self._recording.values()
        new: dict[str, str] = {}
        for name, old in values.items():
            value = proposal.get(name, proposal.get(name.rstrip("0123456789"), old))
            reason = self._fault(value)
            if reason:
                return PlanUpdate(verdict="rejected", reason=reason, reply=kept)
            new[name] = value.strip()
        if not any(name in proposal or name.rstrip("0123456789") in proposal for name in values):
            return PlanUpdate(verdict="rejected", reason="unknown variable", reply=kept)
        if new == values:
            return PlanUpdate(verdict="unchanged", reply=kept)
        self._recording.set_values(new)
        return PlanUpdate(verdict="accepted", reply=kept)

    def state(self) -> list[Any]:
        """The optimizer's memory: past (values, feedback) pairs."""
        return [[{k: list(v) for k, v in variables.items()}, feedback] for variables, feedback in self._memory()]

    def load(self, state: list[Any]) -> None:
        self._memory()[:] = [({k: tuple(v) for k, v in variables.items()}, feedback) for variables, feedback in state]

    def _memory(self) -> list[tuple[Mapping[str, Any], str]]:
        return self._optimizer.memory.buffer

    def _fault(self, value: object) -> str:
        if not isinstance(value, str):
            return "not text"
        if not value.strip():
            return "empty"
        if len(value.strip()) > self._limits.plan_chars:
            return "too long"
        return ""


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("the optimizer must not call a model by itself")
