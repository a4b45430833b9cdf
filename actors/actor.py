"""The Ray actor that holds agents: `AgentHosts`, at the other end of a wire.

An asyncio actor: the turns of its agents overlap while their models think. Ray neither restarts it nor repeats a
call: `orchestrator.cluster.processes` makes another one, and the barrier asks again, with the committed state.
"""

from __future__ import annotations

from typing import Any

import ray

from .hosts import AgentHosts

_remote: Any = ray.remote  # its overloads do not know restart options on a decorator
_as_actor = _remote(max_restarts=0, max_task_retries=0, max_concurrency=10_000)
AgentActor: Any = _as_actor(AgentHosts)
