"""The people in a picture: where they are and look, what they hold and say, and where they came from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..scene.graph import SceneGraph
from .palette import Theme, person_colour
from .svg import BOLD, MIDDLE, Rect, View, num, rectangle, shortened, width_of, words, wrapped

MAX_BUBBLES = 40
"""More people than this who speak at once are not shown speaking, the highest numbers first."""
_BUBBLE_LINES = 3
_HELD_SCALE = 22.0
"""Below this many pixels a metre there is no room to name what is held."""

_STEPS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))


@dataclass(frozen=True, slots=True)
class Figure:
    """One person as drawn.

    Attributes:
        number: names the person and chooses the colour.
        x, z: metres.
        heading: radians clockwise from north (z up); None if it is not known.
        holding: class names of what is held.
        speech: what is said right now. Untrusted: it is cut and escaped.
        trail: where the person was before, oldest first, in metres.
    """

    number: int
    x: float
    z: float
    heading: float | None = None
    holding: tuple[str, ...] = ()
    speech: str = ""
    trail: tuple[tuple[float, float], ...] = ()


def figures_of(graph: SceneGraph) -> list[Figure]:
    """The people of a scene as they stand there now."""
    found: list[Figure] = []
    for number in graph.characters:
        node = graph.nodes[number]
        if node.box is None or not all(math.isfinite(metres) for metres in node.box.center):
            continue
        held = tuple(graph.nodes[thing].class_name for thing in graph.held_by(number))
        found.append(Figure(number, node.box.center[0], node.box.center[2], heading_of(node.rotation), held))
    return found


def heading_of(rotation: Sequence[float]) -> float | None:
    """Where a rotation (a quaternion x, y, z, w) turns what faces north: radians clockwise, seen from above."""
    if len(rotation) != 4:
        return None
    x, y, z, w = rotation
    east, north = 2 * (x * z + w * y), 1 - 2 * (x * x + y * y)
    return math.atan2(east, north)


def draw_people(people: Sequence[Figure], faded: frozenset[int], view: View, theme: Theme, sheet: Rect) -> str:
    """All people; the numbers in `faded` are out of sight of whoever the picture is about."""
    radius = min(22.0, max(6.5, 0.27 * view.scale))
    places = _places(people, view, radius)
    trails = [_trail(figure, place, view) for figure, place in zip(people, places, strict=True) if figure.trail]
    bodies = [
        _body(figure, place, radius, figure.number in faded, view, theme)
        for figure, place in zip(people, places, strict=True)
    ]
    return "".join([*trails, *bodies, *_bubbles(people, places, radius, view, theme, sheet)])


def _places(people: Iterable[Figure], view: View, radius: float) -> list[tuple[float, float]]:
    """Where each is drawn, in pixels: at their place, or next to it if somebody stands there."""
    step = 1.7 * radius
    taken: set[tuple[int, int]] = set()
    places: list[tuple[float, float]] = []
    for figure in people:
        x, y = view.point(figure.x, figure.z)
        column, row = round(x / step), round(y / step)
        dx, dy = next((d for d in _STEPS if (column + d[0], row + d[1]) not in taken), (0, 0))
        taken.add((column + dx, row + dy))
        places.append((x + dx * step, y + dy * step))
    return places


def _trail(figure: Figure, place: tuple[float, float], view: View) -> str:
    points = [view.point(*point) for point in figure.trail]
    path = " ".join(f"{num(x)},{num(y)}" for x, y in (*points, place))
    thick = max(1.8, min(4.5, view.scale * 0.05))
    style = f'stroke-width="{num(thick)}" stroke-linecap="round" stroke-dasharray="0 {num(2.2 * thick)}"'
    return f'<polyline points="{path}" fill="none" stroke="{person_colour(figure.number)[0]}" {style}/>'


def _body(figure: Figure, place: tuple[float, float], radius: float, faded: bool, view: View, theme: Theme) -> str:
    x, y = place
    colour, ink = person_colour(figure.number)
    edge = num(max(1.0, radius / 8))
    nose = ""
    if figure.heading is not None:
        nose = _nose(x, y, radius, figure.heading)
    number = str(figure.number)
    size = min(radius * 1.35, 1.75 * radius / width_of(number, 1.0))
    held = _held(figure, x, y, radius, view, theme) if figure.holding and view.scale >= _HELD_SCALE else ""
    veil = ' opacity="0.35"' if faded else ""
    return (
        f'<g{veil}><g fill="{colour}" stroke="{theme.halo}" stroke-width="{edge}">'
        f'{nose}<circle cx="{num(x)}" cy="{num(y)}" r="{num(radius)}"/></g>'
        f"{words(number, x, y, size, ink, MIDDLE + BOLD)}{held}</g>"
    )


def _nose(x: float, y: float, radius: float, heading: float) -> str:
    """A pointer from the rim of the circle to where the person looks."""
    corners = ((1.55 * radius, 0.0), (0.95 * radius, 0.75), (0.95 * radius, -0.75))
    points = " ".join(
        f"{num(x + reach * math.sin(heading + turn))},{num(y - reach * math.cos(heading + turn))}"
        for reach, turn in corners
    )
    return f'<polygon points="{points}"/>'


def _held(figure: Figure, x: float, y: float, radius: float, view: View, theme: Theme) -> str:
    """The names of what is held, in a small sign at the person's side."""
    size = max(8.0, view.text * 0.75)
    text = shortened(", ".join(figure.holding), size, 14 * size)
    width = width_of(text, size) + 6
    sign = Rect(x + radius * 0.9, y + radius * 0.45, width, size * 1.35)
    edge = f' stroke="{person_colour(figure.number)[0]}" stroke-width="1.2"'
    middle = sign.y + sign.height / 2
    return rectangle(sign, theme.bubble, edge, 2) + words(text, sign.x + width / 2, middle, size, theme.words, MIDDLE)


