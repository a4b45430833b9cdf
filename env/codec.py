"""msgpack, the one format of everything that is stored or sent as bytes. Never pickle."""

from __future__ import annotations

from typing import Any, cast

import msgpack


def pack(value: object) -> bytes:
    """Plain data (None, bool, int, float, str, bytes, lists and dicts of them) as bytes."""
    return cast(bytes, msgpack.packb(value))


def unpack(data: bytes) -> Any:
    """What `pack` was given; tuples come back as lists.

    Raises:
        ValueError: the bytes are no msgpack (damaged, truncated, or with trailing bytes).
    """
    return msgpack.unpackb(data, strict_map_key=False)  # ids are keys, too


def unpack_first(data: bytes, count: int) -> dict[str, Any]:
    """The first `count` items of a packed map with text keys, from its first bytes alone.

    Raises:
        ValueError: there are fewer, or the bytes end before them.
    """
    reader = msgpack.Unpacker()
    reader.feed(data)
    try:
        if reader.read_map_header() < count:
            raise ValueError(f"a map with fewer than {count} items")
        return {reader.unpack(): reader.unpack() for _ in range(count)}
    except msgpack.OutOfData:
        raise ValueError(f"the bytes end before {count} items") from None
