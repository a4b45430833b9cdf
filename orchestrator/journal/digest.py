"""The trajectory digest: equal for two runs exactly if the same things happened in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...env.codec import pack


class TrajectoryDigest:
    """A running sha256 over observations, actions, rewards, plans and messages.

    No times, token counts, models, verdicts of lateness or places enter it, so it does not depend on where and how
    fast a run was computed.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in one journal record; the order matters, only begin, step and lesson count."""
        if record["kind"] == "begin":
            self._update({agent: o["text"] for agent, o in record["observations"].items()})
        elif record["kind"] in ("step", "lesson"):
            result: Mapping[str, Any] = record["result"] or {"observations": {}, "messages": ()}
            self._update(
                [
                    record["step"],
                    {agent: o["text"] for agent, o in result["observations"].items()},
                    {agent: (a["turn"] or {}).get("action") for agent, a in record["agents"].items()},
                    {agent: float(a["reward"]) for agent, a in record["agents"].items()},
                    {agent: (a["turn"] or {}).get("plan") for agent, a in record["agents"].items()},
                    [[m["sender"], m["receiver"], m["text"]] for m in result["messages"]],
                ]
            )

    def hexdigest(self) -> str:
        """The digest of all records so far."""
        return self._hash.hexdigest()

    def _update(self, value: object) -> None:
        self._hash.update(pack(value))
