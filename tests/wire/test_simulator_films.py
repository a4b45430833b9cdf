"""Films with a simulator's own cameras; our server is the simulator."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.household import SimulatedHousehold
from housemates.env.virtualhome.wire import Request, Response
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.film.filming import Wish, film
from housemates.orchestrator.film.footage import Footage
from housemates.orchestrator.run import run
from PIL import Image, ImageChops

from .conftest import Beside

SMALL = Wish(width=320, height=240, fps=1, last=1)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two agents and four steps on the embedded engine."""
    folder = tmp_path_factory.mktemp("film") / "run"
    run(make_config(task="read_book", agents=2, steps=4, llm="scripted", runtime="inline"), folder)
    return folder


def pictures(path: Path) -> list[Image.Image]:
    return [Image.open(file).convert("RGB") for file in sorted(path.glob("frame-*.png"))]


def test_every_agent_and_the_apartment_are_filmed_with_the_cameras_of_the_simulator(
    recorded: Path, served: Beside, tmp_path: Path
) -> None:
    wish = replace(SMALL, view="all", simulator=served.url)
    films = film(Footage(recorded), tmp_path / "a", wish)
    assert [(made.path.name, made.frames) for made in films] == [("a-bird", 3), ("a-Agent_1", 3), ("a-Agent_2", 3)]
    shown = {made.path.name: pictures(made.path) for made in films}
    assert {image.size for images in shown.values() for image in images} == {(320, 240)}
    first = [images[0].crop((0, 0, 320, 150)) for images in shown.values()]
    assert all(ImageChops.difference(a, b).getbbox() for a, b in pairwise(first))


@pytest.mark.slow
def test_what_an_agent_sees_fills_the_picture_but_for_the_captions(
    recorded: Path, served: Beside, simulation: Simulation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Request] = []
    answer = simulation.answer

    def listening(request: Request, *more: Any) -> Response:
        asked.append(request)
        return answer(request, *more)

    monkeypatch.setattr(simulation, "answer", listening)
    film(Footage(recorded), tmp_path / "a", replace(SMALL, last=0, view="Agent_2", simulator=served.url))
    images = [request for request in asked if request.action == "camera_image"]
    rooms = next(len(world.scene().rooms) for world, _ in Footage(recorded).moments(0))
    first_person, cameras_of_one = 2, 8
    assert [request.int_params for request in images] == 2 * [[rooms + 1 + cameras_of_one + first_person]]
    assert '"image_width":320' in images[0].string_params[0].replace(" ", "")


@pytest.mark.slow
def test_a_film_to_the_end_stands_on_the_last_picture(recorded: Path, served: Beside, tmp_path: Path) -> None:
    (made,) = film(Footage(recorded), tmp_path / "a", replace(SMALL, last=None, simulator=served.url))
    shown = pictures(made.path)
    assert len(shown) == 1 + 4 + 1
    assert ImageChops.difference(shown[-1].crop((0, 0, 320, 150)), shown[-2].crop((0, 0, 320, 150))).getbbox() is None


def test_a_simulator_that_goes_another_way_than_the_run_is_told_in_one_line(
    recorded: Path, served: Beside, simulation: Simulation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    step = SimulatedHousehold.step

    def lazy(world: SimulatedHousehold, actions: Any) -> Any:
        return step(world, dict.fromkeys(actions))

    monkeypatch.setattr(SimulatedHousehold, "step", lazy)
    with pytest.raises(ConfigError, match=r"cannot be filmed: in step \d+ the household is not as it was recorded"):
        film(Footage(recorded), tmp_path / "a", replace(SMALL, last=3, simulator=served.url))
    assert list(tmp_path.iterdir()) == []


def test_a_simulator_without_pictures_is_told_in_one_line(
    recorded: Path, served: Beside, simulation: Simulation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = simulation.answer

    def blind(request: Request, *more: Any) -> Response:
        response = answer(request, *more)
        return response.model_copy(update={"message_list": ["bm9uZQ=="]}) if response.message_list else response

    monkeypatch.setattr(simulation, "answer", blind)
    with pytest.raises(ConfigError, match="makes no pictures"):
        film(Footage(recorded), tmp_path / "a", replace(SMALL, simulator=served.url))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_simulator_is_refused_by_the_command_in_one_line(recorded: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "housemates.orchestrator.cli", "film", recorded, "--simulator", "/nowhere/linux_exec"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "simulator: there is no file /nowhere/linux_exec" in done.stderr
