"""Films: what is in them, how long they are, how people walk in them, and what cannot be filmed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.env.household.picture import LIGHT, to_png
from housemates.env.household.picture.palette import person_colour
from housemates.env.household.scene.graph import Box, Node, SceneGraph
from housemates.env.world import EVERYONE, Observation
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.film.camera import Camera, Look, views_of
from housemates.orchestrator.film.captions import agent_caption, bird_caption
from housemates.orchestrator.film.filming import Wish, film
from housemates.orchestrator.film.footage import Footage
from housemates.orchestrator.film.reels import Gif, Mp4, PngFolder
from housemates.orchestrator.film.walking import Walkers
from housemates.orchestrator.journal.log import FILE_NAME, Journal, JournalError, read_journal
from housemates.orchestrator.run import run
from imageio_ffmpeg import count_frames_and_secs, read_frames
from PIL import Image, ImageChops

COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli"]
SMALL = Wish(width=320, height=180, fps=4, last=1)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two agents and five steps that ends unsolved."""
    folder = tmp_path_factory.mktemp("film") / "run"
    run(make_config(task="read_book", agents=2, steps=5, llm="scripted", runtime="inline"), folder)
    return folder


def rewritten(source: Path, folder: Path, change: Any) -> Path:
    """A copy of a run whose journal holds other records; a record that becomes None is left out."""
    shutil.copytree(source, folder)
    (folder / FILE_NAME).unlink()
    journal = Journal(folder / FILE_NAME)
    for record in read_journal(source / FILE_NAME):
        changed = change(record)
        if changed is not None:
            journal.append(changed)
    journal.close()
    return folder


def pictures(path: Path) -> list[Image.Image]:
    return [Image.open(file).convert("RGB") for file in sorted(path.glob("frame-*.png"))]


def housemates(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120)


# -- the three kinds ------------------------------------------------------------------------------


def test_an_mp4_has_the_frames_the_size_and_the_duration_that_were_asked_for(recorded: Path, tmp_path: Path) -> None:
    (made,) = film(Footage(recorded), tmp_path / "a.mp4", SMALL)
    assert made.frames == 3 * 4 and made.seconds == 3.0  # the beginning and two steps, a second each
    assert count_frames_and_secs(str(made.path)) == (12, 3.0)
    facts: Mapping[str, Any] = next(read_frames(str(made.path)))  # pyright: ignore
    assert facts["size"] == (320, 180) and facts["fps"] == 4.0
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_gif_lasts_as_long_and_repeats(recorded: Path, tmp_path: Path) -> None:
    film(Footage(recorded), tmp_path / "a.gif", SMALL)
    with Image.open(tmp_path / "a.gif") as image:
        lasts = 0
        for number in range(image.n_frames):
            image.seek(number)
            lasts += image.info["duration"]
        assert (image.size, image.info["loop"], lasts) == ((320, 180), 0, 3000)


def test_a_film_that_comes_to_the_end_of_the_run_says_how_it_ended(recorded: Path, tmp_path: Path) -> None:
    (made,) = film(Footage(recorded), tmp_path / "whole", replace(SMALL, last=None, fps=1))
    assert made.frames == 1 + 5 + 1
    assert len(pictures(made.path)) == 7


def test_frames_as_png_are_those_of_the_gif_up_to_its_colours(recorded: Path, tmp_path: Path) -> None:
    footage = Footage(recorded)
    film(footage, tmp_path / "png", SMALL)
    film(footage, tmp_path / "a.gif", SMALL)
    shown = pictures(tmp_path / "png")
    assert len(shown) == 12 and shown[0].size == (320, 180)
    with Image.open(tmp_path / "a.gif") as image:
        image.seek(image.n_frames - 1)
        difference = ImageChops.difference(image.convert("RGB"), shown[-1])
    assert max(high for _, high in difference.getextrema()) < 40
    assert sum(difference.convert("L").histogram()[16:]) < 320 * 180 / 100


