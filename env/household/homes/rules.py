"""Where people put furniture: for every class of furniture, one rule.

Original rules, made for the classes and sizes of the catalog. Heights are metres above the floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..scene.catalog import object_class

SILL_M = 1.1
"""Where windows begin; what is lower may stand below them."""


class How(Enum):
    """The ways to place a piece."""

    WINDOW = auto()  # in an outer wall
    CURTAIN = auto()  # before a window
    WALL = auto()  # with its back to a wall
    FRONT = auto()  # before the anchor
    AROUND = auto()  # at a side of the anchor
    OPEN = auto()  # free-standing, as far in the middle as can be
    ON = auto()  # on the anchor, at its back
    UNDER = auto()  # flat on the floor, beneath the anchor
    CEILING = auto()


class Prefer(Enum):
    """Which of the places along a wall."""

    CORNER = auto()
    MIDDLE = auto()
    NEAR = auto()  # as near to the back of the anchor as can be
    OPPOSITE = auto()  # across the room from the anchor
    DOOR = auto()  # beside a doorway
    QUIET = auto()  # far from all doorways, in the middle of a wall


@dataclass(frozen=True, slots=True)
class Rule:
    """How the pieces of a class are placed.

    Attributes:
        how: the way.
        anchors: classes that it goes with; the first that has room for it is taken.
        prefer: which place along a wall, or along the anchor's back for ON (CORNER: an end of it).
        bottom: height of its bottom.
        clear: metres that stay free before it, so that it can be opened and used.
        inset: the gap to the wall, or for FRONT and AROUND to the anchor (negative: tucked under it).
    """

    how: How
    anchors: tuple[str, ...] = ()
    prefer: Prefer = Prefer.CORNER
    bottom: float = 0.0
    clear: float = 0.0
    inset: float = 0.0


def _wall(prefer: Prefer, anchors: str = "", bottom: float = 0.0, clear: float = 0.0) -> Rule:
    return Rule(How.WALL, tuple(anchors.split()), prefer, bottom, clear)


def _on(anchors: str, prefer: Prefer = Prefer.CORNER, inset: float = 0.16) -> Rule:
    return Rule(How.ON, tuple(anchors.split()), prefer, inset=inset)


RULES: dict[str, Rule] = {
    "window": Rule(How.WINDOW, prefer=Prefer.MIDDLE, bottom=SILL_M),
    "curtains": Rule(How.CURTAIN, ("window",), bottom=SILL_M, inset=0.06),
    # kitchen
    "kitchencounter": _wall(Prefer.CORNER, clear=0.7),
    "stove": _wall(Prefer.NEAR, "kitchencounter", clear=0.6),
    "fridge": _wall(Prefer.NEAR, "kitchencounter", clear=0.6),
    "dishwasher": _wall(Prefer.NEAR, "kitchencounter", clear=0.6),
    "kitchencabinet": _wall(Prefer.NEAR, "kitchencounter dishwasher stove", bottom=1.55),
    "stovefan": _wall(Prefer.NEAR, "stove", bottom=1.75),
    "sink": _on("kitchencounter bathroomcounter", Prefer.MIDDLE, inset=0.08),
    "faucet": _on("sink", Prefer.MIDDLE, inset=0.08),
    "microwave": _on("kitchencounter cabinet"),
    "toaster": _on("kitchencounter cabinet"),
    "coffeemaker": _on("kitchencounter cabinet"),
    "knifeblock": _on("kitchencounter"),
    "kitchentable": Rule(How.OPEN),
    "diningtable": Rule(How.OPEN),
    "chair": Rule(How.AROUND, ("kitchentable", "diningtable", "desk"), Prefer.MIDDLE, inset=-0.2),
    "garbagecan": _wall(Prefer.NEAR, "kitchencounter desk toilet"),
    "wallshelf": _wall(Prefer.MIDDLE, bottom=1.5),
    # living room
    "sofa": _wall(Prefer.MIDDLE),
    "coffeetable": Rule(How.FRONT, ("sofa",), inset=0.35),
    "rug": Rule(How.UNDER, ("coffeetable", "diningtable", "bed", "desk", "kitchentable")),
    "tvstand": _wall(Prefer.OPPOSITE, "sofa bed"),
    "tv": _on("tvstand", Prefer.MIDDLE, inset=0.2),
    "speaker": _on("tvstand desk bookshelf"),
    "cabinet": _wall(Prefer.CORNER, clear=0.4),
    "bookshelf": _wall(Prefer.CORNER),
    "bench": Rule(How.FRONT, ("bed",), Prefer.MIDDLE, inset=0.08),
    "floorlamp": _wall(Prefer.NEAR, "sofa desk bed"),
    "plant": _wall(Prefer.CORNER),
    # bedroom and study
    "bed": _wall(Prefer.QUIET, clear=0.45),
    "nightstand": _wall(Prefer.NEAR, "bed"),
    "closet": _wall(Prefer.CORNER, clear=0.5),
    "dresser": _wall(Prefer.CORNER, clear=0.4),
    "desk": _wall(Prefer.MIDDLE, clear=0.6),
    "computer": _on("desk"),
    "printer": _on("desk cabinet dresser"),
    # bathroom and hall
    "bathroomcounter": _wall(Prefer.CORNER, bottom=0.45, clear=0.5),
    "bathroomcabinet": _wall(Prefer.NEAR, "bathroomcounter", bottom=1.15),
    "toilet": _wall(Prefer.CORNER, clear=0.3),
    "bathtub": _wall(Prefer.CORNER),
    "shower": _wall(Prefer.CORNER, clear=0.3),
    "washingmachine": _wall(Prefer.CORNER, clear=0.4),
    "towelrack": _wall(Prefer.NEAR, "bathtub shower bathroomcounter", bottom=1.3),
    "mat": Rule(How.FRONT, ("bathtub", "shower", "bathroomcounter", "sofa"), inset=0.05),
    "doormat": _wall(Prefer.DOOR),
    "coatrack": _wall(Prefer.DOOR, bottom=1.5),
    # walls, lamps and small things
    "lightswitch": _wall(Prefer.DOOR, bottom=1.1),
    "powersocket": _wall(Prefer.MIDDLE, bottom=0.25),
    "wallphone": _wall(Prefer.DOOR, bottom=1.3),
    "walllamp": _wall(Prefer.NEAR, "bathroomcabinet bed sofa", bottom=2.0),
    "wallpictureframe": _wall(Prefer.NEAR, "sofa bed desk bench cabinet", bottom=1.05),
    "mirror": _wall(Prefer.NEAR, "dresser closet cabinet", bottom=0.95),
    "clock": _wall(Prefer.MIDDLE, bottom=1.95),
    "ceilinglamp": Rule(How.CEILING),
    "tablelamp": _on("nightstand cabinet desk dresser"),
    "photoframe": _on("cabinet desk dresser nightstand tvstand"),
    "vase": _on("cabinet kitchentable diningtable dresser coffeetable tvstand", Prefer.MIDDLE, inset=0.3),
    "orchid": _on("cabinet desk dresser kitchencounter bathroomcounter coffeetable"),
}

FLAT_ON_THE_FLOOR = frozenset({"rug", "mat", "doormat"})
"""What lies beneath other furniture."""

SUNK_M = {"sink": 0.27}
"""How far a piece is let into what it is on."""

SMALLER: dict[str, tuple[float, float, float]] = {
    "kitchencounter": (0.77, 1.07, 1.90),
    "kitchentable": (0.90, 0.95, 1.40),
    "sofa": (1.04, 0.97, 1.70),
    "coffeetable": (0.80, 0.24, 1.10),
    "tvstand": (0.55, 0.49, 1.50),
    "rug": (2.20, 0.02, 1.40),
    "bookshelf": (0.32, 2.22, 1.05),
    "cabinet": (0.90, 0.75, 0.50),
    "bed": (2.10, 0.65, 1.40),
    "nightstand": (0.50, 0.48, 0.50),
    "closet": (0.57, 2.18, 1.10),
    "desk": (0.75, 0.95, 1.20),
    "bathroomcounter": (0.65, 0.39, 1.30),
    "bathroomcabinet": (0.14, 0.76, 1.10),
    "bathtub": (0.80, 0.70, 1.60),
    "wallpictureframe": (0.04, 0.70, 0.55),
    "bench": (0.35, 0.51, 1.10),
    "dishwasher": (0.65, 1.02, 0.75),
    "stove": (0.70, 1.08, 0.75),
}
"""Sizes of our own for where the usual one does not fit. The catalog's are medians; prefabs differ."""

_DEEP = frozenset({"bed"})
"""What stands with its short side to the wall."""


def footprints(class_name: str) -> list[tuple[float, float, float]]:
    """Length along the wall, height and depth of a class: the usual ones, then the smaller."""
    sizes = [object_class(class_name).size, *([SMALLER[class_name]] if class_name in SMALLER else [])]
    short_first = class_name in _DEEP
    return [(min(x, z), height, max(x, z)) if short_first else (max(x, z), height, min(x, z)) for x, height, z in sizes]
