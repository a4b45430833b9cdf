"""The picture of a household: complete, legible, deterministic, and safe whatever people say."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pytest
from housemates.env.household.picture import LIGHT, THEMES, Figure, Picture, Theme, figures_of, to_png
from housemates.env.household.picture.palette import person_colour
from housemates.env.household.picture.people import MAX_BUBBLES, heading_of
from housemates.env.household.picture.svg import Rect, shortened, width_of, wrapped
from housemates.env.household.scene.graph import Box, Node, SceneGraph
from housemates.env.world import WorldError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from .home import Home

TAG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "g", "rect", "path", "text", "circle", "polygon", "polyline"}

HOME = Home()
"""For tests that change nothing."""


def two_rooms() -> SceneGraph:
    """A kitchen and a bedroom of 4 m by 4 m, with a wall and a door between them; 50 pixels a metre on 420."""
    graph = SceneGraph()
    graph.add(Node(11, "kitchen", "Rooms", box=Box((2, 1.3, 2), (4, 2.6, 4))))
    graph.add(Node(12, "bedroom", "Rooms", box=Box((6, 1.3, 2), (4, 2.6, 4))))
    graph.add(Node(13, "wall", "Walls", box=Box((4, 1.3, 2), (0.1, 2.6, 4))))
    graph.add(Node(14, "door", "Doors", box=Box((4, 1.05, 1), (0.9, 2.1, 0.1))))
    graph.link(13, "INSIDE", 11)
    graph.link(14, "INSIDE", 11)
    return graph


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(TAG) for element in root.iter()} <= ELEMENTS
    return root


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(TAG + "text")]


def pixels(svg: str) -> Image.Image:
    return Image.open(BytesIO(to_png(svg))).convert("RGB")


def food_marks(svg: str) -> int:
    """How many loose pieces of food are drawn."""
    paths = [path for path in parsed(svg).iter(TAG + "path") if path.get("fill") == LIGHT.good("Food")]
    return sum(path.attrib["d"].count("Z") for path in paths)


def colour(code: str) -> tuple[int, ...]:
    return tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))


# -- the plan ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [480, 1920])
def test_every_room_and_the_large_furniture_are_named(width: int) -> None:
    shown = texts(Picture(HOME.graph, width=width).frame([]))
    assert {"kitchen", "living room", "bedroom", "bathroom", "bed", "sofa", "bathtub", "fridge"} <= set(shown)


@pytest.mark.parametrize("width", [480, 960, 1920])
def test_names_are_large_enough_to_read_and_do_not_cover_each_other(width: int) -> None:
    spots: list[Rect] = []
    for element in parsed(Picture(HOME.graph, width=width).frame([])).iter(TAG + "text"):
        size, text = float(element.attrib["font-size"]), element.text or ""
        assert size >= 8, text
        if "transform" not in element.attrib and element.get("text-anchor") != "end":
            wide, x, baseline = width_of(text, size), float(element.attrib["x"]), float(element.attrib["y"])
            spots.append(Rect(x - wide / 2, baseline - 0.34 * size - 0.4 * size, wide, 0.8 * size))
    assert len(spots) > 15
    for one, other in itertools.combinations(spots, 2):
        assert one.overlap(other) < 2.0, (one, other)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_rooms_are_filled_where_they_are(theme: Theme) -> None:
    image = pixels(Picture(two_rooms(), theme, width=420).frame())
    assert image.getpixel((10 + 50, 10 + 20)) == colour(theme.floor("kitchen"))
    assert image.getpixel((10 + 350, 10 + 20)) == colour(theme.floor("bedroom"))


def test_a_door_is_an_opening_in_its_wall_however_its_box_lies() -> None:
    image = pixels(Picture(two_rooms(), width=420).frame())
    x = 10 + 4 * 50
    assert image.getpixel((x, 10 + 20)) == colour(LIGHT.wall)
    for z in (0.6, 1.0, 1.4):
        assert image.getpixel((x, round(10 + (4 - z) * 50))) == colour(LIGHT.opening)


def test_a_shut_door_lies_in_its_wall_and_an_open_one_stands_out() -> None:
    graph = two_rooms()
    door = graph.nodes[14]
    door.properties, door.states = frozenset(["CAN_OPEN"]), ("CLOSED",)
    picture = Picture(graph, width=420)
    shut = picture.frame()
    door.states = ("OPEN",)
    leaf = "M210 137.5L165 137.5"  # from the jamb at z 1.45 into the kitchen, as long as the door is wide
    assert leaf in picture.frame() and leaf not in shut


def test_the_sheet_is_as_large_as_asked_and_the_plan_fits() -> None:
    for width, height in ((480, 270), (1920, 1080), (300, 900)):
        image = pixels(Picture(HOME.graph, width=width, height=height).frame([]))
        assert image.size == (width, height)
        edge = {image.getpixel((x, y)) for x in range(width) for y in (0, height - 1)}
        assert edge == {colour(LIGHT.background)}


def test_a_corridor_without_end_does_not_make_a_sheet_without_end() -> None:
    graph = SceneGraph()
    graph.add(Node(11, "corridor", "Rooms", box=Box((0, 1, 0), (1, 2, 1e6))))
    assert Picture(graph, width=100).height == 800


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    picture = Picture(two_rooms(), width=420).frame()
    assert "1 m" in texts(picture)
    start, end = map(float, re.findall(r"M([\d.]+) ([\d.]+)L([\d.]+) \2", picture)[-1][::2])
    assert end - start == 50


def test_equal_scenes_give_equal_bytes_in_every_process() -> None:
    code = (
        "from tests.household.home import Home; from housemates.env.household.picture import Picture; import hashlib;"
        "print(hashlib.sha256(Picture(Home().graph).frame().encode()).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True)
        for seed in ("1", "2")
    ]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout
    assert Picture(HOME.graph).frame() == Picture(Home().graph).frame()


def test_a_scene_without_a_place_is_an_error() -> None:
    graph = SceneGraph()
    graph.add(Node(11, "kitchen", "Rooms"))
    with pytest.raises(WorldError, match="no room has a bounding box"):
        Picture(graph)


def test_what_has_no_place_is_left_out(home: Home) -> None:
    expected = Picture(home.graph).frame()
    for number, box in (
        (9001, None),
        (9002, Box((math.nan, 0, 0), (1, 1, 1))),
        (9003, Box((0, 0, 0), (math.inf, 1, 1))),
    ):
        home.graph.add(Node(number, "ghost", "Furniture", box=box))
        home.graph.link(number, "INSIDE", home.one("kitchen"))
    assert Picture(home.graph).frame() == expected


# -- what changes -----------------------------------------------------------------------------


def test_an_open_container_differs_in_shape_and_shows_what_is_in_it(home: Home) -> None:
    fridge = home.one("fridge")
    picture = Picture(home.graph)
    shut = picture.frame([])
    home.graph.nodes[fridge].states = ("OPEN", "OFF")
    wide = picture.frame([])
    assert wide.count("<path") == shut.count("<path") + 1
    home.graph.nodes[fridge].states = ("CLOSED", "OFF")
    inside = len(home.graph.contents(fridge))
    assert inside and food_marks(wide) == food_marks(shut) + inside
    assert picture.frame([]) == shut


def test_a_picture_follows_the_scene(home: Home) -> None:
    book = home.add("book", "ON", home.one("coffeetable"))
    picture = Picture(home.graph)
    before = picture.frame()
    for number in (1, book, home.one("chair")):
        node = home.graph.nodes[number]
        assert node.box is not None
        was = node.box
        node.box = Box((was.center[0] + 0.5, was.center[1], was.center[2]), was.size)
        assert picture.frame() != before, node.label
        node.box = was
        assert picture.frame() == before
    assert Picture(home.graph).frame() == before


def test_what_is_held_is_named_at_the_holder_and_lies_nowhere(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("coffeetable"))
    lying = Picture(home.graph).frame()
    assert "apple" not in texts(lying)
    home.graph.link(2, "HOLDS_RH", apple)
    held = Picture(home.graph).frame()
    assert "apple" in texts(held)
    assert food_marks(held) == food_marks(lying) - 1


def test_rooms_out_of_sight_are_dimmed_with_the_people_in_them(home: Home) -> None:
    home.stand_at(3, home.one("bed"))
    picture = Picture(home.graph)
    svg = picture.frame(lit=[home.one("kitchen")])
    assert svg.count('fill-opacity="0.6"') == 3
    assert [re.search(r"<text[^>]*>(\d)", part)[1] for part in svg.split('<g opacity="0.35">')[1:]] == ["3"]  # type: ignore[index]
    assert "opacity" not in re.sub(r'fill-opacity="0\.35"', "", picture.frame())


# -- people -----------------------------------------------------------------------------------


def test_people_have_numbers_and_colours_that_differ() -> None:
    people = [Figure(number, 1.0 + number, 3.0) for number in range(1, 8)]
    svg = Picture(HOME.graph).frame(people)
    assert {str(number) for number in range(1, 8)} <= set(texts(svg))
    colours = {person_colour(number)[0] for number in range(1, 8)}
    assert len(colours) == 7 and all(code in svg for code in colours)
    assert person_colour(8) == person_colour(1)


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, (0, 1)), (90, (1, 0)), (180, (0, -1)), (270, (-1, 0)), (45, (0.707, 0.707))]
)
def test_a_rotation_about_y_turns_clockwise_seen_from_above(degrees: float, expected: tuple[float, float]) -> None:
    half = math.radians(degrees) / 2
    heading = heading_of((0.0, math.sin(half), 0.0, math.cos(half)))
    assert heading is not None
    assert (math.sin(heading), math.cos(heading)) == pytest.approx(expected, abs=1e-3)


def test_a_person_points_where_they_look() -> None:
    ahead = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
    for turns, (dx, dy) in enumerate(ahead.values()):
        svg = Picture(HOME.graph, width=640).frame([Figure(1, 3.0, 3.0, heading=turns * math.pi / 2)])
        tip = next(parsed(svg).iter(TAG + "polygon")).attrib["points"].split()[0]
        body = next(parsed(svg).iter(TAG + "circle")).attrib
        x, y = (float(part) for part in tip.split(","))
        away = (x - float(body["cx"])) * dx + (y - float(body["cy"])) * dy
        assert away == pytest.approx(1.55 * float(body["r"]), abs=0.2)


def test_two_people_in_one_spot_are_both_seen() -> None:
    svg = Picture(HOME.graph).frame([Figure(1, 3.0, 3.0), Figure(2, 3.0, 3.0)])
    one, two = (element.attrib for element in parsed(svg).iter(TAG + "circle"))
    assert math.hypot(float(one["cx"]) - float(two["cx"]), float(one["cy"]) - float(two["cy"])) > float(one["r"])


def test_a_trail_leads_from_the_past_to_the_person() -> None:
    svg = Picture(HOME.graph, width=640).frame([Figure(1, 3.0, 3.0, trail=((1.0, 1.0), (2.0, 1.0)))])
    line = next(parsed(svg).iter(TAG + "polyline")).attrib["points"].split()
    body = next(parsed(svg).iter(TAG + "circle")).attrib
    assert len(line) == 3 and line[-1] == f"{body['cx']},{body['cy']}"


# -- what people say --------------------------------------------------------------------------


@given(st.text(max_size=300), st.text(max_size=50))
def test_whatever_is_said_is_text_and_nothing_else(speech: str, name: str) -> None:
    figure = Figure(1, 3.0, 3.0, holding=(name,), speech=speech)
    parsed(Picture(HOME.graph, caption_lines=1).frame([figure], caption=[speech]))


def test_hostile_text_is_shown_as_it_is() -> None:
    speech = "<script>alert('1')</script> & \x1b[31m \u202eabc \ud800"
    svg = Picture(HOME.graph, width=1280).frame([Figure(1, 3.0, 3.0, speech=speech)])
    said = " ".join(texts(svg))
    assert "<script>alert('1')" in said and "\x1b" not in svg and "\u202e" not in svg
    to_png(svg)


def test_hostile_class_names_are_text_too(home: Home) -> None:
    home.graph.nodes[home.one("bed")].class_name = '"><script/>'
    assert '"><script/>' in texts(Picture(home.graph).frame())


def test_a_long_speech_is_cut_to_three_lines() -> None:
    quiet = len(Picture(HOME.graph).frame([Figure(1, 3.0, 3.0)]))
    svg = Picture(HOME.graph).frame([Figure(1, 3.0, 3.0, speech="blah " * 200_000)])
    assert len(svg) < quiet + 2000
    assert sum("blah" in text for text in texts(svg)) == 3


def test_bubbles_stay_on_the_sheet_and_apart_from_each_other() -> None:
    corners = ((0.2, 0.2), (11.8, 0.2), (0.2, 9.8), (8.6, 9.0))
    people = [Figure(n, x, z, speech="I will look into all the cabinets") for n, (x, z) in enumerate(corners, 1)]
    svg = Picture(HOME.graph, width=480).frame(people)
    bubbles = [
        Rect(*(float(element.attrib[name]) for name in ("x", "y", "width", "height")))
        for element in parsed(svg).iter(TAG + "rect")
        if element.get("stroke") in {person_colour(n)[0] for n in range(1, 5)}
    ]
    assert len(bubbles) == 4
    for bubble in bubbles:
        assert bubble.x >= 0 and bubble.y >= 0 and bubble.x + bubble.width <= 480
    assert all(one.overlap(other) == 0 for one, other in itertools.combinations(bubbles, 2))


def test_of_a_crowd_that_shouts_only_so_many_are_heard() -> None:
    crowd = [Figure(n, 0.5 + n % 11, 0.5 + n % 4, speech="hey") for n in range(1, 201)]
    assert texts(Picture(HOME.graph).frame(crowd)).count("hey") == MAX_BUBBLES


@given(st.text(max_size=200), st.integers(20, 200), st.integers(1, 4))
def test_wrapped_text_keeps_to_its_lines_and_width(text: str, width: int, most: int) -> None:
    lines = wrapped(text, 10, width, most)
    assert len(lines) <= most
    assert all(width_of(row, 10) <= width or len(row) == 1 for row in lines)


def test_text_that_fits_is_not_cut() -> None:
    assert shortened("a short text", 10, 200) == "a short text"
    assert wrapped("one two three", 10, 45, 3) == ["one two", "three"]
    assert shortened("a rather long text", 10, 50).endswith("…")


def test_captions_get_the_lines_that_were_kept_for_them() -> None:
    picture = Picture(HOME.graph, caption_lines=2)
    shown = texts(picture.frame(caption=["step 3", "Agent_1: [goput]", "too much"]))
    assert "step 3" in shown and "Agent_1: [goput]" in shown and "too much" not in shown
    assert picture.height > Picture(HOME.graph).height


# -- PNG --------------------------------------------------------------------------------------


def test_the_png_has_text_on_a_machine_without_fonts() -> None:
    svg = Picture(HOME.graph, width=480).frame([])
    without = re.sub(r"<text.*?</text>", "", svg)
    one, other = pixels(svg), pixels(without)
    assert ImageChops.difference(one, other).convert("L").histogram()[0] < one.width * one.height - 1000
    assert to_png(svg) == to_png(svg)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['resvg_py'] = None\n"
        "from housemates.env.household.picture import MissingExtraError, to_png\n"
        "try: to_png('<svg/>')\nexcept MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'housemates[report]'" in done.stdout


def test_people_are_taken_from_the_scene_unless_given() -> None:
    picture = Picture(HOME.graph)
    people = figures_of(HOME.graph)
    assert [figure.number for figure in people] == [1, 2, 3]
    assert picture.frame(people) == picture.frame()
    assert picture.frame([replace(people[0], x=1.0), *people[1:]]) != picture.frame()
