"""T14: three recorded runs are played back by today's code, without any model, and nothing may have changed.

`tests/recorded/` holds their cassettes: two agents with the embedded model, five that also learn a role from verdicts,
twelve that learn over two thoughts. If what agents are shown, or how they learn, is to change, record them anew
(`--record`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.cassette import CassetteWriter, read_cassette
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import StepResult
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import StartError
from housemates.orchestrator.run import run

RECORDED = Path(__file__).parent.parent / "recorded"
NAMES = ["two", "five", "twelve"]


def play_back(cassette: Path, folder: Path) -> dict[str, Any]:
    return run(make_config(llm=f"replay:{cassette}", runtime="inline"), folder).summary


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_run_is_played_back_by_today_s_code(name: str, tmp_path: Path) -> None:
    cassette = RECORDED / f"{name}.cassette"
    whole = read_cassette(cassette)
    assert whole.status == "completed"
    assert play_back(cassette, tmp_path / "again")["digest"] == whole.digest


@pytest.mark.parametrize("name", ["five", "twelve"])
def test_code_that_confuses_two_agents_fails(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = HouseholdWorld.step

    def confused(self: HouseholdWorld, actions: Mapping[str, str | None]) -> StepResult:
        first, second = sorted(actions)[:2]
        return step(self, {**actions, first: actions[second], second: actions[first]})

    monkeypatch.setattr(HouseholdWorld, "step", confused)
    with pytest.raises(StartError, match=r"nothing to replay|another way"):
        play_back(RECORDED / f"{name}.cassette", tmp_path / "again")


def test_replies_in_another_order_fail(tmp_path: Path) -> None:
    whole = read_cassette(RECORDED / "five.cassette")
    writer = CassetteWriter(tmp_path / "mutant")
    writer.begin(whole.config)
    for agent, reel in whole.reels.items():
        steps = sorted(reel.exchanges)
        for step, other in zip(steps, [steps[1], steps[0], *steps[2:]], strict=True):
            for exchange in reel.exchanges[other]:
                writer.exchange(agent, step, {k: getattr(exchange, k) for k in exchange.__dataclass_fields__})
    writer.close(whole.status, whole.digest)
    with pytest.raises(StartError, match=r"nothing to replay|another way"):
        play_back(tmp_path / "mutant", tmp_path / "again")
