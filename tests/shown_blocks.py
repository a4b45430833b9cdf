"""What a document shows: its fenced blocks, and the comments that say how they are run.

A comment of its own line tells the test (and whoever edits the page) what the page does not:

    <!-- not run: it needs a key -->     before a block: its commands are only parsed
    <!-- file: mine.py -->               before a block: saved under this name where the page's commands run
    <!-- run: housemates run --out a --> anywhere: run first, not shown
    <!-- set: HOUSEMATES_STEPS=150 -->   anywhere: a variable from here on
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_COMMENT = re.compile(r"<!-- (not run|file|run|set)(?:: (.*?))? -->")
_FENCE = re.compile(r"( *)```(\S*)")
_BEFORE_A_BLOCK = ("not run", "file")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, or a comment that does something of its own (language `run` or `set`)."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def place(self) -> str:
        """Where it stands."""
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page
        return f"{page}:{self.line}"


def read_blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in their order.

    Raises:
        ValueError: a fence is never closed, or a comment belongs before a block and is not.
    """
    lines = iter(enumerate(page.read_text().splitlines(), 1))
    marks: dict[str, str] = {}
    for number, line in lines:
        if comment := _COMMENT.fullmatch(line.strip()):
            if comment[1] in _BEFORE_A_BLOCK:
                marks[comment[1]] = comment[2] or ""
            else:
                yield Block(page, number, comment[1], comment[2], marks)
                marks = {}
        elif fence := _FENCE.match(line):
            yield Block(page, number, fence[2], _inside(lines, fence[1] + "```", f"{page}:{number}"), marks)
            marks = {}
        elif marks:
            raise ValueError(f"{page}:{number}: a comment that belongs before a block is not before one")


def _inside(lines: Iterator[tuple[int, str]], fence: str, where: str) -> str:
    taken: list[str] = []
    for _, line in lines:
        if line.rstrip() == fence:
            return textwrap.dedent("\n".join(taken)) + "\n"
        taken.append(line)
    raise ValueError(f"{where}: the block has no end")


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a block of shell lines with what is printed after each (in a `console` block).

    A backslash at the end of a line joins the next one to it. Comments and empty lines are no commands.
    """
    text = block.text.replace("\\\n", " ")
    if block.language != "console":
        yield from ((line, "") for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
        return
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed
