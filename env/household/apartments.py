"""The shipped apartment, our own: four rooms around a living room, with seeded clutter.

Metres, y up; x to the east, z to the north. All doors of the other rooms lead into the living room,
so any two rooms are at most one room apart:

        z 10 +-----------+
             |  bedroom  +---------+ 9.2
             |           |  bath   |
         5.4 +----==-----+-==-+----+-----+
             |    livingroom  || kitchen |
           0 +----------------+----------+
             x 0        5.2   7         12
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .catalog import default_states, object_class
from .graph import Box, Node, SceneGraph, Vec
from .spots import free_spot, inner_spot, is_crowded

_HEIGHT_M = 2.6
_WALL_M = 0.1

_ROOMS: tuple[tuple[str, float, float, float, float], ...] = (
    # name, x from, x to, z from, z to
    ("kitchen", 7.0, 12.0, 0.0, 5.4),
    ("livingroom", 0.0, 7.0, 0.0, 5.4),
    ("bedroom", 0.0, 5.2, 5.4, 10.0),
    ("bathroom", 5.2, 8.8, 5.4, 9.2),
)

_DOORWAYS: tuple[tuple[str, str, float, float], ...] = (
    ("livingroom", "kitchen", 7.0, 2.7),
    ("livingroom", "bedroom", 2.6, 5.4),
    ("livingroom", "bathroom", 6.1, 5.4),
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something that stays where it is. `turned` swaps width and depth; `base` is the height of its bottom."""

    name: str
    x: float
    z: float
    base: float = 0.0
    turned: bool = False
    on: str = ""


_FURNITURE: dict[str, tuple[_Piece, ...]] = {
    "kitchen": (
        _Piece("kitchencounter", 11.6, 1.6),
        _Piece("kitchencabinet", 11.75, 0.7, 1.5, True),
        _Piece("kitchencabinet", 11.75, 1.5, 1.5, True),
        _Piece("kitchencabinet", 11.75, 2.3, 1.5, True),
        _Piece("kitchencabinet", 9.6, 0.25),
        _Piece("kitchencabinet", 8.8, 0.25),
        _Piece("fridge", 11.55, 4.85),
        _Piece("stove", 11.5, 3.7),
        _Piece("dishwasher", 10.6, 0.55),
        _Piece("microwave", 11.65, 0.4, 1.07, False, "kitchencounter"),
        _Piece("toaster", 11.65, 0.9, 1.07, False, "kitchencounter"),
        _Piece("coffeemaker", 11.65, 1.3, 1.07, False, "kitchencounter"),
        _Piece("sink", 11.55, 2.7, 0.80),
        _Piece("faucet", 11.85, 2.7, 1.10),
        _Piece("kitchentable", 8.9, 3.8),
        _Piece("chair", 7.95, 4.4),
        _Piece("chair", 9.9, 3.3),
        _Piece("chair", 9.9, 4.3),
        _Piece("garbagecan", 7.4, 0.4),
        _Piece("wallshelf", 10.4, 5.25, 1.5, True),
        _Piece("lightswitch", 7.06, 1.9, 1.1),
        _Piece("ceilinglamp", 9.5, 2.7, 2.05),
        _Piece("clock", 8.0, 5.35, 1.9),
        _Piece("window", 9.5, 0.05, 1.1),
    ),
    "livingroom": (
        _Piece("rug", 2.6, 2.6),
        _Piece("sofa", 0.7, 2.6),
        _Piece("coffeetable", 2.5, 2.6),
        _Piece("tvstand", 2.5, 0.45, 0.0, True),
        _Piece("tv", 2.5, 0.4, 0.49, True, "tvstand"),
        _Piece("cabinet", 5.6, 0.45),
        _Piece("cabinet", 0.55, 4.9),
        _Piece("bookshelf", 4.4, 5.2, 0.0, True),
        _Piece("bench", 6.75, 4.4),
        _Piece("tablelamp", 0.25, 4.75, 0.75, False, "cabinet"),
        _Piece("wallphone", 6.95, 1.6, 1.3),
        _Piece("lightswitch", 6.94, 1.9, 1.1),
        _Piece("ceilinglamp", 3.5, 2.7, 2.05),
        _Piece("wallpictureframe", 0.06, 2.6, 1.3),
        _Piece("orchid", 4.4, 0.3),
        _Piece("window", 4.4, 0.05, 1.1),
    ),
    "bedroom": (
        _Piece("bed", 1.25, 8.1),
        _Piece("nightstand", 0.45, 6.65),
        _Piece("nightstand", 0.45, 9.55),
        _Piece("closet", 4.85, 9.05),
        _Piece("desk", 4.6, 7.1),
        _Piece("chair", 3.6, 7.1),
        _Piece("computer", 4.75, 6.75, 0.95, False, "desk"),
        _Piece("cabinet", 3.2, 9.55),
        _Piece("bench", 2.75, 8.1),
        _Piece("tablelamp", 0.2, 6.5, 0.48, False, "nightstand"),
        _Piece("lightswitch", 3.3, 5.46, 1.1),
        _Piece("ceilinglamp", 2.6, 7.7, 2.05),
        _Piece("wallpictureframe", 0.06, 8.1, 1.3),
        _Piece("window", 1.6, 9.95, 1.1),
    ),
    "bathroom": (
        _Piece("bathroomcounter", 8.45, 7.7, 0.5),
        _Piece("bathroomcabinet", 8.7, 7.7, 1.4),
        _Piece("sink", 8.38, 7.7, 0.62),
        _Piece("faucet", 8.65, 7.7, 0.9),
        _Piece("toilet", 7.6, 5.85),
        _Piece("bathtub", 5.75, 8.25),
        _Piece("washingmachine", 7.3, 8.8),
        _Piece("towelrack", 5.3, 6.6, 1.2),
        _Piece("lightswitch", 5.4, 5.46, 1.1),
        _Piece("ceilinglamp", 7.0, 7.3, 2.05),
        _Piece("window", 7.0, 9.15, 1.3),
    ),
}

