"""`Picture`: one scene seen from above, as many frames as wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ...world import WorldError
from ..scene.graph import Box, SceneGraph
from .furniture import draw_open
from .palette import LIGHT, Theme
from .people import Figure, draw_people, figures_of
from .plan import Plan, take_inventory
from .svg import BOLD, FONTS, MARGIN_PX, Rect, View, line, num, rectangle, shortened, text_size, words

_BAR_STEPS_M = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_TALLEST = 8
"""A sheet is never taller than so many times its width: a scene file may hold a corridor without end."""
_MARK_SCALE = 8.0
"""Below this many pixels a metre loose things would be dust, and are left out."""

_Moved = tuple[tuple[Box | None, tuple[str, ...]], ...]


class Picture:
    """Draws a scene, again and again while it changes.

    Floors, walls, furniture and labels are drawn once, and anew only when a door or a piece of furniture that can be
    moved is no longer as it was. Equal scenes give equal bytes.

    Args:
        graph: the scene; each frame shows it as it is then.
        theme: the colours.
        width: of the sheet, in pixels.
        height: of the sheet; None takes what the plan needs at this width.
        caption_lines: how many lines are kept free for captions at the foot.
        area: what fills the sheet from edge to edge, without captions and scale; it must have the sheet's aspect.
            None shows all rooms.

    Raises:
        WorldError: no room of the scene has a bounding box, so there is nothing to draw.
    """

    def __init__(
        self,
        graph: SceneGraph,
        theme: Theme = LIGHT,
        width: int = 960,
        height: int | None = None,
        caption_lines: int = 0,
        area: Box | None = None,
    ) -> None:
        self._graph, self._theme, self.width = graph, theme, width
        self._inventory = take_inventory(graph)
        if not self._inventory.rooms:
            raise WorldError("scene graph: no room has a bounding box, so there is no plan to draw")
        text = text_size(width)
        self._has_foot = area is None
        self._foot = (1.5 + 1.35 * caption_lines) * text + 4 if self._has_foot else 0.0
        self._caption_lines = caption_lines if self._has_foot else 0
        if area is None:
            self._view, self.height = _fit(self._rooms(), width, height, text, self._foot)
        else:
            self._view, self.height = _filled(area, width, text)
        self._movable = [*self._inventory.doors, *(n for n in self._inventory.pieces if self._can_move(n))]
        self._boxes_open = [
            n for n in self._inventory.pieces if {"CONTAINERS", "CAN_OPEN"} <= graph.nodes[n].properties
        ]
        self._still: tuple[_Moved, Plan] | None = None

    def frame(
        self, people: Sequence[Figure] | None = None, lit: Collection[int] | None = None, caption: Sequence[str] = ()
    ) -> str:
        """The scene right now, as SVG.

        Args:
            people: who is drawn and how; None draws the people of the scene.
            lit: ids of the rooms that are seen; the others, and who is there, are dimmed. None dims nothing.
            caption: lines of text at the foot; those for which no room was kept are left out.
        """
        theme, view = self._theme, self._view
        plan = self._plan()
        shown = figures_of(self._graph) if people is None else people
        dark = [] if lit is None else [n for n in self._inventory.rooms if n not in lit]
        faded = frozenset(figure.number for figure in shown if dark and not self._is_in(figure, lit or ()))
        sheet = Rect(4, 4, self.width - 8, self.height - self._foot - 8)
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONTS}">',
            rectangle(Rect(0, 0, self.width, self.height), theme.background),
            plan.below,
            *self._open_containers(plan),
            *self._loose_things(),
            plan.above,
            *(rectangle(view.rect(box), theme.background, ' fill-opacity="0.6"') for box in self._boxes(dark)),
            draw_people(shown, faded, view, theme, sheet),
            self._scale_bar() if self._has_foot else "",
            *self._caption(caption),
            "</svg>\n",
        ]
        return "".join(parts)

    # -- what is where ------------------------------------------------------------------------

    def _boxes(self, numbers: Iterable[int]) -> list[Box]:
        return [box for number in numbers if (box := self._graph.nodes[number].box) is not None]

    def _rooms(self) -> list[Box]:
        return self._boxes(self._inventory.rooms)

    def _can_move(self, number: int) -> bool:
        return "GRABBABLE" in self._graph.nodes[number].properties

    def _is_in(self, figure: Figure, rooms: Collection[int]) -> bool:
        return any(box.distance(figure.x, figure.z) == 0.0 for box in self._boxes(rooms))

    def _plan(self) -> Plan:
        graph = self._graph
        moved = tuple(
            (None if graph.holder(n) is not None else graph.nodes[n].box, graph.nodes[n].states) for n in self._movable
        )
        if self._still is None or self._still[0] != moved:
            self._still = moved, Plan(graph, self._inventory, self._view, self._theme)
        return self._still[1]

    # -- what changes -------------------------------------------------------------------------

    def _open_containers(self, plan: Plan) -> Iterable[str]:
        for number in self._boxes_open:
            node = self._graph.nodes[number]
            if "OPEN" in node.states and number in plan.backs and node.box is not None:
                yield draw_open(node.box, plan.backs[number], self._view, self._theme)

    def _loose_things(self) -> Iterable[str]:
        """Small marks, one path for each kind: food round, ornaments on the tip, the rest square."""
        graph, view = self._graph, self._view
        if view.scale < _MARK_SCALE:
            return
        marks: dict[str, list[str]] = {}
        for number in self._inventory.loose:
            node = graph.nodes[number]
            if node.box is None or graph.holder(number) is not None or not graph.is_accessible(number):
                continue
            (x, _, z), (wide, _, deep) = node.box
            half = min(9.0, max(1.6, (wide * deep) ** 0.5 * view.scale * 0.4))
            marks.setdefault(node.category, []).append(_mark(node.category, *view.point(x, z), half))
        edge = num(max(0.5, min(1.2, view.scale / 60)))
        for category in sorted(marks):
            fill = self._theme.good(category)
            path = "".join(marks[category])
            yield f'<path d="{path}" fill="{fill}" stroke="{self._theme.halo}" stroke-width="{edge}"/>'

    # -- the foot -----------------------------------------------------------------------------

    def _scale_bar(self) -> str:
        scale, text = self._view.scale, self._view.text
        metres = next((m for m in _BAR_STEPS_M if m * scale >= 45), _BAR_STEPS_M[-1])
        right, y = self.width - MARGIN_PX, self.height - 0.75 * text
        left = right - metres * scale
        bar = line(left, y, right, y) + line(left, y - 4, left, y + 4) + line(right, y - 4, right, y + 4)
        label = words(f"{metres} m", left - 6, y, 0.85 * text, self._theme.text, ' text-anchor="end"')
        return f'<path d="{bar}" fill="none" stroke="{self._theme.text}" stroke-width="1.5"/>{label}'

    def _caption(self, lines: Sequence[str]) -> Iterable[str]:
        text = self._view.text
        top = self.height - self._foot + 0.6 * text
        for row, content in enumerate(lines[: self._caption_lines]):
            fitting = shortened(content, text, self.width - 2 * MARGIN_PX)
            more = BOLD if row == 0 else ""
            yield words(fitting, MARGIN_PX, top + row * 1.35 * text, text, self._theme.text, more)


def _mark(category: str, x: float, y: float, half: float) -> str:
    if category == "Food":
        turn = f"{num(half)} {num(half)} 0 1 0"
        return f"M{num(x - half)} {num(y)}a{turn} {num(2 * half)} 0a{turn} {num(-2 * half)} 0Z"
    if category == "Decor":
        return f"M{num(x)} {num(y - half)}l{num(half)} {num(half)}l{num(-half)} {num(half)}l{num(-half)} {num(-half)}Z"
    side = num(1.7 * half)
    return f"M{num(x - 0.85 * half)} {num(y - 0.85 * half)}h{side}v{side}h-{side}Z"


def _fit(rooms: Sequence[Box], width: int, height: int | None, text: float, foot: float) -> tuple[View, int]:
    """The view that shows all rooms as large as the sheet allows, in its middle, and the height of the sheet."""
    west = min(box.center[0] - box.size[0] / 2 for box in rooms)
    east = max(box.center[0] + box.size[0] / 2 for box in rooms)
    south = min(box.center[2] - box.size[2] / 2 for box in rooms)
    north = max(box.center[2] + box.size[2] / 2 for box in rooms)
    wide, high = max(east - west, 1.0), max(north - south, 1.0)
    scale = (width - 2 * MARGIN_PX) / wide
    if height is None:
        height = min(round(high * scale + 2 * MARGIN_PX + foot), _TALLEST * width)
    scale = min(scale, max(1.0, height - 2 * MARGIN_PX - foot) / high)
    left = (width - wide * scale) / 2 - west * scale
    top = (height - foot - high * scale) / 2 + north * scale
    return View(scale, left, top, text), height


def _filled(area: Box, width: int, text: float) -> tuple[View, int]:
    """The view that shows an area from edge to edge, and the height of the sheet."""
    (x, _, z), (wide, _, deep) = area
    scale = width / wide
    return View(scale, (wide / 2 - x) * scale, (deep / 2 + z) * scale, text), round(deep * scale)
