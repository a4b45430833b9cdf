"""The journal: an append-only log of everything a run did, and the only thing that is read afterwards.

A file is a magic line and then frames: length and CRC-32 of the payload (two big-endian unsigned
32-bit numbers), then the payload, one msgpack map, compressed (zlib: observations and states repeat
themselves). A frame is on disk before the run goes on, so a run that is killed leaves a file whose
last frame may be torn and whose other frames are whole. The records, by their `kind`:

    begin   schema, version, config, model, agents, observations (the first of each agent)
    resumed  step, version, budget: the run goes on here after an interruption
    step    step, agents {verdict detail reward total turn lost_calls state times}, result, and seconds (see
            `orchestrator.step_clock`): step_s, of them turns_s and world_s; journal_s, of the record before
    placed  machines: who is on which machine of a cluster, whenever that has changed
    lesson  like step, without a result: the last learning after the last step
    abandoned  like lesson: the step in which the run was broken off, which never happened
    end     status (completed, interrupted, failed, budget_exceeded), success, error, wall_s
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from ...env.codec import pack, unpack

SCHEMA = 2
MAGIC = b"housemates journal 2\n"
FILE_NAME = "journal.msgpack"
MAX_FRAME_BYTES = 256 * 1024 * 1024
"""A frame that claims to be larger, compressed or not, is damaged."""
_COMPRESSION = 1
"""The fastest level: text shrinks some eightfold already."""

HEADER = struct.Struct(">II")
"""Of a frame: the length of its payload, and its checksum."""
_OF_SCHEMA = re.compile(rb"housemates journal ([0-9]{1,9})$", re.M)


class JournalError(Exception):
    """A file is no journal, is of another format, or is damaged before its end."""


class Journal:
    """Writes the journal of one run; only one writer may have a file open, which it locks for as long."""

    def __init__(self, path: Path, *, after: int | None = None) -> None:
        """Create the file, or go on with one.

        Args:
            path: of the file.
            after: None: a new file. Otherwise go on after this byte of an existing one, as `whole_bytes`
                gives it; what follows there, a torn frame, is cut off.

        Raises:
            FileExistsError: there is one already, and no `after` is given.
            JournalError: another process writes it.
        """
        how = os.O_CREAT | os.O_EXCL if after is None else 0
        self._file = FileIO(os.open(path, os.O_WRONLY | how, 0o600), "w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(f"{path} is being written: the run goes on already") from None
        self._end = after or 0
        self._file.truncate(self._end)
        self._file.seek(self._end)
        if after is None:
            self._write(MAGIC)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record and wait until it is on disk.

        Raises:
            OSError: the disk is full or gone, or the record larger than anybody reads; what was appended before
                stays readable.
        """
        packed = pack(record)
        if len(packed) > MAX_FRAME_BYTES:
            raise OSError(errno.EFBIG, f"a record of {len(packed)} bytes, more than {MAX_FRAME_BYTES}")
        payload = zlib.compress(packed, _COMPRESSION)
        self._write(HEADER.pack(len(payload), zlib.crc32(payload)) + payload)

    def close(self) -> None:
        """Let go of the file and of the lock on it."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:  # leave no half a frame in the way of the next one
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise
        self._end += len(data)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a journal in order; a torn last frame ends it silently, as a kill leaves one.

    Raises:
        JournalError: see there; what comes before the fault has been yielded.
        FileNotFoundError: no such file.
    """
    for end, payload in _frames(path):
        try:
            record = unpack(payload)
        except ValueError as error:
            raise JournalError(f"{path} is damaged before byte {end}: {error}") from None
        if not isinstance(record, dict):
            raise JournalError(f"{path} is damaged before byte {end}: a record that is no map")
        yield record


def whole_bytes(path: Path) -> int:
    """How long a journal is without a torn last frame.

    Raises:
        JournalError, FileNotFoundError: as `read_journal`.
    """
    length = len(MAGIC)
    for end, _ in _frames(path):
        length = end
    return length


def _frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Where each whole frame ends, and what is in it."""
    with path.open("rb") as file:
        first = file.read(len(MAGIC))
        if first != MAGIC:
            other = _OF_SCHEMA.match(first)
            if other:
                raise JournalError(f"{path} is a journal of schema {int(other[1])}; this version reads {SCHEMA} only")
            raise JournalError(f"{path} is not a journal this version can read (its first line is not {MAGIC!r})")
        while header := file.read(HEADER.size):
            position = file.tell() - len(header)
            if len(header) < HEADER.size:
                return
            length, checksum = HEADER.unpack(header)
            if length > MAX_FRAME_BYTES:
                raise JournalError(f"{path} is damaged at byte {position}: a record of {length} bytes")
            payload = file.read(length)
            if len(payload) < length:
                return
            if zlib.crc32(payload) != checksum:
                if not file.read(1):
                    return
                raise JournalError(f"{path} is damaged at byte {position}: the checksum does not match")
            yield file.tell(), decompressed(payload, path, position)


def decompressed(payload: bytes, path: Path, position: int) -> bytes:
    """What is in the frame that begins at `position`.

    Raises:
        JournalError: the payload is damaged, or holds more than a record may.
    """
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(payload, MAX_FRAME_BYTES)
    except zlib.error as error:
        raise JournalError(f"{path} is damaged at byte {position}: {error}") from None
    if not engine.eof:
        raise JournalError(f"{path} is damaged at byte {position}: a record of more than {MAX_FRAME_BYTES} bytes")
    return content
