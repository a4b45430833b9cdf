"""An address that leads to no cluster is refused in one line."""

from __future__ import annotations

import pytest
from housemates.orchestrator.cluster.joined import ray_at
from housemates.orchestrator.errors import RuntimeFailure


def test_an_address_without_a_cluster_is_named() -> None:
    with pytest.raises(RuntimeFailure, match=r"cannot join the Ray cluster at 127\.0\.0\.1:9: "), ray_at("127.0.0.1:9"):
        pass


def test_ray_client_is_refused_with_what_to_use_instead() -> None:
    instead = "ray job submit --address http://HEAD:8265 -- housemates run"
    with pytest.raises(RuntimeFailure, match=instead), ray_at("ray://127.0.0.1:10001"):
        pass
