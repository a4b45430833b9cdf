"""A world of your own: two people carry a sofa, which moves only when both lift it in the same step.

Run it with `python examples/own_world.py`, or, in this folder, with `housemates run --world own_world:Sofa`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from housemates.env.codec import pack, unpack
from housemates.env.wording import available_actions
from housemates.env.world import PLAN_TOKEN, Observation, Outcome, StepResult, World, WorldError

import housemates

LIFT, REST = "[lift] the sofa", "[rest]"


class Sofa(World):
    instruction = "You and somebody else carry a sofa."
    agents: Sequence[str] = ("Ann", "Bob")

    def __init__(self, metres: int = 2) -> None:
        self._metres = metres
        self._left: int | None = None  # until an episode begins
        self._tries, self._said = 0, ""

    def reset(self, seed: int) -> dict[str, Observation]:
        self._left, self._tries, self._said = self._metres, 0, "The sofa stands there."
        return self._observe()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if not self._left:
            raise WorldError("there is no sofa to be carried; reset the world")
        lifting = [name for name in self.agents if actions.get(name) == LIFT]
        moved = len(lifting) == len(self.agents)
        self._left, self._tries = self._left - moved, self._tries + 1
        self._said = "It moved." if moved else f"{' and '.join(lifting) or 'Nobody'} lifted; it takes both."
        known = (None, LIFT, REST)
        return StepResult(
            observations=self._observe(),
            rewards=dict.fromkeys(self.agents, float(moved)),
            outcomes={name: Outcome(ok=actions.get(name) in known, detail=self._said) for name in self.agents},
            done=not self._left,
            success=not self._left,
        )

    def snapshot(self) -> bytes:
        if self._left is None:
            raise WorldError("there is no sofa to be carried; reset the world")
        return pack([self._left, self._tries, self._said])

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        try:
            left, tries, said = unpack(snapshot)
            self._left, self._tries, self._said = int(left), int(tries), str(said)
        except (ValueError, TypeError) as error:
            raise WorldError(f"this is no snapshot of a sofa ({error})") from None
        return self._observe()

    def _observe(self) -> dict[str, Observation]:
        seen = f"{self._left} m are left after {self._tries} tries. {self._said}"
        rest = f"Plan: {PLAN_TOKEN}\nProgress: {seen}\n{available_actions((LIFT, REST))}"
        goal = f"Goal: carry the sofa {self._metres} m.\n"
        return {n: Observation(text=f"I'm {n}.\n{goal}{rest}", choices=(LIFT, REST), key=seen) for n in self.agents}


def main() -> None:
    housemates.check_world(Sofa)  # does it keep the contract?
    config = housemates.make_config(world="own_world:Sofa", llm="scripted", runtime="inline", steps=30)
    with tempfile.TemporaryDirectory() as folder:
        summary = housemates.run(config, Path(folder) / "run").summary
    print(f"carried: {summary['success']}, in {summary['steps']} steps")


if __name__ == "__main__":
    main()
