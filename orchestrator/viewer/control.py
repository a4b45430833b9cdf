"""Working a run from its page: pause, go on, one step, stop."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..pause import Gate

NAMED_WAITING = 8
"""So many of the agents that are waited for are named."""


def _new_token() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Control:
    """The handle on a run in this process.

    Attributes:
        gate: in front of the run's steps.
        waiting_for: says which agents think right now.
        token: whoever has it may use the handle.
        over: whether the run has ended; then there is nothing to control.
        stopped: whether it was stopped from the page.
    """

    gate: Gate
    waiting_for: Callable[[], list[str]] = list
    token: str = field(default_factory=_new_token)
    over: bool = False
    stopped: bool = False

    def do(self, what: str) -> bool:
        """Carry out pause, resume, step or stop; False if it is none of these, or the run is over."""
        actions = {
            "pause": self.gate.pause,
            "resume": self.gate.resume,
            "step": self.gate.step,
            "stop": self._stop,
        }
        if self.over or what not in actions:
            return False
        actions[what]()
        return True

    def _stop(self) -> None:
        """As Ctrl-C: the step is abandoned, and the journal is closed properly."""
        self.stopped = True
        os.kill(os.getpid(), signal.SIGINT)

    def state(self) -> dict[str, Any]:
        """What the page shows of it."""
        waiting = [] if self.over else self.waiting_for()
        return {
            "over": self.over,
            "paused": not self.over and self.gate.paused,
            "held": not self.over and self.gate.held,
            "waiting": waiting[:NAMED_WAITING],
            "waiting_more": max(0, len(waiting) - NAMED_WAITING),
        }
