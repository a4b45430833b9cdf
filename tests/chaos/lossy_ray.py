"""An episode on a Ray that loses messages, as a program: Ray reads what it is to lose when it is loaded.

python -m tests.chaos.lossy_ray MARKS AGENTS STEPS     (with RAY_testing_rpc_failure in the environment)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from housemates.actors import actor
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.cluster.own import local_ray

from .episodes import play_household
from .faults import FaultyActor


def main() -> None:
    marks, agents, steps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with scripted_server() as server, local_ray():
        actor.AgentActor = FaultyActor(marks)
        endpoint = Endpoint(base_url=server.url, model="scripted")
        played = play_household(endpoint, runtime="ray", agents=agents, steps=steps)
    told = {
        "digest": played.digest,
        "verdicts": played.tally.verdicts,
        "steps": played.tally.steps,
        "wall_s": sum(record["step_s"] for record in played.steps()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
