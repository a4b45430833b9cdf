"""The map of a run: people where the journal has them, things where the world has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from housemates.env.world import WorldError
from housemates.orchestrator.journal.index import JournalIndex
from housemates.orchestrator.viewer import picture
from housemates.orchestrator.viewer.picture import Map, MapMaker

from . import journals


@pytest.fixture(scope="module")
def maker(recorded: Path) -> MapMaker:
    return MapMaker(JournalIndex(recorded))


def whole(maker: MapMaker, step: int, theme: str = "light", agent: str | None = None) -> Map:
    """The map, when the things in it have come to the step."""
    while (drawn := maker.draw(step, theme, agent)).behind:
        assert not drawn.note
    return drawn


def test_the_same_step_gives_the_same_map_however_one_comes_to_it(maker: MapMaker) -> None:
    first = whole(maker, 20)
    whole(maker, 40)
    whole(maker, 3)
    assert whole(maker, 20) == first


def test_steps_and_themes_and_eyes_give_different_maps(maker: MapMaker) -> None:
    drawn = [whole(maker, 20), whole(maker, 21), whole(maker, 20, "dark"), whole(maker, 20, "light", "Agent_1")]
    assert len({one.svg for one in drawn}) == len(drawn)


def test_what_is_carried_is_named_at_who_carries_it(maker: MapMaker, recorded: Path) -> None:
    index = JournalIndex(recorded)

    def holds(step: int) -> bool:
        seen = index.step(step)["result"]["observations"]["Agent_1"]
        return "I'm holding <cutleryfork>" in seen["text"] and len(seen["info"]["holding"]) == 1

    step = next(step for step in range(len(index.moments) - 1) if holds(step))
    assert ">cutleryfork</text>" in whole(maker, step).svg


def test_the_map_after_the_lesson_is_that_of_the_last_step(maker: MapMaker, recorded: Path) -> None:
    last = len(JournalIndex(recorded).moments) - 1
    assert whole(maker, last).behind == 0


def test_a_far_step_is_drawn_at_once_with_things_that_are_behind(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "SLICE_S", 0.0)
    drawn = MapMaker(JournalIndex(recorded)).draw(30, "light", None)
    assert drawn.behind == 31 and drawn.svg.startswith("<svg")


def test_a_world_without_places_has_no_map(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no map"):
        MapMaker(JournalIndex(journals.long_run(tmp_path, 1, 1)))
