"""Puts what the models of a run were asked and answered on a cassette, step by step as it is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..actors.cassette import CassetteError, CassetteWriter
from .config import PLACE, RunConfig
from .errors import ConfigError
from .observer import Record


class Taping:
    """Takes the exchanges out of the records on their way to the journal; without a path they are dropped.

    Only turns that count are on the cassette, so a replay meets the same calls in the same order, failed ones included.

    Raises:
        ConfigError: the file exists, or cannot be created.
    """

    def __init__(self, config: RunConfig, path: Path | None, commit: Callable[[Record], None]) -> None:
        self._config = config
        self._commit = commit
        try:
            self._writer = CassetteWriter(path) if path else None
        except CassetteError as error:
            raise ConfigError(f"--record: {error}") from None

    @property
    def recording(self) -> bool:
        """Whether there is a cassette to fill."""
        return self._writer is not None

    def record(self, record: Record) -> None:
        """Take in a journal record, and pass it on."""
        kind = record["kind"]
        if kind == "begin" and self._writer:
            self._writer.begin(self._config.identity())
        parts = record["agents"] if kind in ("step", "lesson", "abandoned") else {}
        for agent, part in parts.items():
            exchanges = part["turn"].pop("exchanges") if part["turn"] else None
            if self._writer and kind != "abandoned":
                self._write(self._writer, agent, record["step"], part["verdict"], exchanges)
        self._commit(record)

    def _write(
        self, writer: CassetteWriter, agent: str, step: int, verdict: str, exchanges: Sequence[Mapping[str, Any]] | None
    ) -> None:
        if exchanges is None:
            writer.missing(agent, step, late=verdict == "late")
        for exchange in exchanges or ():
            writer.exchange(agent, step, exchange)

    def close(self, status: str, digest: str) -> None:
        """The run ended: the cassette is whole."""
        if self._writer:
            self._writer.close(status, digest)

    def discard(self) -> None:
        """The run never began."""
        if self._writer:
            self._writer.discard()


def check_recorded(config: RunConfig, recorded: Mapping[str, Any]) -> None:
    """A cassette answers the run it was recorded from, and no other.

    Raises:
        ConfigError: the configuration differs from the recorded one in more than where the run is computed.
    """
    now = config.identity()
    defaults = {name: field.default for name, field in RunConfig.model_fields.items()}
    for name in sorted(now.keys() | recorded.keys()):
        was = recorded.get(name, defaults.get(name))  # settings that came later were what they are by default
        if name not in PLACE and now.get(name) != (list(was) if isinstance(was, tuple) else was):
            given = _shown(now.get(name))
            raise ConfigError(f"{config.replay} was recorded with {name.replace('_', '-')} {_shown(was)}, not {given}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"
