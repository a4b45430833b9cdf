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
