"""What an OpenAI-compatible endpoint understands and asks for, learned from its refusals."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

# Best first: constrained decoding, any JSON, whatever the model writes.
FORMATS = ("json_schema", "json_object", "none")

_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|"
    r"extra (inputs|fields)|invalid"
)
_FORMAT = re.compile(r"response_?format|json_?\s?(schema|object|mode)|structured|schema|grammar|guided")
_CONTEXT = re.compile(r"context[_ ](length|window|size)|too many tokens|prompt is too long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a model, before it is put into words its endpoint understands."""

    messages: list[dict[str, str]]
    schema: dict[str, Any] | None
    max_tokens: int
    seed: int | None
    temperature: float


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one endpoint is known to understand. Immutable, so a call knows what its request was built with."""

    format: str = FORMATS[0]
    tokens: str = "max_tokens"
    dropped: frozenset[str] = frozenset()

    def body(self, model: str, request: Request) -> dict[str, Any]:
        """The JSON body of a chat completion request."""
        body: dict[str, Any] = {"model": model, "messages": request.messages, self.tokens: request.max_tokens}
        if "temperature" not in self.dropped:
            body["temperature"] = request.temperature
        if request.seed is not None and "seed" not in self.dropped:
            body["seed"] = request.seed
        if request.schema is not None and self.format == "json_schema":
            form = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        elif request.schema is not None and self.format == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def simpler(self, complaint: str, sent: Mapping[str, Any]) -> Dialect | None:
        """The next dialect to try after a 400 with this text, or None if it is about something else.

        Each step is one-way, so there are at most five of them.
        """
        text = complaint.lower()
        if is_context_error(text):
            return None

        def refused(name: str) -> bool:
            return name in sent and re.search(rf"\b{name}\b", text) is not None

        if refused("max_tokens") and ("max_completion_tokens" in text or _UNSUPPORTED.search(text)):
            return replace(self, tokens="max_completion_tokens")
        for name in ("temperature", "seed"):
            if refused(name) and _UNSUPPORTED.search(text):
                return replace(self, dropped=self.dropped | {name})
        if "response_format" in sent and _FORMAT.search(text):
            return replace(self, format=FORMATS[FORMATS.index(self.format) + 1])
        return None


def is_context_error(complaint: str) -> bool:
    """Whether a refusal says that the prompt does not fit the model's context."""
    return _CONTEXT.search(complaint.lower()) is not None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) * scale
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