def test_a_film_starts_with_the_scene_before_its_first_step(recorded: Path, tmp_path: Path) -> None:
    footage = Footage(recorded)
    film(footage, tmp_path / "all", replace(SMALL, fps=1, last=3))
    film(footage, tmp_path / "part", replace(SMALL, fps=1, first=2, last=3))
    whole, part = pictures(tmp_path / "all"), pictures(tmp_path / "part")
    assert len(part) == 3
    assert [ImageChops.difference(a, b).getbbox() for a, b in zip(whole[3:], part[1:], strict=True)] == [None, None]


def test_speed_is_steps_a_second(recorded: Path, tmp_path: Path) -> None:
    (made,) = film(Footage(recorded), tmp_path / "fast", replace(SMALL, speed=2.0))
    assert made.seconds == 1.5


def test_every_view_is_a_film_of_its_own_or_all_are_in_one(recorded: Path, tmp_path: Path) -> None:
    names = [made.path.name for made in film(Footage(recorded), tmp_path / "a", replace(SMALL, fps=1, view="all"))]
    assert names == ["a-bird", "a-Agent_1", "a-Agent_2"]
    (made,) = film(Footage(recorded), tmp_path / "b", replace(SMALL, fps=1, view="side-by-side"))
    assert [image.size for image in pictures(made.path)] == [(320, 180)] * 3


# -- what a picture shows -------------------------------------------------------------------------


def two_rooms() -> SceneGraph:
    """A kitchen (west) and a bedroom of 4 m by 4 m; 1 stands in the one, 2 in the other."""
    graph = SceneGraph()
    graph.add(Node(11, "kitchen", "Rooms", box=Box((2, 1.3, 2), (4, 2.6, 4))))
    graph.add(Node(12, "bedroom", "Rooms", box=Box((6, 1.3, 2), (4, 2.6, 4))))
    for number, x, room in ((1, 1.0, 11), (2, 7.0, 12)):
        graph.add(Node(number, "character", "Characters", box=Box((x, 0.9, 2.0), (0.5, 1.8, 0.5))))
        graph.link(number, "INSIDE", room)
    return graph


def part(action: str | None = None, plan: str = "") -> dict[str, Any]:
    turn = {"action": action, "how": "exact", "plan": plan}
    return {"turn": turn, "verdict": "ok", "detail": "", "reward": 0.0, "total": 0.0}


