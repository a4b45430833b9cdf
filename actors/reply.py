"""From a model's reply to one of the offered actions.

The rules follow the text agents of VirtualHome (Guo et al. 2024, and the Trace example): the exact
action, its letter, or the same object with the most similar verb; else a seeded random choice, which
is counted and reported. What we do differently: "None" is honoured, letters go past Z, a reply that is
not JSON is repaired if it is nearly JSON, else read as text, instead of ending the episode; and a message must be one
that was offered.
"""

from __future__ import annotations

import difflib
import json
import random
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import json_repair

from ..env.wording import letters
from ..env.world import MESSAGE_PLACEHOLDER, format_message, is_message, parse_message
from .agent import ReplyLimits
from .turn import How

MAX_REPLY_CHARS = 100_000
"""Longer replies are no answers; parsing one must not hold up the other agents of the process."""

MAX_REPAIRED_CHARS = 6000
"""Longer replies are not repaired: with the worst of texts the repair's time grows with the square of the length."""

_OBJECT = re.compile(r"(?:\[(?P<verb>\w+)\]\s*)?<(?P<name>[^<>]+)>\s*\((?P<id>\d+)\)")
_LABEL = re.compile(r"(?:option\s+)?\(?(?P<label>[A-Z]{1,3})\)?(?:[.,:)]\s*(?P<rest>.*)|\s*)", re.S | re.I)


class Decision(NamedTuple):
    """An action, what the model said it thought, how the action was found, and whether the reply had to be repaired."""

    action: str | None
    thoughts: str
    how: How
    repaired: bool = False


class Reading(NamedTuple):
    """The JSON object in a reply, None if there is none, and whether it had to be repaired."""

    data: dict[str, Any] | None
    repaired: bool = False


def read_json(text: str) -> dict[str, Any] | None:
    """The JSON object in a reply, with or without a fence or prose around it; None if there is none.

    A missing last brace is forgiven. Replies beyond `MAX_REPLY_CHARS` and absurdly nested ones are not read.
    """
    if len(text) > MAX_REPLY_CHARS:
        return None
    start, end = text.find("{"), text.rfind("}")
    inner = text[start : end + 1] if 0 <= start < end else ""
    for candidate in (text, inner, inner + "}"):
        try:
            data = json.loads(candidate, strict=False)  # models put raw newlines into strings
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return {key: _clean(value) for key, value in data.items()}
    return None


def read_object(text: str, key: str) -> Reading:
    """The JSON object with this key in a reply, repaired if the text is only nearly JSON.

    Without the key, what comes out of a repair is nothing that was meant.
    """
    data = read_json(text)
    if data is not None:
        return Reading(data)
    start = text.find("{")
    if start < 0 or len(text) > MAX_REPAIRED_CHARS:
        return Reading(None)
    try:
        mended: Any = json_repair.loads(text[start:], skip_json_loads=True)
    except (ValueError, RecursionError):
        return Reading(None)
    if isinstance(mended, list):  # an object with prose after it comes back in a list
        mended = next((part for part in mended if isinstance(part, dict) and key in part), None)
    if not isinstance(mended, dict) or key not in mended:
        return Reading(None)
    return Reading({str(name): _clean(value) for name, value in mended.items()}, repaired=True)


def read_action(reply: str, choices: Sequence[str], rng: random.Random) -> Decision:
    """Match a reply to one of `choices`, a filled-in message form, or nothing.

    Args:
        reply: the model's raw text.
        choices: the available actions in the order of their letters.
        rng: for the choice when nothing matches; used only then.
    """
    reply = reply[:MAX_REPLY_CHARS]
    data, repaired = read_object(reply, "action")
    action: object = reply if data is None else data.get("action", "")
    thoughts = str(data.get("thoughts", "")) if data else ""
    if action is None:
        return Decision(None, thoughts, "none", repaired)
    text = action.strip() if isinstance(action, str) else ""
    if text.strip("\"'. ").lower() == "none":
        return Decision(None, thoughts, "none", repaired)
    message = "" if data is None else data.get("message")
    found = _message(text, message if isinstance(message, str) else "", choices) or _match(text, choices)
    if found:
        return Decision(found[0], thoughts, found[1], repaired)
    actions = [choice for choice in choices if not is_message(choice)]
    return Decision(rng.choice(actions) if actions else None, thoughts, "random", repaired)


def action_schema(choices: Sequence[str], limits: ReplyLimits) -> dict[str, Any]:
    """The JSON schema that makes a model answer with thoughts and one of `choices`."""
    offered = [choice for choice in choices if not is_message(choice)]
    if limits.may_idle or not offered:
        offered.append("None")
    actions: list[dict[str, Any]] = [{"type": "string", "enum": offered}]
    forms = [re.escape(c.removesuffix(MESSAGE_PLACEHOLDER)).replace("\\ ", " ") for c in choices if is_message(c)]
    if forms:
        # No small letter first: small models would copy the form's placeholder.
        words = f'[^"\\\\\\n<>a-z ][^"\\\\\\n<>]{{1,{limits.message_chars - 1}}}'
        actions.append({"type": "string", "pattern": f"^({'|'.join(forms)}){words}$"})
    return {
        "type": "object",
        "properties": {
            "thoughts": {"type": "string", "maxLength": limits.thoughts_chars},
            "action": {"anyOf": actions} if forms else actions[0],
        },
        "required": ["thoughts", "action"],
        "additionalProperties": False,
    }


def _clean(value: Any) -> Any:
    """Replace lone surrogates, which JSON can spell but nothing can store or send."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return value


def _message(text: str, separate: str, choices: Sequence[str]) -> tuple[str, How] | None:
    """A filled-in form. The text may stand in the action or, as some models do, in a field of its own."""
    parsed = parse_message(text)
    if parsed is None:
        return None
    blank = ("", MESSAGE_PLACEHOLDER)
    words = separate.strip() if parsed.text in blank else parsed.text
    for choice in choices:
        form = parse_message(choice) if is_message(choice) else None
        if form and form.name == parsed.name and words not in blank:
            return format_message(form.name, form.number, words), "message"
    return None


def _match(text: str, choices: Sequence[str]) -> tuple[str, How] | None:
    actions = [choice for choice in choices if not is_message(choice)]
    if text in actions:
        return text, "exact"
    labelled = _LABEL.fullmatch(text)
    if labelled:
        by_label = {letters(index): choice for index, choice in enumerate(choices)}
        rest = (labelled["rest"] or "").strip()
        if rest in actions:
            return rest, "exact"
        choice = by_label.get(labelled["label"].upper())
        if choice in actions and (not rest or not _OBJECT.search(rest)):
            return choice, "letter"
    for found in _OBJECT.finditer(text):
        same = [a for a in actions if f"<{found['name']}> ({found['id']})" in a]
        if same:
            exact = next((a for a in same if a == found[0]), None)
            if exact:
                return exact, "exact"
            verb = found["verb"] or ""
            return max(same, key=lambda a: difflib.SequenceMatcher(None, verb, _verb(a)).ratio()), "similar"
    return None


def _verb(action: str) -> str:
    return action[1:].split("]", 1)[0]
