"""Ray itself loses requests and answers: T2, by Ray's own fault injection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from housemates.actors.model.chat import Endpoint

from .conftest import LONG
from .episodes import play_household
from .faults import marks
from .table import Tell

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]
AGENTS = 8
STEPS = 120 if LONG else 8
RPC = "CoreWorkerService.grpc_client.PushTask"
LOSSES = [("req", 10), ("resp", 10), ("in_flight", 10)]
if LONG:
    LOSSES += [(kind, share) for kind in ("req", "resp", "in_flight") for share in (1, 5)]
else:
    LOSSES = [("all", 5)]


@pytest.mark.parametrize(("kind", "percent"), LOSSES)
def test_every_turn_is_taken_once_though_messages_get_lost(
    kind: str, percent: int, tmp_path: Path, endpoint: Endpoint, record_property: Tell
) -> None:
    kinds = ("req", "resp", "in_flight") if kind == "all" else (kind,)
    failures = {RPC: {"num_failures": -1} | {f"{kind}_failure_prob": percent for kind in kinds}}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.lossy_ray", str(tmp_path), str(AGENTS), str(STEPS)],
        env=os.environ | {"RAY_testing_rpc_failure": json.dumps(failures)},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    undisturbed = play_household(endpoint, runtime="inline", agents=AGENTS, steps=STEPS)
    assert told["digest"] == undisturbed.digest
    asked = sum(marks(tmp_path, path.name) for path in tmp_path.glob("asked-*"))
    taken = sum(marks(tmp_path, path.name) for path in tmp_path.glob("taken-*"))
    issued = AGENTS * (told["steps"] + 1)
    record_property("injections", asked - issued)
    record_property("survived", asked - issued)
    record_property("figure", f"{kind} {percent} %: {issued} turns issued, {asked} messages arrived, {taken} taken")
    assert taken == issued
    if kind in ("resp", "in_flight", "all"):
        assert asked > issued, "messages were lost, and sent again"
