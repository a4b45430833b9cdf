"""A cluster of three machines with addresses of their own: what runs there, and what is left when one of them dies.

See tests/cluster/machines.py. The machines have neither this package nor the user's modules.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.journal.log import JournalError
from housemates.orchestrator.run import run

from ..cluster.machines import Machine, Machines, possible
from ..leftovers import until
from .table import Tell

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(not possible(), reason="network namespaces cannot be made here"),
]
ROOT = Path(__file__).parents[2]
STEPS = 12
RUN: dict[str, Any] = {"task": "put_dishwasher", "agents": 3, "seed": 5, "optimize": "own_policy:Carefully"}
OWN_POLICY = """
from housemates.actors.policy import Policy
from own_rules import RULE

class Carefully(Policy):
    def text(self):
        return self.plan + RULE
"""
KEY = "k-of-the-test"
SERVE = f"from housemates.actors.model.scripted_server import serve; serve(8089, 0.3, host=%r, key={KEY!r})"


class Place:
    """Three machines; runs are started on the second, which has the model as well. The head is the first."""

    def __init__(self, machines: Machines, folder: Path) -> None:
        self.machines, self.folder = machines, folder
        self.own = {"PYTHONPATH": str(ROOT), "MODEL_KEY": KEY}

    @property
    def here(self) -> Machine:
        return self.machines.all[1]

    def serve_model(self) -> subprocess.Popen[str]:
        return self.here.start(sys.executable, "-c", SERVE % self.here.address, environment=self.own)

    def cli(self, *arguments: str) -> subprocess.Popen[str]:
        command = (sys.executable, "-m", "housemates.orchestrator.cli", *arguments, "--address", self.machines.address)
        return self.here.start(*command, environment=self.own, cwd=self.folder)

    def run(self, out: Path) -> subprocess.Popen[str]:
        settings = [f"--{name}={value}" for name, value in RUN.items()]
        model = ("--llm=openai:scripted", f"--base-url=http://{self.here.address}:8089/v1", "--key-env=MODEL_KEY")
        return self.cli("run", *settings, *model, f"--steps={STEPS}", f"--out={out}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("users")
    (folder / "own_policy.py").write_text(OWN_POLICY)
    (folder / "own_rules.py").write_text("RULE = ' Be careful.'")
    ours = [ROOT / name for name in ("housemates", "actors", "env", "orchestrator")]
    with Machines(3, hidden=[folder, *ours], environment={"MODEL_KEY": KEY}) as machines:
        place = Place(machines, folder)
        place.serve_model()
        yield place


@pytest.fixture(scope="module")
def undisturbed(place: Place, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the same run in one process."""
    here = Path.cwd()
    os.chdir(place.folder)
    try:
        config = make_config(**RUN, llm="scripted", runtime="inline", steps=STEPS)
        return run(config, tmp_path_factory.mktemp("inline") / "run").summary["digest"]
    finally:
        os.chdir(here)


def steps_in(folder: Path) -> int:
    try:
        return sum(record["kind"] == "step" for record in replay.records(folder))
    except (FileNotFoundError, JournalError):
        return 0


def placed(folder: Path) -> list[dict[str, list[str]]]:
    return [record["machines"] for record in replay.records(folder) if record["kind"] == "placed"]


def wait_for_step(number: int, out: Path, process: subprocess.Popen[str]) -> None:
    assert until(lambda: steps_in(out) >= number or process.poll() is not None, 200.0)
    assert process.poll() is None, process.communicate()


def test_agents_are_on_every_machine_and_do_the_same_as_in_one_process(
    place: Place, undisturbed: str, tmp_path: Path
) -> None:
    process = place.run(tmp_path / "run")
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    assert replay.digest(tmp_path / "run") == undisturbed
    (machines,) = placed(tmp_path / "run")
    assert machines.keys() == {machine.address for machine in place.machines.all}
    assert sorted(name for names in machines.values() for name in names) == ["Agent_1", "Agent_2", "Agent_3", "world"]
    assert all(f"on {machine}: " in out for machine in machines)


def test_a_model_on_the_loopback_of_one_machine_is_refused_by_name(place: Place, tmp_path: Path) -> None:
    process = place.cli("run", "--llm=scripted", f"--out={tmp_path / 'run'}")
    _, err = process.communicate(timeout=250)
    assert process.returncode == 3
    assert "cannot reach the model at http://127.0.0.1:" in err
    assert len(err.strip().splitlines()) == 1


def test_a_machine_that_dies_takes_nothing_with_it_but_time(
    place: Place, undisturbed: str, tmp_path: Path, record_property: Tell
) -> None:
    out, third = tmp_path / "run", place.machines.all[2]
    process = place.run(out)
    wait_for_step(3, out, process)
    began = time.monotonic()
    third.die()
    _, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    first, *later = placed(out)
    assert third.address in first and later
    assert not any(third.address in machines for machines in later)
    assert replay.digest(out) == undisturbed
    slowest = max(record["step_s"] for record in replay.records(out) if record["kind"] == "step")
    lost, seconds = " and ".join(first[third.address]), time.monotonic() - began
    record_property("figure", f"{lost} lost, the step took {slowest:.1f} s, the rest of the run {seconds:.1f} s")


def test_a_run_whose_cluster_has_lost_its_head_goes_on_in_another_one(
    place: Place, undisturbed: str, tmp_path: Path, record_property: Tell
) -> None:
    out = tmp_path / "run"
    process = place.run(out)
    wait_for_step(3, out, process)
    began = time.monotonic()
    place.machines.head.die()
    _, err = process.communicate(timeout=250)
    took = time.monotonic() - began
    assert process.returncode == 3
    assert f"the head of the Ray cluster at {place.machines.address} is gone" in err
    assert f"housemates resume {out}" in err
    place.machines.stop_ray()
    place.machines.start_ray()
    place.serve_model()
    process = place.cli("resume", str(out))
    _, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    assert replay.digest(out) == undisturbed
    record_property("figure", f"noticed and ended with one line after {took:.1f} s; resumed in a new cluster")
