"""What every language-model agent does with a turn: repeat, obey its body, or ask the model."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..env.world import Observation, is_message
from .agent import MAX_REPEATS, Agent, AgentSpec
from .chat import ChatError, ChatModel, Reply
from .reply import action_schema, read_action
from .turn import REPLY_KEPT_CHARS, Call, How, PlanUpdate, Purpose, Turn

USED_SHARE = 0.9
"""The share of a turn's deadline that is planned for; the rest is for everything but waiting."""

LEARN_SHARE = 0.5
"""The share of that which learning may take, so that an agent always gets to act."""

INSTRUCTION = "You are a member of a household who decides what to do next. Answer with JSON only."


class LanguageAgent(Agent):
    """Asks a model for the next action when something relevant changed since the last time.

    Subclasses say what the prompt is and what they learn.
    """

    def __init__(self, spec: AgentSpec, chat: ChatModel) -> None:
        self.spec = spec
        self._chat = chat
        self._key: str | None = None  # of the observation that the last action answered; None: think again
        self._action: str | None = None
        self._repeats = 0
        self.calls = []

    @abstractmethod
    def prompt(self, observation: Observation) -> str:
        """The text the model is asked with."""

    @property
    def plan(self) -> str:
        """The plan in force; "" for agents without one."""
        return ""

    async def learn(self, step: int, observation: Observation, feedback: str, deadline_s: float) -> PlanUpdate | None:
        """Improve, given what the last thought led to; None if there is nothing to learn from.

        Raises:
            ChatError: only a fatal one; everything else that goes wrong is a rejected update.
        """
        return None

    def decided(self, observation: Observation, action: str | None, error: str | None) -> None:
        """A thought about `observation` led to `action`, or to an error (in words that fit into a prompt)."""

    async def turn(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        self.calls = []
        if observation.reflex is not None:
            self._key = None
            return Turn(action=observation.reflex, how="reflex", plan=self.plan)
        if observation.key == self._key and self._repeats < MAX_REPEATS and not is_message(self._action):
            self._repeats += 1
            return Turn(action=self._action, how="sticky", plan=self.plan)
        until = time.monotonic() + deadline_s * USED_SHARE
        update = await self.learn(step, observation, feedback, deadline_s * USED_SHARE * LEARN_SHARE)
        return await self._think(step, observation, update, until)

    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        self.calls = []
        update = await self.learn(step, observation, feedback, deadline_s * USED_SHARE)
        return Turn(action=None, how="none", plan=self.plan, update=update, calls=tuple(self.calls))

    async def _think(self, step: int, observation: Observation, update: PlanUpdate | None, until: float) -> Turn:
        self._key, self._action, self._repeats = None, None, 0
        messages = [
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": self.prompt(observation)},
        ]
        limits = self.spec.limits
        how: How = "error"
        try:
            schema = action_schema(observation.choices, limits)
            left_s = until - time.monotonic()
            reply = await self.ask("act", step, messages, schema, limits.act_tokens, left_s)
            decision = read_action(reply.text, observation.choices, self.spec.rng(step, "fallback"))
        except ChatError as failure:
            if failure.kind == "fatal":
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
            return Turn(
                action=decision.action,
                how=decision.how,
                plan=self.plan,
                thoughts=decision.thoughts[: limits.thoughts_chars],
                reply=reply.text[:REPLY_KEPT_CHARS],
                update=update,
                calls=tuple(self.calls),
            )
        self.decided(observation, None, cause)
        return Turn(action=None, how=how, plan=self.plan, update=update, calls=tuple(self.calls), error=error)

    async def ask(
        self,
        purpose: Purpose,
        step: int,
        messages: list[dict[str, str]],
        schema: dict[str, Any],
        max_tokens: int,
        deadline_s: float,
    ) -> Reply:
        """Ask the model once, and enter the call into `calls` whatever becomes of it.

        Raises:
            ChatError: no reply, after the client's own retries.
        """
        seed = self.spec.request_seed(step, purpose)
        began = time.monotonic()
        try:
            reply = await self._chat.complete(
                messages, schema=schema, max_tokens=max_tokens, seed=seed, deadline_s=deadline_s
            )
        except ChatError as error:
            self.calls.append(Call(purpose=purpose, seconds=error.seconds, attempts=error.attempts, error=error.kind))
            raise
        except BaseException as error:  # cancelled, above all
            seconds = time.monotonic() - began
            self.calls.append(Call(purpose=purpose, seconds=seconds, error=type(error).__name__))
            raise
        self.calls.append(
            Call(
                purpose=purpose,
                seconds=reply.seconds,
                attempts=reply.attempts,
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
            )
        )
        return reply

    def state(self) -> dict[str, Any]:
        return {"key": self._key, "action": self._action, "repeats": self._repeats}

    def load(self, state: Mapping[str, Any]) -> None:
        self._key, self._action, self._repeats = state["key"], state["action"], state["repeats"]