def _bubbles(
    people: Sequence[Figure],
    places: Sequence[tuple[float, float]],
    radius: float,
    view: View,
    theme: Theme,
    sheet: Rect,
) -> Iterable[str]:
    """Speech bubbles, each where it covers least of other bubbles and people."""
    size = max(9.0, min(view.text * 0.85, 0.3 * view.scale))
    taken = [Rect(x - radius, y - radius, 2 * radius, 2 * radius) for x, y in places]
    speaking = [(f, place) for f, place in zip(people, places, strict=True) if f.speech.strip()]
    for figure, (x, y) in speaking[:MAX_BUBBLES]:
        lines = wrapped(figure.speech, size, min(16 * size, sheet.width * 0.45), _BUBBLE_LINES)
        if not lines:
            continue
        width, height = max(width_of(text, size) for text in lines) + size, (len(lines) * 1.2 + 0.5) * size
        spots = [
            Rect(
                min(max(x + side * width * 0.55 - width / 2, sheet.x), sheet.x + sheet.width - width),
                min(max(top, sheet.y), sheet.y + sheet.height - height),
                width,
                height,
            )
            for top in (y - 2.1 * radius - height, y + 2.1 * radius, y - 3.5 * radius - 2 * height)
            for side in (0.5, -0.5, 0.0)
        ]
        spot = min(spots, key=lambda rect: sum(rect.overlap(other) for other in taken))
        taken.append(spot)
        yield _bubble(lines, size, spot, (x, y), person_colour(figure.number)[0], theme)


def _bubble(lines: Sequence[str], size: float, at: Rect, mouth: tuple[float, float], colour: str, theme: Theme) -> str:
    x, y = mouth
    near_x = min(max(x, at.x + size), at.x + at.width - size)
    near_y = at.y + (at.height if at.y < y else 0.0)
    tail = f'<path d="M{num(x)} {num(y)}L{num(near_x)} {num(near_y)}" stroke="{colour}" stroke-width="1.5"/>'
    body = rectangle(at, theme.bubble, f' stroke="{colour}" stroke-width="1.5"', size * 0.4)
    texts = (
        words(text, at.x + size / 2, at.y + (0.85 + row * 1.2) * size, size, theme.words)
        for row, text in enumerate(lines)
    )
    return tail + body + "".join(texts)
