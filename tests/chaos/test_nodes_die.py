"""A machine of a cluster dies in the middle of a step: the run goes on with the others. Real raylets on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import StartError
from housemates.orchestrator.observer import Observer, Record
from housemates.orchestrator.run import run
from housemates.orchestrator.summary import Tally

from .conftest import LONG
from .episodes import SETTINGS

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]
STEPS = 12


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Three machines; the agents and the world are spread over them."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


class PullThePlug(Observer):
    """Kills the machine with most of the actors while the agents think about the next step."""

    def __init__(self, cluster: Any, *steps: int) -> None:
        self.cluster, self.steps = cluster, steps
        self.emptied = 0

    def committed(self, record: Record, tally: Tally) -> None:
        if record["kind"] == "step" and record["step"] in self.steps:
            workers = [node for node in self.cluster.worker_nodes if node is not self.cluster.head_node]
            busy = max(workers, key=lambda node: len(actors_on(node.node_id)))
            self.emptied += len(actors_on(busy.node_id))
            threading.Timer(0.02, self.cluster.remove_node, (busy,), {"allow_graceful": False}).start()


def actors_on(node: str) -> list[Any]:
    from ray._private.state import actors

    return [a for a in actors().values() if a["State"] == "ALIVE" and a["Address"]["NodeID"] == node]


def test_a_machine_that_dies_takes_nothing_with_it_but_time(cluster: Any, tmp_path: Path) -> None:
    undisturbed = run(make_config(**SETTINGS, runtime="inline", steps=STEPS), tmp_path / "undisturbed")
    plug = PullThePlug(cluster, *((3, 7) if LONG else (3,)))
    config = make_config(**SETTINGS, runtime="ray", steps=STEPS)
    result = run(config, tmp_path / "run", plug, address=cluster.address)
    assert plug.emptied > 0, "somebody lived there"
    assert result.summary["digest"] == undisturbed.summary["digest"] == replay.digest(tmp_path / "run")
    assert result.summary["verdicts"].keys() <= {"ok", "invalid"}
    steps = sorted(record["step_s"] for record in replay.records(tmp_path / "run") if record["kind"] == "step")
    print(f"node loss: {plug.emptied} actors lost, the step took {steps[-1]:.1f} s instead of {steps[0]:.2f} s")


def test_an_address_without_a_cluster_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot join the Ray cluster at 127\.0\.0\.1:9"):
        run(make_config(**SETTINGS, runtime="ray", steps=1), tmp_path / "run", address="127.0.0.1:9")