_CLUTTER: tuple[tuple[str, int, int, str, str], ...] = (
    # class, fewest, most, stands on, lies in
    ("waterglass", 1, 3, "kitchencounter coffeetable nightstand kitchentable", "kitchencabinet cabinet dishwasher"),
    ("wineglass", 1, 3, "kitchencounter kitchentable", "kitchencabinet cabinet"),
    ("mug", 1, 3, "kitchencounter desk nightstand coffeetable", "kitchencabinet dishwasher microwave"),
    ("dishbowl", 1, 3, "kitchencounter kitchentable", "cabinet kitchencabinet dishwasher"),
    ("cutleryknife", 1, 3, "kitchencounter kitchentable", "kitchencabinet dishwasher"),
    ("spoon", 1, 2, "kitchencounter kitchentable", "kitchencabinet"),
    ("cookingpot", 1, 2, "stove kitchencounter", "kitchencabinet stove"),
    ("fryingpan", 0, 1, "stove", "kitchencabinet"),
    ("cuttingboard", 0, 1, "kitchencounter", ""),
    ("condimentshaker", 1, 2, "kitchencounter kitchentable", "kitchencabinet"),
    ("condimentbottle", 1, 2, "kitchencounter", "fridge kitchencabinet"),
    ("dishwashingliquid", 1, 1, "kitchencounter", "kitchencabinet"),
    ("washingsponge", 1, 1, "kitchencounter", ""),
    ("bananas", 0, 1, "kitchencounter kitchentable", ""),
    ("orange", 0, 2, "kitchencounter kitchentable", "fridge"),
    ("tomato", 0, 2, "kitchencounter", "fridge"),
    ("carrot", 0, 2, "kitchencounter", "fridge"),
    ("potato", 0, 2, "kitchencounter", "kitchencabinet"),
    ("bread", 1, 1, "kitchencounter kitchentable", "kitchencabinet cabinet"),
    ("cereal", 1, 2, "kitchencounter", "kitchencabinet"),
    ("milk", 1, 1, "", "fridge"),
    ("beer", 0, 2, "", "fridge"),
    ("salmon", 0, 1, "", "fridge"),
    ("chips", 0, 1, "kitchentable sofa", "cabinet kitchencabinet"),
    ("candybar", 0, 2, "coffeetable desk", "cabinet"),
    ("book", 2, 5, "nightstand desk sofa coffeetable", "bookshelf cabinet"),
    ("magazine", 1, 3, "coffeetable sofa bench", "bookshelf"),
    ("notes", 0, 1, "desk", ""),
    ("paper", 1, 2, "desk", "cabinet"),
    ("folder", 0, 1, "desk", "cabinet bookshelf"),
    ("pen", 1, 2, "desk coffeetable", ""),
    ("keyboard", 1, 1, "desk", ""),
    ("mouse", 1, 1, "desk", ""),
    ("radio", 0, 1, "cabinet", ""),
    ("cellphone", 1, 1, "nightstand desk sofa", ""),
    ("remotecontrol", 1, 1, "coffeetable sofa tvstand", ""),
    ("candle", 0, 2, "coffeetable cabinet bathroomcounter", ""),
    ("boardgame", 0, 1, "bench", "cabinet"),
    ("toy", 0, 2, "bed sofa", ""),
    ("teddybear", 0, 1, "bed", ""),
    ("pillow", 1, 3, "bed sofa", ""),
    ("clothesshirt", 1, 3, "", "closet"),
    ("clothespants", 1, 3, "", "closet"),
    ("hanger", 2, 4, "", "closet"),
    ("slippers", 0, 1, "", "closet"),
    ("towel", 1, 2, "bathroomcounter", "washingmachine"),
    ("toiletpaper", 1, 2, "bathroomcounter", "bathroomcabinet"),
    ("toothbrush", 1, 2, "bathroomcounter", "bathroomcabinet"),
    ("toothpaste", 1, 1, "bathroomcounter", "bathroomcabinet"),
    ("barsoap", 1, 1, "bathroomcounter", ""),
    ("hairproduct", 1, 2, "bathroomcounter", "bathroomcabinet"),
    ("facecream", 1, 1, "bathroomcounter", "bathroomcabinet"),
)
"""What lies about. No class here is the goal of any task, so only a task decides where its objects are."""