def step_record(messages: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    parts = {"Agent_1": part("[goput] <sink> (3)", "wash up"), "Agent_2": part()}
    return {"kind": "step", "step": 0, "agents": parts, "result": {"messages": messages}}


def walked(ticks: int, eye: str | None = None, messages: tuple[dict[str, str], ...] = ()) -> list[str]:
    """The drawings of a step in which agent 1 walks two metres to the east; one for each frame."""
    graph = two_rooms()
    walkers = Walkers()
    walkers.follow(graph)
    camera = Camera(graph, [eye], ["Agent_1", "Agent_2"], "tidy", Look(420, 300, ticks, "light"))
    graph.nodes[1].box = Box((3.0, 0.9, 2.0), (0.5, 1.8, 0.5))
    walkers.follow(graph)
    return [shot.svg for shot in camera.shoot(walkers, step_record(messages)) for _ in range(shot.ticks)]


def place_of(number: int, svg: str) -> float:
    """Where the pixels of a person's colour lie, on average, from left to right."""
    image = Image.open(BytesIO(to_png(svg))).convert("RGB")
    colour = tuple(bytes.fromhex(person_colour(number)[0][1:]))
    found = [index % image.width for index, pixel in enumerate(image.get_flattened_data()) if pixel == colour]  # pyright: ignore
    return sum(found) / len(found)


def test_people_walk_smoothly_and_stand_before_the_step_is_over() -> None:
    places = [place_of(1, svg) for svg in walked(ticks=20)]
    assert len(places) == 20
    assert places[0] < 70 and places[-1] == pytest.approx(places[15], abs=0.1)
    # The trail behind has the walker's colour, too, so that the average lags.
    assert all(later >= earlier - 1 for earlier, later in pairwise(places))
    assert places[-1] - places[0] > 50


def test_rooms_that_an_agent_does_not_see_are_dimmed_in_its_view() -> None:
    bird, mine = (Image.open(BytesIO(to_png(walked(1, eye)[-1]))).convert("RGB") for eye in (None, "Agent_1"))
    kitchen, bedroom = (60, 40), (360, 40)
    floor = {room: tuple(bytes.fromhex(LIGHT.floors[room][1:])) for room in ("kitchen", "bedroom")}
    assert bird.getpixel(kitchen) == mine.getpixel(kitchen) == floor["kitchen"]
    assert bird.getpixel(bedroom) == floor["bedroom"]
    veil = tuple(bytes.fromhex(LIGHT.background[1:]))
    dimmed = [0.4 * a + 0.6 * b for a, b in zip(floor["bedroom"], veil, strict=True)]
    assert mine.getpixel(bedroom) == pytest.approx(dimmed, abs=2)


def test_messages_are_bubbles_with_those_who_say_or_hear_them() -> None:
    words = "<script>come & help</script>"
    said = ({"sender": "Agent_2", "receiver": "Agent_1", "text": words},)
    shown = "&lt;script&gt;come &amp; help&lt;/script&gt;"
    assert shown in walked(1, None, said)[0] and shown in walked(1, "Agent_1", said)[0]
    own = ({"sender": "Agent_2", "receiver": "Agent_2", "text": words},)
    assert shown not in walked(1, "Agent_1", own)[0]
    assert shown in walked(1, "Agent_1", ({"sender": "Agent_2", "receiver": EVERYONE, "text": words},))[0]


def test_captions_tell_step_action_and_plan_of_few_and_count_many() -> None:
    record = step_record()
    assert bird_caption("tidy", ["Agent_1", "Agent_2"], record) == [
        "step 0 · tidy · return 0",
        "Agent_1 · [goput] <sink> (3) · plan: wash up",
        "Agent_2 · (nothing)",
    ]
    assert agent_caption("Agent_1", record) == [
        "Agent_1 · step 0 · return 0",
        "[goput] <sink> (3)",
        "plan: wash up",
    ]
    many = [f"Agent_{number}" for number in range(1, 7)]
    crowd = {**record, "agents": {name: part("[goput] <sink> (3)") for name in many}}
    assert bird_caption("tidy", many, crowd) == ["step 0 · tidy · return 0", "6 goput", ""]


@pytest.mark.parametrize("view", ["all", "side-by-side"])
def test_views_of_everybody_have_their_bounds(view: str) -> None:
    with pytest.raises(ConfigError, match="9 agents are too many"):
        views_of(view, [f"Agent_{number}" for number in range(1, 10)])


# -- journals that are not whole, and mistakes ----------------------------------------------------


def test_a_torn_journal_is_filmed_as_far_as_it_goes_and_it_is_said(recorded: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(recorded, torn)
    os.truncate(torn / FILE_NAME, (torn / FILE_NAME).stat().st_size * 2 // 3)
    steps = Footage(torn).steps
    assert 0 < steps < 5
    done = housemates("film", torn, "--size", "160x160", "--fps", "1", "--out", tmp_path / "png")
    assert done.returncode == 0, done.stderr
    assert f"ends with a torn record, after {steps} steps" in done.stderr
    assert len(pictures(tmp_path / "png")) == steps + 1


def test_a_journal_that_is_damaged_in_the_middle_is_filmed_up_to_there(recorded: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(recorded, damaged)
    content = bytearray((damaged / FILE_NAME).read_bytes())
    content[len(content) * 2 // 3] ^= 0xFF
    (damaged / FILE_NAME).write_bytes(content)
    footage = Footage(damaged)
    assert "is damaged at byte" in footage.notice and 0 < footage.steps < 5
    assert film(footage, tmp_path / "png", replace(SMALL, fps=1, last=None))[0].frames == footage.steps + 1


def test_a_world_that_goes_another_way_is_not_filmed(recorded: Path, tmp_path: Path) -> None:
    def otherwise(record: dict[str, Any]) -> dict[str, Any]:
        if record.get("step") == 1:
            record["agents"]["Agent_1"]["turn"]["action"] = "[goexplore] <bathroom> (14)"
            record["result"]["observations"]["Agent_1"]["text"] += "and a piano"
        return record

    other = rewritten(recorded, tmp_path / "other", otherwise)
    with pytest.raises(ConfigError, match="in step 1 the household is not as it was recorded"):
        film(Footage(other), tmp_path / "a.mp4", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_run_of_another_world_is_not_filmed(recorded: Path, tmp_path: Path) -> None:
    def elsewhere(record: dict[str, Any]) -> dict[str, Any]:
        if record["kind"] == "begin":
            blank = Observation(text="$PLAN$", choices=(), key="").to_dict()
            record["observations"] = dict.fromkeys(record["observations"], blank)
        return record

    with pytest.raises(ConfigError, match="at the beginning the household is not as it was recorded"):
        film(Footage(rewritten(recorded, tmp_path / "other", elsewhere)), tmp_path / "a.gif", SMALL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--view", "Agent_9"], "there is no 'Agent_9'; name bird, all, side-by-side, or an agent (Agent_1, Agent_2)"),
        (["--out", "a.avi"], "a.avi is no film; name a file that ends in .mp4 or .gif"),
        (["--size", "huge"], "'huge' is not of the form 1280x720"),
        (["--size", "9x9"], "from 160 to 4096 pixels"),
        (["--size", "321x180"], "even"),
        (["--fps", "0"], "--fps: from 1 to 60"),
        (["--speed", "99"], "--speed"),
        (["--speed", "nan"], "--speed"),
        (["--theme", "pink"], "--theme: light or dark"),
        (["--from", "5"], "--from 5: there are no such steps; the run has 5, numbered from 0"),
        (["--from", "3", "--to", "2"], "--from 3 --to 2: there are no such steps"),
        (["--out", "."], "is no film"),
    ],
)
def test_a_mistake_gets_one_line(recorded: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [*COMMAND, "film", str(recorded), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert not (recorded / "film.mp4").exists()


def test_a_folder_with_something_in_it_is_not_written_into(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    with pytest.raises(ConfigError, match="mine exists"):
        film(Footage(recorded), tmp_path / "mine", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no run"):
        Footage(tmp_path)


def test_a_missing_package_is_one_line(recorded: Path, tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'imageio_ffmpeg' else real(name, *more)\n"
        f"sys.argv = ['housemates', 'film', {str(recorded)!r}, '--out', {str(tmp_path / 'a.mp4')!r}]\n"
        "from housemates.orchestrator.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "pip install 'housemates[report]' (no imageio_ffmpeg)" in done.stderr


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a"])
def test_ctrl_c_leaves_no_part_of_a_film(name: str, recorded: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "film", str(recorded), "--out", str(tmp_path / "films" / name), "--speed", "0.1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr and process.stderr.readline().endswith("frames\n")
    os.killpg(process.pid, signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(60) == 130
    assert "Traceback" not in said
    assert list((tmp_path / "films").iterdir()) == []


def test_processes_that_draw_never_hear_ctrl_c_not_even_while_they_start(recorded: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, "film", str(recorded), "--out", str(tmp_path / "a"), "--speed", "0.1"])
    try:
        me = psutil.Process(process.pid)
        drawing: list[psutil.Process] = []
        while not drawing:
            assert process.poll() is None
            drawing = [child for child in me.children() if "spawn_main" in " ".join(child.cmdline())]
        for child in drawing:
            blocked = re.search(r"^SigBlk:\s*(\w+)", Path(f"/proc/{child.pid}/status").read_text(), re.M)
            assert blocked and int(blocked[1], 16) & 1 << (signal.SIGINT - 1)
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130, "the one that is meant does"


@pytest.mark.parametrize("kind", [Mp4, Gif, PngFolder])
def test_a_film_replaces_nothing_before_it_is_whole(kind: Any, tmp_path: Path) -> None:
    sizes = () if kind is PngFolder else ((160, 160), 4)
    path = tmp_path / "film"
    if kind is not PngFolder:
        path.write_text("the film before")
    with pytest.raises(RuntimeError, match="no more"), kind(path, *sizes) as reel:
        reel.add(bytes(160 * 160 * 3), 2)
        assert [p.name for p in sorted(tmp_path.iterdir())][-1] == "film.part"
        raise RuntimeError("no more")
    assert [p.name for p in tmp_path.iterdir()] == ([] if kind is PngFolder else ["film"])
    assert kind is PngFolder or path.read_text() == "the film before"
