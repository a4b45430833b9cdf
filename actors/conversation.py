"""An agent's side of its model calls: asked once, counted whatever becomes of them, recorded or played back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from .agent import AgentSpec
from .model.chat import ChatError, ChatModel, Reply
from .reply import MAX_REPLY_CHARS
from .tape import Tape
from .turn import Call, Exchange, Purpose

TEMPERATURE = 0.0
"""Agents ask for the most likely reply."""


class Conversation:
    """The calls of one agent, turn by turn.

    Args:
        spec: the agent's; says whether calls are recorded, or played back.
        chat: the model it acts with.
        learn_chat: the model it learns with; by default the same.

    Attributes:
        calls: those of the running or last turn.
        exchanges: the same in full, if they are recorded.
    """

    def __init__(self, spec: AgentSpec, chat: ChatModel, learn_chat: ChatModel | None = None) -> None:
        self._spec = spec
        self._caller = f"{spec.seed}/{spec.name}"  # households that share a process have agents of the same names
        self._models = {"act": chat, "learn": learn_chat or chat}
        self._tape = None if spec.tape is None else Tape(spec.tape)
        self.calls: list[Call] = []
        self.exchanges: list[Exchange] = []

    def begin(self) -> None:
        """A turn begins."""
        self.calls, self.exchanges = [], []
        if self._tape is not None:
            self._tape.rewind()

    async def ask(
        self,
        purpose: Purpose,
        step: int,
        messages: list[dict[str, str]],
        schema: dict[str, Any] | None,
        max_tokens: int,
        deadline_s: float,
    ) -> Reply:
        """Ask the model once.

        Raises:
            ChatError: no reply, after the client's own retries.
        """
        request: dict[str, Any] = {
            "messages": messages,
            "schema": schema,
            "max_tokens": max_tokens,
            "seed": self._spec.request_seed(step, purpose),
            "temperature": TEMPERATURE,
        }
        model = self._models[purpose]
        # What was sent, before it is put into the endpoint's dialect: which dialect that is, is found out on the way.
        sent = {"model": model.endpoint.model, **request}
        began = time.monotonic()
        try:
            if self._tape is not None:
                reply = self._tape.play(step, sent)
            else:
                reply = await model.complete(**request, deadline_s=deadline_s, caller=self._caller)
        except ChatError as error:
            if error.kind == "budget":  # it was never begun
                raise
            self.calls.append(
                Call(
                    purpose=purpose,
                    seconds=error.seconds,
                    attempts=error.attempts,
                    error=error.kind,
                    queued_s=error.queued_s,
                    waited_s=error.waited_s,
                )
            )
            self._record(Exchange(request=sent, reply=None, error=error.kind))
            raise
        except BaseException as error:  # cancelled, above all
            seconds = time.monotonic() - began
            self.calls.append(Call(purpose=purpose, seconds=seconds, error=type(error).__name__))
            raise
        if len(reply.text) > MAX_REPLY_CHARS:  # one more says that it was too long
            reply = replace(reply, text=reply.text[: MAX_REPLY_CHARS + 1])
        self.calls.append(
            Call(
                purpose=purpose,
                seconds=reply.seconds,
                attempts=reply.attempts,
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
                queued_s=reply.queued_s,
                waited_s=reply.waited_s,
            )
        )
        self._record(
            Exchange(
                request=sent,
                reply=reply.text,
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
                finish_reason=reply.finish_reason,
            )
        )
        return reply

    def _record(self, exchange: Exchange) -> None:
        if self._spec.record:
            self.exchanges.append(exchange)
