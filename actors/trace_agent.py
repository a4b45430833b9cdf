"""The agent this project is about: its plan is a trainable Trace node, rewritten as it lives."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..env.world import Observation
from .agent import AgentSpec, Learning
from .language_agent import LanguageAgent
from .model.chat import ChatError, ChatModel
from .optimizer import PlanOptimizer
from .policy import Policy, find_policy
from .recording import Recording, Thought
from .turn import REPLY_KEPT_CHARS, PlanUpdate


class TraceAgent(LanguageAgent):
    """Acts on its plan, and learns the plan from what its actions lead to.

    Before each thought but the first, the optimizer sees what the last thought led to (the next
    observation, and the feedback) and may rewrite the plan. No one but the agent itself can write it.
    `AgentSpec.learning` says how: what else is trainable, how far back the feedback travels, how often.

    Attributes:
        policy: what a subclass learns and how its prompt is made of that, unless `learning.optimize` names something.
    """

    policy: type[Policy] = Policy

    def __init__(self, spec: AgentSpec, chat: ChatModel, learn_chat: ChatModel | None = None) -> None:
        super().__init__(spec, chat, learn_chat)
        named = spec.learning.optimize
        policy = self.policy if named == Learning().optimize else find_policy(named)
        self._recording = Recording(spec.plan, policy)
        self._optimizer = PlanOptimizer(self._recording, spec.limits, spec.learning)
        # The graph itself is never stored or sent: it is made of these when the agent learns.
        self._thoughts: deque[Thought] = deque(maxlen=spec.learning.credit_steps)
        self._unlearned = 0  # thoughts since the last lesson

    @property
    def plan(self) -> str:
        return self._recording.plan

    def prompt(self, observation: Observation) -> str:
        return self._recording.prompt(observation.text)

    def decided(self, observation: Observation, action: str | None, error: str | None) -> None:
        self._thoughts.append(Thought(observation.text, self._recording.values(), action, error))
        self._unlearned += 1

    async def learn(
        self, step: int, observation: Observation, feedback: str, deadline_s: float, *, last: bool = False
    ) -> PlanUpdate | None:
        if self._unlearned < (1 if last else self.spec.learning.learn_every):
            return None
        self._unlearned = 0  # thoughts are learned from once, whatever comes of it
        try:
            question = self._optimizer.prompt(self._thoughts, observation.text, feedback)
            if question is None:
                return self._rejected("plan not used")
            limit = self.spec.limits.learn_tokens
            schema = self._optimizer.schema()
            until, text, cut = time.monotonic() + deadline_s, "", False
            while question:
                left_s = until - time.monotonic()
                reply = await self.conversation.ask("learn", step, question, schema, limit, left_s)
                text, cut = reply.text, reply.finish_reason == "length"
                question = self._optimizer.more(text)
            return self._optimizer.apply(text, cut=cut)
        except ChatError as error:
            if error.kind in ("fatal", "budget"):
                raise
            return self._rejected(f"no reply: {error.kind}")
        except Exception as error:  # a lesson that fails must not keep the agent from acting; the reason is counted
            return self._rejected(type(error).__name__, str(error)[:REPLY_KEPT_CHARS])

    def _rejected(self, reason: str, reply: str = "") -> PlanUpdate:
        return PlanUpdate(verdict="rejected", reason=reason, reply=reply, version=self._optimizer.version)

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "parameters": self._recording.values(),
            "optimizer": self._optimizer.state(),
            "thoughts": list(self._thoughts),
            "unlearned": self._unlearned,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self._recording.set_values(state["parameters"])
        self._optimizer.load(state["optimizer"])
        self._thoughts.clear()
        self._thoughts.extend(Thought(*thought) for thought in state["thoughts"])
        self._unlearned = state["unlearned"]
