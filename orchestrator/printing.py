"""Untrusted text, made fit for showing."""

from __future__ import annotations


def printable(text: str) -> str:
    """Untrusted text with spaces in place of characters that could drive the terminal or turn the line around."""
    return "".join(c if c.isprintable() else " " for c in text)


def one_line(text: str, limit: int) -> str:
    """Untrusted text on one line of at most `limit` characters.

    Control characters, which could drive the terminal, become spaces.
    """
    clean = " ".join(printable(text).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
