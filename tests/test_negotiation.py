"""The example of a second world: it keeps the contract, agents trade in it to a deal, and anybody can watch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from housemates.env.testing import check_world
from housemates.orchestrator.config import make_config
from housemates.orchestrator.journal.log import FILE_NAME, read_journal
from housemates.orchestrator.replay import story
from housemates.orchestrator.run import run

FOLDER = Path(__file__).parent.parent / "examples" / "negotiation"
DIGEST = "73279f45a95996329a7d689d16e47a4383b30e56bc0e793a67e7d3bc8b58c0bf"
"""Of two agents that trade by rules, seed 0; the same on every machine and in every process."""


@pytest.fixture(scope="module", autouse=True)
def in_its_folder() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FOLDER)
        patch.setattr(sys, "path", [*sys.path, str(FOLDER)])
        yield


@pytest.fixture(scope="module")
def deal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    config = make_config(world="market:Market", llm="scripted:haggling:haggle", runtime="inline")
    result = run(config, tmp_path_factory.mktemp("market") / "run")
    return result.folder, result.summary


@pytest.mark.parametrize("agents", [2, 3, 4])
def test_the_market_keeps_the_contract_of_a_world(agents: int) -> None:
    from market import Market  # type: ignore[import-not-found] # in the folder of the example

    for seed in range(3):
        check_world(lambda: Market(agents=agents), seed=seed)


def test_agents_trade_until_nobody_could_gain_by_another_swap(deal: tuple[Path, dict[str, Any]]) -> None:
    summary = deal[1]
    assert summary["success"] and all(gained > 0 for gained in summary["returns"].values())
    assert summary["messages"] == 2 and summary["optimizer"]["accepted"] >= 2, "they talk, and learn plans"
    assert summary["digest"] == DIGEST


def test_what_a_good_is_worth_to_an_agent_stands_in_its_own_prompt_only(deal: tuple[Path, dict[str, Any]]) -> None:
    seen = next(read_journal(deal[0] / FILE_NAME))["observations"]
    values = {name: re.findall(r"A unit is worth: (.*)\.", o["text"]) for name, o in seen.items()}
    assert values["Ada"] != values["Ben"] and all(len(found) == 1 for found in values.values())


def test_the_deal_can_be_read_again(deal: tuple[Path, dict[str, Any]]) -> None:
    told = "\n".join(story(deal[0]))
    assert "Ada → Ben: I want stone" in told
    assert "Ada plan: Ask for stone, gold. Give Ben wood." in told
    assert "→ traded wool for stone with Ben" in told


def test_the_readme_shows_what_really_happens(deal: tuple[Path, dict[str, Any]]) -> None:
    shown = (FOLDER / "README.md").read_text()
    lines = list(story(deal[0]))
    assert "\n".join(lines[: lines.index("step 3")]) in shown and DIGEST in shown
