"""Random access into a journal: where each record lies, found without reading the records.

A pass over the file reads the header of each frame and as much of its payload as tells the kind and the
step, some hundred bytes. A journal that is still written is followed by calling `refresh` again.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from ...env.codec import unpack, unpack_first
from .log import FILE_NAME, HEADER, MAGIC, MAX_FRAME_BYTES, SCHEMA, JournalError, decompressed

_FIRST_BYTES = 512
"""So much of a payload is enough for the compression's own tables and for kind and step."""
_FIRST_CHARS = 96
"""So much of what is compressed: `{"kind": "abandoned", "step": 123456, …`."""

_MOMENTS = ("step", "lesson", "abandoned")
"""The records that tell what the agents did."""


class Frame(NamedTuple):
    """Where a record lies: its first byte, the length of its payload, its checksum, and what it is."""

    position: int
    length: int
    checksum: int
    kind: str


class JournalIndex:
    """The records of a journal by number, for one reader in one thread.

    Attributes:
        head: the `begin` record.
        moments: per step the number of the record that tells it. The lesson after the last step comes last;
            a step that was broken off counts only as long as it was not made up for.
        end: the last `end` record, or None while there is none (or the run was gone on with).
        torn_bytes: how much of a record follows the last whole one: it is being written, or its writer was killed.
        fault: what is wrong with the file, in one line; "" if nothing is. What lies before the fault can be read.
    """

    def __init__(self, run: Path) -> None:
        """Open the journal of the run in a folder.

        Raises:
            JournalError: there is no run, or it is of another format.
        """
        self.path = run / FILE_NAME
        try:
            self._file = self.path.open("rb", buffering=0)
        except OSError:
            raise JournalError(f"{run} holds no run (no {FILE_NAME} there)") from None
        try:
            if self._file.read(len(MAGIC)) != MAGIC:
                raise JournalError(
                    f"{self.path} is not a journal this version can read (its first line is not {MAGIC!r})"
                )
            self.frames: list[Frame] = []
            self.moments: list[int] = []
            self.end: dict[str, Any] | None = None
            self.fault = ""
            self.torn_bytes = 0
            self._position = len(MAGIC)
            self.refresh()
            if not self.frames:
                raise JournalError(self.fault or f"{run} holds no run: its journal ends before the first step")
            self.head = self.read(0)
            if self.head.get("kind") != "begin" or self.head.get("schema") != SCHEMA:
                raise JournalError(f"{self.path} is of another format than this version reads (schema {SCHEMA})")
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the journal."""
        self._file.close()

    def refresh(self) -> bool:
        """Take in what was written since the last time; returns whether anything was.

        A frame that is not whole yet is left for the next time.
        """
        size = os.fstat(self._file.fileno()).st_size
        known = len(self.frames)
        while not self.fault and self._position + HEADER.size <= size:
            first = os.pread(self._file.fileno(), HEADER.size + _FIRST_BYTES, self._position)
            length, checksum = HEADER.unpack_from(first)
            if length > MAX_FRAME_BYTES:
                self.fault = f"{self.path} is damaged at byte {self._position}: a record of {length} bytes"
            elif self._position + HEADER.size + length > size:
                break
            else:
                self._add(length, checksum, first[HEADER.size : HEADER.size + length])
        self.torn_bytes = max(0, size - self._position)
        return len(self.frames) > known

    def read(self, number: int) -> dict[str, Any]:
        """The record with this number.

        Raises:
            JournalError: it is damaged.
        """
        position, length, checksum, _ = self.frames[number]
        payload = os.pread(self._file.fileno(), length, position + HEADER.size)
        if zlib.crc32(payload) != checksum:
            raise JournalError(f"{self.path} is damaged at byte {position}: the checksum does not match")
        try:
            return unpack(decompressed(payload, self.path, position))
        except ValueError as error:
            raise JournalError(f"{self.path} is damaged at byte {position}: {error}") from None

    def step(self, step: int) -> dict[str, Any]:
        """The record that tells a step; `IndexError` if there is none.

        Raises:
            JournalError: it is damaged.
        """
        if step < 0:
            raise IndexError(step)
        return self.read(self.moments[step])

    def _add(self, length: int, checksum: int, first: bytes) -> None:
        number = len(self.frames)
        try:
            start = zlib.decompressobj().decompress(first, _FIRST_CHARS)
            kind = str(unpack_first(start, 1)["kind"])
            step = unpack_first(start, 2)["step"] if kind in _MOMENTS else -1
            if kind in _MOMENTS and not 0 <= step <= len(self.moments):
                raise ValueError(f"step {step} follows {len(self.moments)} steps")
        except (zlib.error, ValueError, KeyError) as error:
            self.fault = f"{self.path} is damaged at byte {self._position}: {error}"
            return
        self.frames.append(Frame(self._position, length, checksum, kind))
        self._position += HEADER.size + length
        if kind in _MOMENTS:
            self.moments[step:] = [number]
        if kind == "end":
            try:
                self.end = self.read(number)
            except JournalError as error:
                self.fault = str(error)
        elif kind == "resumed":
            self.end = None
