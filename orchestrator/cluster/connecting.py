"""What our own Ray and a cluster that is joined have in common."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

from ..errors import RuntimeFailure


def idle_ray() -> Any:
    """The module, with nothing connected.

    Raises:
        RuntimeFailure: a Ray is up in this process.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network access nobody asked for
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of its own plans
    import ray

    if ray.is_initialized():
        raise RuntimeFailure("Ray is already running in this process; end it first (ray.shutdown())")
    return ray


def connect(**where: Any) -> None:
    """Connect to a Ray, quietly, as `ray.init` does with these arguments."""
    import ray

    on_sigterm = signal.getsignal(signal.SIGTERM)
    ray.init(log_to_driver=False, logging_level=logging.ERROR, namespace="housemates", **where)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own ends the process without a word