def furnish(rng: Random, first_id: int) -> SceneGraph:
    """Build the apartment without people; rooms get the first ids, from `first_id`.

    Rooms and furniture are always the same, so ids of furniture are stable across seeds.
    """
    graph = SceneGraph()
    rooms: dict[str, int] = {}
    for number, (name, x0, x1, z0, z1) in enumerate(_ROOMS, first_id):
        center, size = ((x0 + x1) / 2, _HEIGHT_M / 2, (z0 + z1) / 2), (x1 - x0, _HEIGHT_M, z1 - z0)
        graph.add(Node(number, name, "Rooms", box=Box(center, size), prefab_name=name.capitalize()))
        rooms[name] = number
    floors = {name: _build_shell(graph, rooms[name]) for name in rooms}
    for first, second, x, z in _DOORWAYS:
        size = object_class("doorjamb").size
        jamb = add_object(graph, "doorjamb", (x, size[1] / 2, z), "INSIDE", rooms[first])
        graph.link(jamb.id, "BETWEEN", rooms[first])
        graph.link(jamb.id, "BETWEEN", rooms[second])
    for name, pieces in _FURNITURE.items():
        for piece in pieces:
            _place_piece(graph, piece, rooms[name], floors[name])
    for class_name, fewest, most, on, inside in _CLUTTER:
        places = find_places(graph, on.split(), inside.split())
        for _ in range(rng.randint(fewest, most)):
            scatter(graph, rng, class_name, places)
    return graph


