"""The journal: an append-only log of everything a run did, and the only thing that is read afterwards.

A file is a magic line and then frames: length and CRC-32 of the payload (two big-endian unsigned
32-bit numbers), then the payload, one msgpack map. A frame is on disk before the run goes on, so a
run that is killed leaves a file whose last frame may be torn and whose other frames are whole. The
records, by their `kind`:

    begin   schema, version, config, model, agents, observations (the first of each agent)
    step    step, agents {verdict detail reward total turn lost_calls state}, result, step_s
    lesson  like step, without a result: the last learning after the last step
    abandoned  like lesson: the step in which the run was broken off, which never happened
    end     status (completed, interrupted, failed), success, error, wall_s
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..env.codec import pack, unpack

SCHEMA = 1
MAGIC = b"housemates journal 1\n"
FILE_NAME = "journal.msgpack"
MAX_FRAME_BYTES = 256 * 1024 * 1024
"""A frame that claims to be larger is damaged."""

_HEADER = struct.Struct(">II")


class JournalError(Exception):
    """A file is no journal, is of another format, or is damaged before its end."""


class Journal:
    """Writes the journal of one run; only one writer may have a file open."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            FileExistsError: there is one already.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._write(MAGIC)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record and wait until it is on disk.

        Raises:
            OSError: the disk is full or gone; what was appended before stays readable.
        """
        payload = pack(record)
        self._write(_HEADER.pack(len(payload), zlib.crc32(payload)) + payload)

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a journal in order; a torn last frame ends it silently, as a kill leaves one.

    Raises:
        JournalError: see there; what comes before the fault has been yielded.
        FileNotFoundError: no such file.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise JournalError(f"{path} is not a journal this version can read (its first line is not {MAGIC!r})")
        while header := file.read(_HEADER.size):
            position = file.tell() - len(header)
            if len(header) < _HEADER.size:
                return
            length, checksum = _HEADER.unpack(header)
            if length > MAX_FRAME_BYTES:
                raise JournalError(f"{path} is damaged at byte {position}: a record of {length} bytes")
            payload = file.read(length)
            if len(payload) < length:
                return
            if zlib.crc32(payload) != checksum:
                if not file.read(1):
                    return
                raise JournalError(f"{path} is damaged at byte {position}: the checksum does not match")
            yield unpack(payload)
