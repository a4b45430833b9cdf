"""The agent this project is about: its plan is a trainable Trace node, rewritten as it lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..env.world import Observation
from .agent import AgentSpec
from .chat import ChatError, ChatModel
from .language_agent import LanguageAgent
from .optimizer import PlanOptimizer
from .recording import Recording
from .turn import REPLY_KEPT_CHARS, PlanUpdate


class TraceAgent(LanguageAgent):
    """Acts on its plan, and learns the plan from what its actions lead to.

    Before each thought but the first, the optimizer sees what the last thought led to (the next
    observation, and the feedback) and may rewrite the plan. No one but the agent itself can write it.
    """

    def __init__(self, spec: AgentSpec, chat: ChatModel) -> None:
        super().__init__(spec, chat)
        self._recording = Recording()
        self._optimizer = PlanOptimizer(self._recording, spec.limits, spec.memory_size)
        # What the recorded thought was, as data: (observation text, action, error). The graph itself is
        # never stored or sent; `load` records it again from this.
        self._thought: tuple[str, str | None, str | None] | None = None

    @property
    def plan(self) -> str:
        return self._recording.plan

    def prompt(self, observation: Observation) -> str:
        return self._recording.begin(observation.text)

    def decided(self, observation: Observation, action: str | None, error: str | None) -> None:
        self._thought = (observation.text, action, error)
        if error is None:
            self._recording.acted(action)
        else:
            self._recording.failed(error)

    async def learn(self, step: int, observation: Observation, feedback: str, deadline_s: float) -> PlanUpdate | None:
        if self._thought is None:
            return None
        self._thought = None  # a graph carries feedback once, whatever comes of it
        try:
            messages = self._optimizer.prompt(observation.text, feedback)
            if messages is None:
                return PlanUpdate(verdict="rejected", reason="plan not used")
            limit = self.spec.limits.learn_tokens
            reply = await self.ask("learn", step, messages, self._optimizer.schema(), limit, deadline_s)
            return self._optimizer.apply(reply.text)
        except ChatError as error:
            if error.kind == "fatal":
                raise
            return PlanUpdate(verdict="rejected", reason=f"no reply: {error.kind}")
        except Exception as error:  # a lesson that fails must not keep the agent from acting; the reason is counted
            return PlanUpdate(verdict="rejected", reason=type(error).__name__, reply=str(error)[:REPLY_KEPT_CHARS])

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "parameters": self._recording.values(),
            "memory": self._optimizer.state(),
            "thought": self._thought,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self._recording.set_values(state["parameters"])
        self._optimizer.load(state["memory"])
        self._thought = None
        if state["thought"] is not None:
            text, action, error = state["thought"]
            self._recording.begin(text)
            self._thought = (text, action, error)
            if error is None:
                self._recording.acted(action)
            else:
                self._recording.failed(error)
