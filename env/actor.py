"""The Ray actor that owns the world, and whatever process the world needs.

Calls come one at a time, because the world is one place. Ray neither restarts it nor repeats a call:
a step must not happen twice.
"""

from __future__ import annotations

from typing import Any

import ray

from .host import WorldHost

_remote: Any = ray.remote  # its overloads do not know restart options on a decorator
_as_actor = _remote(max_restarts=0, max_task_retries=0)
WorldActor: Any = _as_actor(WorldHost)
