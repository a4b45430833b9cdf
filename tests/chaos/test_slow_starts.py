"""A Ray of our own that does not come up in time, as on a machine with too much to do."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from housemates.orchestrator.cluster import own
from housemates.orchestrator.cluster.own import STARTS, local_ray
from housemates.orchestrator.errors import RuntimeFailure

from ..leftovers import descendants

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]


@pytest.fixture
def too_slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Starts that shall fail, by their numbers; a failed one leaves everything as Ray does: up."""
    connect, begun, failing = own.connect, [0], [1]

    def slow(**where: Any) -> None:
        begun[0] += 1
        connect(**where)
        if begun[0] in failing:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(own, "connect", slow)
    return failing


def raylets() -> list[psutil.Process]:
    return [process for process in descendants() if process.name() == "raylet"]


def test_it_is_started_again_and_of_the_first_start_nothing_is_left(too_slow: list[int]) -> None:
    with local_ray():
        import ray

        @ray.remote(num_cpus=0)
        def one() -> int:
            return 1

        assert ray.get(one.remote()) == 1
        assert len(raylets()) == 1
    assert not raylets()


def test_after_that_it_is_given_up_in_one_line_and_nothing_is_left(too_slow: list[int]) -> None:
    too_slow.extend(range(2, STARTS + 1))
    with pytest.raises(RuntimeFailure, match=r"^Ray did not start: The current node timed out during startup\.$"):
        local_ray().__enter__()
    assert not raylets()
