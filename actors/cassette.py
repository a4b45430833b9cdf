"""Cassettes: all that the models of a run were asked and answered, in one file, to play it again without them.

A file is a magic line and then one zlib stream of msgpack maps, told apart by their `kind`:

    begin     config (what defines the run)
    exchange  agent, step, then the fields of `actors.turn.Exchange`
    missing   agent, step, late: a turn that did not count (see `Reel`)
    end       status, digest (of the run's trajectory), frames (how many came before)

Exchanges are found again by content: by agent, step and a hash of everything that was sent. No key ever gets here: a
request has none, and of a failed call only the kind of failure is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, get_args

from msgpack.exceptions import UnpackException

from ..env.codec import pack, stream_unpacker, unpack
from .model.chat import ErrorKind
from .turn import Exchange

MAGIC = b"housemates cassette 1\n"
MAX_BYTES = 8 * 2**30
"""The most a cassette may hold, unpacked; reading one takes that much memory. Room for about a million calls."""
MAX_FRAME_BYTES = 16 * 2**20
_CHUNK_BYTES = 2**12  # which unpack to 4 MB at most
_KINDS = frozenset(get_args(ErrorKind))


class CassetteError(Exception):
    """A file is no cassette, is damaged or incomplete, or cannot be written; the message names it."""


@dataclass(slots=True)
class Reel:
    """What was recorded of one agent.

    Attributes:
        exchanges: its model calls, by step.
        missing: the steps in which its turn did not count, and whether it was too late (else its process was lost, or
            its code failed). Nothing of such a turn was kept, so it is not taken in the replay either.
    """

    exchanges: dict[int, list[Exchange]] = field(default_factory=dict)
    missing: dict[int, bool] = field(default_factory=dict)

    def packed(self) -> bytes:
        """The reel as compact bytes, to be sent to where its agent lives."""
        exchanges = {step: [asdict(e) for e in these] for step, these in self.exchanges.items()}
        return zlib.compress(pack([exchanges, self.missing]))

    @classmethod
    def unpacked(cls, data: bytes) -> Reel:
        """Undoes `packed`."""
        exchanges, missing = unpack(zlib.decompress(data))
        return cls(
            {step: [Exchange(**e) for e in these] for step, these in exchanges.items()},
            missing,
        )


class Cassette(NamedTuple):
    """A whole cassette: what defines the recorded run, its reels by agent, and how it ended."""

    config: dict[str, Any]
    reels: dict[str, Reel]
    status: str
    digest: str


def address(request: Mapping[str, Any]) -> str:
    """The content address of a request: equal for two requests exactly if everything sent was equal."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


class CassetteWriter:
    """Writes one cassette. Until `close` the file lacks its end, and nobody takes it for a whole one."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            CassetteError: there is one already, or it cannot be created.
        """
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CassetteError(f"{path} exists already; name a new file to record to") from None
        except OSError as error:
            raise CassetteError(f"cannot record to {path}: {error.strerror or error}") from None
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._file.write(MAGIC)
        self._stream = zlib.compressobj(9)
        self._frames = 0
        self._bytes = 0

    def begin(self, config: Mapping[str, Any]) -> None:
        """Write the run's configuration, first of all."""
        self._write({"kind": "begin", "config": config})

    def exchange(self, agent: str, step: int, exchange: Mapping[str, Any]) -> None:
        """Add an `Exchange` as plain types."""
        self._write({"kind": "exchange", "agent": agent, "step": step, **exchange})

    def missing(self, agent: str, step: int, *, late: bool) -> None:
        """Note that a turn did not count, and whether because it was late (see `Reel`)."""
        self._write({"kind": "missing", "agent": agent, "step": step, "late": late})

    def close(self, status: str, digest: str) -> None:
        """Write the end: from here on the cassette is whole."""
        self._write({"kind": "end", "status": status, "digest": digest, "frames": self._frames})
        self._file.write(self._stream.flush())
        self._file.close()

    def discard(self) -> None:
        """Remove the file: there was nothing to record."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self, frame: Mapping[str, Any]) -> None:
        data = pack(frame)
        self._frames += 1
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise CassetteError(f"the cassette {self.path} is full: it holds {MAX_BYTES} bytes")
        self._file.write(self._stream.compress(data))


def read_cassette(path: Path) -> Cassette:
    """Read a cassette, whole or not at all.

    Raises:
        CassetteError: see there.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise CassetteError(f"{path} is not a cassette this version can read")
            return _assemble(_frames(path, file))
    except OSError as error:
        raise CassetteError(f"cannot read the cassette {path}: {error.strerror or error}") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error, UnpackException) as error:
        raise CassetteError(f"the cassette {path} is damaged ({type(error).__name__})") from None


def _frames(path: Path, file: BinaryIO) -> Iterator[dict[str, Any]]:
    stream = zlib.decompressobj()
    unpacker = stream_unpacker(MAX_FRAME_BYTES)
    total = 0
    while not stream.eof:
        packed = file.read(_CHUNK_BYTES)
        if not packed:
            raise CassetteError(f"the cassette {path} has no end: its run was killed, or the file was cut")
        data = stream.decompress(packed)
        total += len(data)
        if total > MAX_BYTES:
            raise CassetteError(f"the cassette {path} unpacks to more than {MAX_BYTES} bytes")
        unpacker.feed(data)
        yield from unpacker
    if unpacker.tell() != total or stream.unused_data or file.read(1):
        raise ValueError("there is something after the end")


def _assemble(frames: Iterator[dict[str, Any]]) -> Cassette:
    head = next(frames, None)
    if head is None or head["kind"] != "begin":
        raise ValueError("no beginning")
    config: dict[str, Any] = head["config"]
    if not isinstance(config, dict) or not all(isinstance(name, str) for name in config):
        raise TypeError("a configuration is a map of texts")
    reels: dict[str, Reel] = {}
    count, end = 1, None
    for frame in frames:
        if end is not None:
            raise ValueError("a frame after the end")
        kind = frame.pop("kind")
        if kind == "end":
            end = frame
            continue
        count += 1
        reel, step = reels.setdefault(frame.pop("agent"), Reel()), frame.pop("step")
        if not isinstance(step, int):
            raise TypeError("a step is a number")
        if kind == "missing":
            reel.missing[step] = bool(frame["late"])
        else:
            reel.exchanges.setdefault(step, []).append(_checked(Exchange(**frame)))
    if end is None or end["frames"] != count:
        raise ValueError("frames are missing")
    return Cassette(config, reels, str(end["status"]), str(end["digest"]))


def _checked(exchange: Exchange) -> Exchange:
    """A file from elsewhere may hold anything; what is used must be what it says."""
    answered = isinstance(exchange.reply, str) and exchange.error is None
    failed = exchange.reply is None and exchange.error in _KINDS
    address(exchange.request)  # of plain types only
    counted = isinstance(exchange.prompt_tokens, int) and isinstance(exchange.completion_tokens, int)
    messages = exchange.request["messages"]
    readable = all(isinstance(m["content"], str) and isinstance(m["role"], str) for m in messages)
    if not (answered or failed) or not counted or not readable or not isinstance(exchange.finish_reason, str):
        raise ValueError("an exchange that is none")
    return exchange
