"""What every language-model agent does with a turn: repeat, obey its body, or ask the model."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..env.world import Observation, is_message
from .agent import MAX_REPEATS, Agent, AgentSpec
from .conversation import Conversation
from .model.chat import ChatError, ChatModel
from .organization import organized
from .reply import action_schema, read_action
from .turn import REPLY_KEPT_CHARS, Call, How, PlanUpdate, Turn

USED_SHARE = 0.9
"""The share of a turn's deadline that is planned for; the rest is for everything but waiting."""

LEARN_SHARE = 0.5
"""The share of that which learning may take, so that an agent always gets to act."""

FORM = "Answer with JSON only."
"""Follows the world's instruction."""


class LanguageAgent(Agent):
    """Asks a model for the next action when something relevant changed since the last time.

    Subclasses say what the prompt is and what they learn; they ask through `conversation`.
    """

    def __init__(self, spec: AgentSpec, chat: ChatModel, learn_chat: ChatModel | None = None) -> None:
        self.spec = spec
        self.conversation = Conversation(spec, chat, learn_chat)
        self._key: str | None = None  # of the observation that the last action answered; None: think again
        self._action: str | None = None
        self._repeats = 0
        self._learning_s = 0.0  # in this turn

    @property
    def calls(self) -> Sequence[Call]:
        return self.conversation.calls

    @abstractmethod
    def prompt(self, observation: Observation) -> str:
        """The text the model is asked with."""

    @property
    def plan(self) -> str:
        """The plan in force; "" for agents without one."""
        return ""

    async def learn(
        self, step: int, observation: Observation, feedback: str, deadline_s: float, *, last: bool = False
    ) -> PlanUpdate | None:
        """Improve, given what the last thought led to; None if there is nothing to learn from, or it is not yet time.

        `last`: there will be no other lesson.

        Raises:
            ChatError: only a fatal one, or one of a budget; everything else that goes wrong is a rejected update.
        """
        return None

    def decided(self, observation: Observation, action: str | None, error: str | None) -> None:
        """A thought about `observation` led to `action`, or to an error (in words that fit into a prompt)."""

    async def turn(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        self.conversation.begin()
        if observation.reflex is not None:
            self._key = None
            return Turn(action=observation.reflex, how="reflex", plan=self.plan)
        if observation.key == self._key and self._repeats < MAX_REPEATS and not is_message(self._action):
            self._repeats += 1
            return Turn(action=self._action, how="sticky", plan=self.plan)
        until = time.monotonic() + deadline_s * USED_SHARE
        observation = self._organized(observation)
        update = await self._lesson(step, observation, feedback, deadline_s * USED_SHARE * LEARN_SHARE)
        return await self._think(step, observation, update, until)

    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        self.conversation.begin()
        observation = self._organized(observation)
        update = await self._lesson(step, observation, feedback, deadline_s * USED_SHARE, last=True)
        return self._turn(action=None, how="none", update=update)

    async def _lesson(
        self, step: int, observation: Observation, feedback: str, deadline_s: float, *, last: bool = False
    ) -> PlanUpdate | None:
        began = time.perf_counter()
        update = await self.learn(step, observation, feedback, deadline_s, last=last)
        self._learning_s = time.perf_counter() - began
        return update

    async def _think(self, step: int, observation: Observation, update: PlanUpdate | None, until: float) -> Turn:
        self._key, self._action, self._repeats = None, None, 0
        messages = [
            {"role": "system", "content": f"{self.spec.instruction} {FORM}"},
            {"role": "user", "content": self.prompt(observation)},
        ]
        limits = self.spec.limits
        how: How = "error"
        try:
            schema = action_schema(observation.choices, limits)
            left_s = until - time.monotonic()
            reply = await self.conversation.ask("act", step, messages, schema, limits.act_tokens, left_s)
            decision = read_action(reply.text, observation.choices, self.spec.rng(step, "fallback"))
        except ChatError as failure:
            if failure.kind in ("fatal", "budget"):
                raise
            if time.monotonic() >= until:
                how = "late"
            # The optimizer is told what happened, but not by which machine.
            error, cause = str(failure), f"the language model did not answer ({failure.kind})"
        except Exception as failure:  # whatever went wrong is feedback to learn from, and is in the record
            error = cause = f"{type(failure).__name__}: {failure}"
        else:
            self.decided(observation, decision.action, None)
            self._key, self._action = observation.key, decision.action
            return self._turn(
                action=decision.action,
                how=decision.how,
                thoughts=decision.thoughts[: limits.thoughts_chars],
                reply=reply.text[:REPLY_KEPT_CHARS],
                repaired=decision.repaired,
                update=update,
            )
        self.decided(observation, None, cause)
        return self._turn(action=None, how=how, update=update, error=error)

    def _turn(self, **what: Any) -> Turn:
        exchanges = tuple(self.conversation.exchanges)
        times: dict[str, Any] = {"calls": tuple(self.calls), "learning_s": self._learning_s}
        return Turn(plan=self.plan, exchanges=exchanges, **times, **what)

    def _organized(self, observation: Observation) -> Observation:
        return replace(observation, text=organized(observation.text, self.spec.organization))

    def state(self) -> dict[str, Any]:
        return {"key": self._key, "action": self._action, "repeats": self._repeats}

    def load(self, state: Mapping[str, Any]) -> None:
        self._key, self._action, self._repeats = state["key"], state["action"], state["repeats"]