def add_character(graph: SceneGraph, rng: Random, number: int, room: int) -> Node:
    """Put a person somewhere around the middle of a room."""
    box = graph.nodes[room].box
    assert box is not None
    size = object_class("character").size
    x = box.center[0] + rng.uniform(-0.25, 0.25) * box.size[0]
    z = box.center[2] + rng.uniform(-0.25, 0.25) * box.size[2]
    prefab = "Female1" if number % 2 else "Male1"
    node = Node(number, "character", "Characters", box=Box((x, size[1] / 2, z), size), prefab_name=prefab)
    graph.add(node)
    graph.link(number, "INSIDE", room)
    return node


def add_object(
    graph: SceneGraph, class_name: str, center: Vec, relation: str, target: int, *, turned: bool = False
) -> Node:
    """Add a fresh object of a class, with the next free id, in its default states."""
    kind = object_class(class_name)
    width, height, depth = kind.size
    node = Node(
        id=max(graph.nodes) + 1,
        class_name=class_name,
        category=kind.category,
        properties=kind.properties,
        states=default_states(class_name, kind.properties),
        box=Box(center, (depth, height, width) if turned else kind.size),
        prefab_name=class_name.capitalize(),
    )
    graph.add(node)
    graph.link(node.id, relation, target)
    if relation == "ON":
        room = graph.room_of(target)
        assert room is not None
        graph.link(node.id, "INSIDE", room)
    return node


Place = tuple[str, int]
"""A relation (ON, INSIDE) and the node it leads to."""


def find_places(graph: SceneGraph, on: list[str], inside: list[str]) -> list[Place]:
    """All supports and containers of the given classes, in id order."""
    places: list[Place] = []
    for number in sorted(graph.nodes):
        name = graph.nodes[number].class_name
        if name in on:
            places.append(("ON", number))
        if name in inside:
            places.append(("INSIDE", number))
    return places


def scatter(graph: SceneGraph, rng: Random, class_name: str, places: list[Place]) -> Node | None:
    """Put a fresh object at a random one of the places, if there is room for it anywhere."""
    size = object_class(class_name).size
    for relation, target in rng.sample(places, len(places)):
        box = graph.nodes[target].box
        assert box is not None
        near = (
            box.center[0] + rng.uniform(-0.5, 0.5) * box.size[0],
            box.center[2] + rng.uniform(-0.5, 0.5) * box.size[2],
        )
        if relation == "ON":
            spot = None if is_crowded(graph, target, size) else free_spot(graph, target, size, near)
        else:
            spot = inner_spot(graph, target, size, near)
        if spot is not None:
            return add_object(graph, class_name, spot, relation, target)
    return None


def _build_shell(graph: SceneGraph, room: int) -> int:
    """Floor, ceiling and four walls of a room; returns the floor."""
    box = graph.nodes[room].box
    assert box is not None
    (x, y, z), (width, height, depth) = box
    floor = _add_panel(graph, "floor", (x, -0.01, z), (width, 0.02, depth), room)
    _add_panel(graph, "ceiling", (x, height + 0.01, z), (width, 0.02, depth), room)
    for side in (-1, 1):
        _add_panel(graph, "wall", (x + side * width / 2, y, z), (_WALL_M, height, depth), room)
        _add_panel(graph, "wall", (x, y, z + side * depth / 2), (width, height, _WALL_M), room)
    return floor


def _add_panel(graph: SceneGraph, class_name: str, center: Vec, size: Vec, room: int) -> int:
    node = add_object(graph, class_name, center, "INSIDE", room)
    node.box = Box(center, size)
    return node.id


def _place_piece(graph: SceneGraph, piece: _Piece, room: int, floor: int) -> None:
    height = object_class(piece.name).size[1]
    center = (piece.x, piece.base + height / 2, piece.z)
    target, relation = room, "INSIDE"
    if piece.on:
        relation = "ON"
        target = next(
            number
            for number in graph.contents(room)
            if graph.nodes[number].class_name == piece.on and _covers(graph, number, piece)
        )
    elif piece.base == 0.0:
        relation, target = "ON", floor
    add_object(graph, piece.name, center, relation, target, turned=piece.turned)


def _covers(graph: SceneGraph, support: int, piece: _Piece) -> bool:
    box = graph.nodes[support].box
    return box is not None and box.distance(piece.x, piece.z) == 0.0
