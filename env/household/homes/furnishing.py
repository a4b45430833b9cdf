"""Furnishing: the wishes for each room, placed one after the other by the rules.

Wishes are class names, biggest first, as in `sofa coffeetable cabinet*2 plant?`: `*2` asks for two,
`?` marks what may be left out when there is no room for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

from .blueprint import ROTATION, Blueprint, Draft
from .choice import Placed, best_place
from .fitting import Edge, Form, Solid, in_the_open
from .layout import DOOR_M, HEIGHT_M, OPPOSITE, WALL_M, FloorPlan, build_shell, walls
from .rules import FLAT_ON_THE_FLOOR, RULES, SILL_M, SUNK_M, How, Rule, footprints

DOORWAY_M = 0.8
"""How much stays free on both sides of a doorway."""

_WINDOW_ZONE_M, _FRAME_M = 0.15, 0.2
"""How far into the room a window is kept clear, and how much wall stays on its sides."""

_GAP_M = 0.05
"""Between a table and a chair that cannot be pushed under it."""

_MARGINS_M = (0.75, 0.5, 0.25, 0.05)
"""What is tried to keep free around a free-standing piece."""


class Cramped(Exception):
    """There is no room for something that must be there."""


def furnish(plan: FloorPlan, rng: Random) -> Blueprint:
    """Build the shell of a flat and place all that is wished for.

    Raises:
        Cramped: there is no room for something that must be there.
    """
    rooms = tuple(
        (
            room.class_name,
            Solid(room.area.x0, room.area.x1, 0.0, HEIGHT_M, room.area.z0, room.area.z1).box(),
        )
        for room in plan.rooms
    )
    draft = Draft(plan.style, rooms)
    build_shell(draft, plan)
    furnishers = [_Furnisher(draft, plan, number, rng) for number in range(len(rooms))]
    for furnisher, room in zip(furnishers, plan.rooms, strict=True):
        for class_name, required in wishes(room.wishes):
            if not furnisher.place(class_name) and required:
                raise Cramped(f"no room for a {class_name} in the {room.class_name} (number {furnisher.room})")
    return draft.finished()


def wishes(text: str) -> Iterator[tuple[str, bool]]:
    """Class names with whether they must be there, in order."""
    for word in text.split():
        name, _, count = word.removesuffix("?").partition("*")
        for _ in range(int(count or 1)):
            yield name, not word.endswith("?")


class _Furnisher:
    """Places pieces in one room, and knows what is where in it."""

    def __init__(self, draft: Draft, plan: FloorPlan, room: int, rng: Random) -> None:
        self.room = room
        self._draft = draft
        self._rng = rng
        area, inset = plan.rooms[room].area, WALL_M / 2
        self._inside = (area.x0 + inset, area.x1 - inset, area.z0 + inset, area.z1 - inset)
        x0, x1, z0, z1 = self._inside
        self._walls = [
            Edge("west", z0, z1, x0),
            Edge("east", z0, z1, x1),
            Edge("south", x0, x1, z0),
            Edge("north", x0, x1, z1),
        ]
        self._outer = [
            Edge(part.side, part.start + 2 * WALL_M, part.end - 2 * WALL_M, part.at) for part in plan.outer_walls(room)
        ]
        self._tiles = [
            (number, piece.box)
            for number, piece in enumerate(draft.pieces, len(draft.rooms))
            if piece.class_name == "floor" and piece.room == room
        ]
        self._doors: list[tuple[float, float]] = []
        self._solids: list[Solid] = []
        self._zones: list[Solid] = []
        self._clear: list[Solid] = []
        self._placed: dict[str, list[Placed]] = {}
        self._wished = Counter(name for name, _ in wishes(plan.rooms[room].wishes))
        self._joined: Counter[tuple[int, str]] = Counter()
        for opening in plan.doorways_of(room):
            self._doors.append((opening.x, opening.z))
            for wall, own in zip(walls(area), self._walls, strict=True):
                across, along = (opening.z, opening.x) if wall.runs_along_x else (opening.x, opening.z)
                if wall.runs_along_x == opening.runs_along_x and abs(across - wall.at) < WALL_M:
                    self._zones.append(own.solid(along, Form(DOOR_M + WALL_M, HEIGHT_M, DOORWAY_M)))

    def place(self, class_name: str) -> bool:
        """Place one piece; False: there is no room for it."""
        rule = RULES[class_name]
        ways: dict[How, Callable[[str, Rule, Form], bool]] = {
            How.WINDOW: self._window,
            How.CURTAIN: self._curtain,
            How.WALL: self._wall,
            How.FRONT: self._front,
            How.AROUND: self._around,
            How.OPEN: self._open,
            How.ON: self._on,
            How.UNDER: self._under,
            How.CEILING: self._ceiling,
        }
        for length, height, depth in footprints(class_name):
            form = Form(length, height, depth, rule.bottom, rule.inset if rule.how is How.ON else 0.0)
            if ways[rule.how](class_name, rule, form):
                return True
            if rule.how in (How.FRONT, How.AROUND) and self._wall(class_name, rule, form):
                return True
        return False

    # -- the ways -----------------------------------------------------------------------------

    def _window(self, class_name: str, rule: Rule, form: Form) -> bool:
        framed = form._replace(length=form.length + 2 * _FRAME_M)
        found = self._best_along(self._outer, framed, rule, [*self._solids, *self._zones])
        if found is None:
            return False
        edge, along = found
        self._add(class_name, edge.solid(along, form), edge.side)
        wall = next(wall for wall in self._walls if wall.side == edge.side)
        zone = Form(form.length, HEIGHT_M - SILL_M, _WINDOW_ZONE_M, SILL_M)
        self._zones.append(wall.solid(along, zone))
        return True

    def _curtain(self, class_name: str, rule: Rule, form: Form) -> bool:
        for window in self._anchors(class_name, rule):
            wall = next(wall for wall in self._walls if wall.side == window.side)
            along = window.solid.middle[0 if wall.runs_along_x else 1]
            solid = wall.solid(along, form._replace(inset=rule.inset))
            if self._joined[window.number, class_name] == 0 and self._is_free(solid):
                self._add(class_name, solid, wall.side, joins=window)
                return True
        return False

    def _wall(self, class_name: str, rule: Rule, form: Form) -> bool:
        flat = class_name in FLAT_ON_THE_FLOOR
        zones = [] if flat else self._zones
        for clear, kept in ((rule.clear, self._clear), (0.0, [])):
            front = [] if flat else kept
            for anchor in self._anchors(class_name, rule) or [None]:
                found = self._best_along(self._walls, form, rule, [*zones, *front], self._solids, clear, anchor)
                if found is not None:
                    edge, along = found
                    if clear:
                        before = Form(form.length, SILL_M, clear, 0.0, form.depth)
                        self._clear.append(edge.solid(along, before))
                    self._add(class_name, edge.solid(along, form), edge.side, joins=anchor)
                    return True
        return False

    def _front(self, class_name: str, rule: Rule, form: Form) -> bool:
        for anchor in self._anchors(class_name, rule):
            before = form._replace(inset=rule.inset)
            if anchor.side is not None and self._before(class_name, before, anchor, anchor.side, (0.0, 0.3, -0.3)):
                return True
        return False

    def _around(self, class_name: str, rule: Rule, form: Form) -> bool:
        for anchor in self._anchors(class_name, rule):
            x0, x1, _, _, z0, z1 = anchor.solid
            long_sides = ("west", "east") if z1 - z0 > x1 - x0 else ("south", "north")
            if anchor.side is not None:
                sides: list[str] = [anchor.side]
            else:
                sides = [*long_sides, *(side for side in OPPOSITE if side not in long_sides)]
            for side in sides:
                width = x1 - x0 if side in ("south", "north") else z1 - z0
                places = max(1, int(width / (form.length + 0.05)))
                shifts = [width * ((n + 0.5) / places - 0.5) for n in range(places)]
                for inset in (rule.inset, _GAP_M):
                    if self._before(class_name, form._replace(inset=inset), anchor, side, shifts):
                        return True
        return False

    def _open(self, class_name: str, rule: Rule, form: Form) -> bool:
        x0, x1, z0, z1 = self._inside
        sizes = [(form.length, form.height, form.depth), (form.depth, form.height, form.length)]
        if x1 - x0 < z1 - z0:
            sizes.reverse()
        blockers = [*self._solids, *self._zones, *self._clear]
        for margin in _MARGINS_M:
            for size in sizes:
                solid = in_the_open(self._inside, size, margin, blockers)
                if solid is not None:
                    self._add(class_name, solid, None)
                    return True
        return False

    def _on(self, class_name: str, rule: Rule, form: Form) -> bool:
        for anchor in self._anchors(class_name, rule):
            x0, x1, _, top, z0, z1 = anchor.solid
            side = anchor.side or "south"
            start, end = (x0, x1) if side in ("south", "north") else (z0, z1)
            back = Edge(side, start, end, {"west": x0, "east": x1, "south": z0, "north": z1}[side])
            form = form._replace(bottom=top - SUNK_M.get(class_name, 0.0))
            blockers = [solid for solid in (*self._solids, *self._zones) if solid != anchor.solid]
            found = self._best_along([back], form, rule, blockers)
            if found is not None:
                solid = back.solid(found[1], form)
                if solid.within(x0, x1, z0, z1):
                    self._add(class_name, solid, side, joins=anchor, on=anchor.number)
                    return True
        return False

    def _under(self, class_name: str, rule: Rule, form: Form) -> bool:
        x0, x1, z0, z1 = self._inside
        for anchor in self._anchors(class_name, rule):
            (x, z), solid = anchor.solid.middle, anchor.solid
            wide = solid.x1 - solid.x0 >= solid.z1 - solid.z0
            width, depth = (form.length, form.depth) if wide else (form.depth, form.length)
            if width > x1 - x0 or depth > z1 - z0:
                continue
            x = min(max(x, x0 + width / 2), x1 - width / 2)
            z = min(max(z, z0 + depth / 2), z1 - depth / 2)
            flat = Solid.of((x, form.height / 2, z), (width, form.height, depth))
            if not any(flat.hits(zone) for zone in self._zones):
                self._add(class_name, flat, None, joins=anchor)
                return True
        return False

    def _ceiling(self, class_name: str, rule: Rule, form: Form) -> bool:
        """Each lamp in the middle of its part of the room, cut across the longer side."""
        x0, x1, z0, z1 = self._inside
        part, parts = len(self._placed.get(class_name, ())), self._wished[class_name]
        if x1 - x0 > z1 - z0:
            x0, x1 = x0 + part * (x1 - x0) / parts, x0 + (part + 1) * (x1 - x0) / parts
        else:
            z0, z1 = z0 + part * (z1 - z0) / parts, z0 + (part + 1) * (z1 - z0) / parts
        low = HEIGHT_M - form.height
        blockers = [solid._replace(y0=0.0) for solid in self._solids if solid.y1 > low]
        solid = in_the_open((x0, x1, z0, z1), (form.length, form.height, form.depth), 0.1, blockers)
        if solid is None:
            return False
        self._add(class_name, solid._replace(y0=low, y1=HEIGHT_M), None)
        return True

    # -- finding a place ----------------------------------------------------------------------

    def _anchors(self, class_name: str, rule: Rule) -> list[Placed]:
        """What a piece may go with: those with the fewest of its class already, then in the rule's order."""
        found = [placed for name in rule.anchors for placed in self._placed.get(name, ())]
        return sorted(found, key=lambda placed: self._joined[placed.number, class_name])

    def _is_free(self, solid: Solid, but: Solid | None = None) -> bool:
        return not any(solid.hits(other) for other in self._solids if other != but)

    def _before(self, class_name: str, form: Form, anchor: Placed, side: str, shifts: Sequence[float]) -> bool:
        """Place a piece before an anchor whose back is to `side`, its own back turned away from the anchor."""
        x0, x1, _, _, z0, z1 = anchor.solid
        middle = anchor.solid.middle[0 if side in ("south", "north") else 1]
        start, end = (x0, x1) if side in ("south", "north") else (z0, z1)
        front = Edge(side, start, end, {"west": x1, "east": x0, "south": z1, "north": z0}[side])
        for shift in shifts:
            solid = front.solid(middle + shift, form)
            free = self._is_free(solid, but=anchor.solid) or class_name in FLAT_ON_THE_FLOOR
            if free and solid.within(*self._inside) and not any(solid.hits(zone) for zone in self._zones):
                self._add(class_name, solid, OPPOSITE[side], joins=anchor)
                return True
        return False

    def _best_along(
        self,
        edges: list[Edge],
        form: Form,
        rule: Rule,
        blockers: list[Solid],
        deep_blockers: Sequence[Solid] = (),
        clear: float = 0.0,
        anchor: Placed | None = None,
    ) -> tuple[Edge, float] | None:
        gaps = ((edge, gap) for edge in edges for gap in edge.gaps(form, blockers, deep_blockers, clear))
        return best_place(gaps, form, rule.prefer, self._doors, anchor, self._rng)

    def _add(
        self, class_name: str, solid: Solid, side: str | None, joins: Placed | None = None, on: int | None = None
    ) -> None:
        relation, target = "INSIDE", self.room
        if on is not None:
            relation, target = "ON", on
        elif solid.y0 == 0.0:
            relation, target = "ON", self._tile(solid)
        rotation = ROTATION[side or "south"]
        number = self._draft.add(class_name, solid.box(), relation, target, rotation)
        self._placed.setdefault(class_name, []).append(Placed(number, solid, side))
        if class_name not in FLAT_ON_THE_FLOOR:
            self._solids.append(solid)
        if joins is not None:
            self._joined[joins.number, class_name] += 1

    def _tile(self, solid: Solid) -> int:
        """The floor tile under the middle of a piece."""
        x, z = solid.middle
        return min(self._tiles, key=lambda tile: tile[1].distance(x, z))[0]
