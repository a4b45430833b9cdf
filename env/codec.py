"""The formats of everything that is read from outside: msgpack for what we store or send, JSON for what people write.

Never pickle. What comes out is plain data, or a ValueError: a key given twice and a type of somebody's own (msgpack's
extensions) are refused, a time becomes a number of seconds. NaN and the infinities are floats like others in msgpack,
and whoever gives a number a meaning checks it; JSON has none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import msgpack


def pack(value: object) -> bytes:
    """Plain data (None, bool, int, float, str, bytes, lists and dicts of them) as bytes."""
    return cast(bytes, msgpack.packb(value))


def unpack(data: bytes) -> Any:
    """What `pack` was given; tuples come back as lists.

    Memory is bounded by the bytes: lengths that are claimed but not there are refused before anything is made.

    Raises:
        ValueError: the bytes are no msgpack (damaged, truncated, or with trailing bytes), or not plain data.
    """
    try:
        return msgpack.unpackb(data, strict_map_key=False, **_STRICT)  # ids are keys, too
    except msgpack.ExtraData:  # which carries, and shows, all that came before
        raise ValueError("there are bytes after the end") from None


def unpack_first(data: bytes, count: int) -> dict[str, Any]:
    """The first `count` items of a packed map with text keys, from its first bytes alone.

    Raises:
        ValueError: there are fewer, or the bytes end before them.
    """
    reader = msgpack.Unpacker(**_STRICT)
    reader.feed(data)
    try:
        if reader.read_map_header() < count:
            raise ValueError(f"a map with fewer than {count} items")
        return {reader.unpack(): reader.unpack() for _ in range(count)}
    except msgpack.OutOfData:
        raise ValueError(f"the bytes end before {count} items") from None


def stream_unpacker(max_frame_bytes: int) -> Any:
    """A `msgpack.Unpacker`: reads one value after another from bytes as they come; keys are texts.

    Raises from `feed` and when read: ValueError as `unpack`, or msgpack's UnpackException for a longer value.
    """
    return msgpack.Unpacker(max_buffer_size=max_frame_bytes, **_STRICT)


def parse_json(data: str | bytes) -> Any:
    """What a JSON text holds.

    Raises:
        ValueError: it is no JSON, nested too deeply, or an object in it has a key twice.
    """
    try:
        return json.loads(data, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _object(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    try:
        found = dict(pairs)
    except TypeError:
        raise ValueError("a key that is a list or a map") from None
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {str(twice)[:80]!r} is given twice")
    return found


def _no_type(code: int, _data: bytes) -> Any:
    raise ValueError(f"an extension type ({code})")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


_STRICT: dict[str, Any] = {"object_pairs_hook": _object, "ext_hook": _no_type, "timestamp": 1}
