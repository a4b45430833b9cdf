"""Reading TOML files that people write, or that came from somebody else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from .errors import ConfigError

MAX_BYTES = 64 * 2**20
"""The largest file read: room for ten thousand agents, each with a plan of its own."""


def read_toml(path: Path) -> dict[str, Any]:
    """The values in a file, not yet validated.

    Raises:
        ConfigError: no such file, too large, no TOML, or nested too deeply.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: a file of more than {MAX_BYTES} bytes")
        return tomllib.loads(content.decode())
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except (OSError, ValueError) as error:  # what is no UTF-8, no TOML, or a number beyond measure
        raise ConfigError(f"{path}: {error}") from None
