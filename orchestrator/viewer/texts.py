"""Untrusted text on its way to the page: always as JSON strings, shortened, the rest on demand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

SHOWN_CHARS = 4000
"""Longer texts are cut; the page loads more when asked to."""
LOADED_CHARS = 64_000
"""How much is loaded at once then."""
LABEL_CHARS = 160
"""How much of an action or a detail is shown in a list."""
COMPARED_CHARS = 20_000
"""Texts longer than this are not compared: the time that takes grows with the square of it."""

_WORDS = re.compile(r"\s+|<[\w ]+> \(\d+\)|\w+|[^\w\s]")
"""What is compared as one piece; a thing with its number, `<cup> (7)`, is."""


def clip(text: str | None, limit: int = SHOWN_CHARS) -> dict[str, Any]:
    """The beginning of a text, and how long all of it is, in characters."""
    text = text or ""
    return {"text": text[:limit], "length": len(text)}


def label(text: str | None) -> str | None:
    """A text for a list, cut with an ellipsis."""
    return text if text is None or len(text) <= LABEL_CHARS else text[: LABEL_CHARS - 1] + "…"


def word_diff(old: str, new: str) -> list[tuple[str, str]] | None:
    """What became of a text: pairs of `=`, `-` or `+` and words; None if it is too long to compare."""
    if max(len(old), len(new)) > COMPARED_CHARS:
        return None
    return list(_changes(_WORDS.findall(old), _WORDS.findall(new)))


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for what, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            yield "=", "".join(old[i:j])
            continue
        if i < j:
            yield "-", "".join(old[i:j])
        if k < m:
            yield "+", "".join(new[k:m])
