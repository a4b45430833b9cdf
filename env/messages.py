"""Messages between agents: who may send what to whom, and what of it arrives. For any world in which agents speak."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from .world import (
    EVERYONE,
    MESSAGE_PLACEHOLDER,
    PLAN_TOKEN,
    Message,
    format_message,
    parse_message,
)

MAX_MESSAGE_CHARS = 500
"""The text agents of VirtualHome (cwah) cut messages at this length."""

_READ_CHARS = 20 * MAX_MESSAGE_CHARS
"""What is beyond is not even looked at."""

_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТХІЈЅавекмнорстхуіјѕԁԛԝɡɩΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορικτυ։׃܃ːˑ∶꞉︰【〔〖⦋】〕〗⦌‚٫",
    "ABEKMHOPCTXIJSabekmhopctxyijsdqwgiABEZHIKMNOPTYXavopiktu::::::::[[[[]]]],.",
)
"""Letters and signs that look like those of the prompt's own lines (what NFKC does not already unite)."""

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
"""Signs that show nothing and yet are no format characters."""

_MARKER = re.compile(
    r"(Goal|Plan|Progress|Dialogue history|Previous actions|Available actions|Response format|Note"
    r"|Organization instructions)(\s*:)",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?<=[A-Za-z])(\.)(?=\s*\[)")


def message_forms(me: int, members: Mapping[str, int]) -> tuple[str, ...]:
    """The forms an agent can fill in: one per teammate, and one for all if there are several.

    Args:
        me: the agent's number.
        members: the numbers of its team by name, its own among them.
    """
    others = {name: number for name, number in members.items() if number != me}
    forms = [format_message(name, number, MESSAGE_PLACEHOLDER) for name, number in others.items()]
    return (*forms, format_message(EVERYONE, 0, MESSAGE_PLACEHOLDER)) if len(others) > 1 else tuple(forms)


def clean_message(text: str) -> str:
    """A message as it is delivered: one line, at most 500 characters, unable to pass for part of a prompt."""
    text = "".join(char for char in text[:_READ_CHARS] if unicodedata.category(char) != "Cf")
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = text[:MAX_MESSAGE_CHARS].strip().replace(PLAN_TOKEN, "(plan)")
    text = _replace(_MARKER, text, 2, " -")
    return _replace(_OPTION, text, 1, "")[:MAX_MESSAGE_CHARS].strip()


def _replace(pattern: re.Pattern[str], text: str, group: int, new: str) -> str:
    """Replace one group of each match, also where the text only looks like one."""
    for match in reversed([*pattern.finditer(text.translate(_LOOK_ALIKES))]):
        text = text[: match.start(group)] + new + text[match.end(group) :]
    return text


def read_message(action: str, sender: int, members: Mapping[str, int]) -> Message | str:
    """The message an action sends, or why it cannot be sent.

    Args:
        action: what the agent chose.
        sender: who the world knows it is.
        members: the numbers of the sender's team by name, the sender's own among them.
    """
    parsed = parse_message(action)
    if parsed is None:
        return "a message is written [send_message] <name> (id): text"
    receiver, text = parsed.name, clean_message(parsed.text)
    if members.get(receiver) == sender:
        return "nobody sends messages to oneself"
    number = 0 if receiver == EVERYONE and len(members) > 1 else members.get(receiver)
    if number is None:
        return f"there is no {clean_message(receiver)} in the team to send a message to"
    if parsed.number != number:
        return f"{receiver} is not number {parsed.number}"
    if text in ("", MESSAGE_PLACEHOLDER):
        return "the message has no text"
    names = {number: name for name, number in members.items()}
    return Message(sender=names[sender], receiver=receiver, text=text)
