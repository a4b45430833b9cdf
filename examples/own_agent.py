"""An agent of your own: one more text that it learns, and one more line in its prompt.

Run it with `python examples/own_agent.py`, or, in this folder, with `housemates run --agent own_agent:Promiser`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from housemates.actors.policy import Policy
from housemates.actors.trace_import import Node, trace
from housemates.env.world import Observation

import housemates


class Promises(Policy):
    """The plan, and below it a promise to the others; both are trainable."""

    def __init__(self, plan: str = "") -> None:
        super().__init__(plan)
        self.promise = trace.node("I share what I find out.", name="promise", trainable=True)

    def text(self) -> Node[str]:
        return self.plan + "\nPromise: " + self.promise


class Promiser(housemates.TraceAgent):
    policy = Promises

    def prompt(self, observation: Observation) -> str:
        return super().prompt(observation) + "\nKeep your promise."


def main() -> None:
    housemates.check_agent(Promiser)  # does it keep the contract?
    config = housemates.make_config(task="read_book", method="own_agent:Promiser", llm="scripted", runtime="inline")
    with tempfile.TemporaryDirectory() as folder:
        summary = housemates.run(config, Path(folder) / "run").summary
    print(f"solved: {summary['success']}, {summary['optimizer']['accepted']} lessons taken")


if __name__ == "__main__":
    main()
