"""The Ray actor that owns one world or several, and whatever processes the worlds need.

Calls come one at a time, because a world is one place, and a step of it takes milliseconds. Ray neither restarts
it nor repeats a call: a step must not happen twice.
"""

from __future__ import annotations

from typing import Any

import ray

from .hosts import WorldHosts

_remote: Any = ray.remote  # its overloads do not know restart options on a decorator
_as_actor = _remote(max_restarts=0, max_task_retries=0)
WorldActor: Any = _as_actor(WorldHosts)
