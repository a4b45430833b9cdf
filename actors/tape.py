"""Plays one agent's recorded model calls back to it, in place of a model."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from .cassette import Reel, address
from .model.chat import ChatError, ErrorKind, Reply

_SHOWN_CHARS = 120


class Tape:
    """Answers requests with what was answered when the run was recorded.

    A turn that is taken again (its process was lost) is answered again: what counts is the agent, the
    step, what was sent, and how often exactly that has been sent within the turn.

    Args:
        packed: the agent's `Reel`.
    """

    def __init__(self, packed: bytes) -> None:
        self._reel = Reel.unpacked(packed)
        self._asked: Counter[str] = Counter()

    def rewind(self) -> None:
        """A turn begins."""
        self._asked.clear()

    def play(self, step: int, request: Mapping[str, Any]) -> Reply:
        """The recorded answer to a request.

        Raises:
            ChatError: as recorded; or a fatal one: this was never asked.
        """
        wanted = address(request)
        recorded = self._reel.exchanges.get(step, [])
        same = [exchange for exchange in recorded if address(exchange.request) == wanted]
        nth = self._asked[wanted]
        self._asked[wanted] += 1
        if nth >= len(same):
            what = f"step {step}: nothing to replay: {self._difference(step, request, nth)}"
            raise ChatError(what, kind="fatal")
        exchange = same[nth]
        if exchange.reply is None:
            kind = cast(ErrorKind, exchange.error)
            raise ChatError(f"recorded: the call failed ({kind})", kind=kind, attempts=1)
        return Reply(
            text=exchange.reply,
            prompt_tokens=exchange.prompt_tokens,
            completion_tokens=exchange.completion_tokens,
            seconds=0.0,
            attempts=1,
            finish_reason=exchange.finish_reason,
        )

    def _difference(self, step: int, request: Mapping[str, Any], nth: int) -> str:
        """Why there is no answer to a request: how it differs from the recorded one that is most like it."""
        if nth:
            return f"the same request was recorded {nth} times in this step, not {nth + 1} times"
        recorded = self._reel.exchanges.get(step, [])
        if not recorded:
            last = max((s for s, exchanges in self._reel.exchanges.items() if exchanges), default=None)
            return "no call was recorded in this step; " + (
                "none at all" if last is None else f"the last one of this agent was in step {last}"
            )
        nearest = max(recorded, key=lambda exchange: _likeness(exchange.request, request))
        return "the recorded run asked something else: " + _first_difference(nearest.request, request)


def _likeness(recorded: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[bool, int]:
    """System messages tell learning from acting; then the lines in common count."""
    lines = set(_text(request).split("\n"))
    common = sum(line in lines for line in _text(recorded).split("\n"))
    return recorded["messages"][:1] == request["messages"][:1], common


def _first_difference(recorded: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    was, now = _text(recorded).split("\n"), _text(request).split("\n")
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag != "equal":
            there, here = " / ".join(was[i:i_end]), " / ".join(now[j:j_end])
            return f"where it had {_shown(there)}, there is {_shown(here)}"
    names = sorted(request.keys() | recorded.keys())
    other = [name for name in names if name != "messages" and recorded.get(name) != request.get(name)]
    return ", ".join(f"{n} was {_shown(str(recorded.get(n)))}, is {_shown(str(request.get(n)))}" for n in other)


def _text(request: Mapping[str, Any]) -> str:
    return "\n".join(message["content"] for message in request["messages"])


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…")
