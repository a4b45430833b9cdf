"""The shipped apartments, as data: floor plan, doorways and what is in each room. All original.

Rooms are rectangles (x from, x to, z from, z to; metres). Doorways name two rooms by their number and
say how far along their common wall they are. See `furnishing` for the wishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from .blueprint import Blueprint
from .furnishing import furnish
from .layout import FloorPlan, Rect, RoomPlan, doorway, entrance


@dataclass(frozen=True, slots=True)
class Shipped:
    """An apartment to be furnished; `front_door` is a room, one of its sides, and how far along it."""

    description: str
    style: str
    rooms: tuple[tuple[str, tuple[float, float, float, float], str], ...]
    doorways: tuple[tuple[int, int, float], ...]
    front_door: tuple[int, str, float]

    def plan(self) -> FloorPlan:
        """The floor plan."""
        rooms = tuple(RoomPlan(name, Rect(*area), wishes) for name, area, wishes in self.rooms)
        openings = [doorway(rooms, first, second, part) for first, second, part in self.doorways]
        found = tuple(opening for opening in openings if opening is not None)
        assert len(found) == len(openings), "the plan has a doorway in no common wall"
        return FloorPlan(rooms, (*found, entrance(rooms, *self.front_door)), self.style)


@lru_cache(maxsize=8)
def shipped_blueprint(name: str) -> Blueprint:
    """The furnished apartment of that name."""
    return furnish(APARTMENTS[name].plan(), Random(f"{name}/furnishing"))


_KITCHEN = "kitchencounter sink faucet stove stovefan dishwasher fridge microwave"
_BATH = "bathroomcounter bathroomcabinet sink faucet toilet"

APARTMENTS: dict[str, Shipped] = {
    "0": Shipped(
        "a classic four-room apartment: every other room opens to the living room",
        "Classic",
        (
            (
                "kitchen",
                (7.0, 12.0, 0.0, 5.4),
                f"window*2 {_KITCHEN} kitchencabinet*5 toaster coffeemaker knifeblock kitchentable chair*4 "
                "garbagecan ceilinglamp*2 lightswitch powersocket*2 wallshelf clock orchid wallpictureframe "
                "doormat",
            ),
            (
                "livingroom",
                (0.0, 7.0, 0.0, 5.4),
                "window*2 curtains*2 sofa coffeetable rug tvstand tv speaker*2 cabinet*2 bookshelf bench floorlamp "
                "plant ceilinglamp*2 tablelamp lightswitch*2 powersocket*3 wallphone wallpictureframe*3 "
                "photoframe*2 orchid vase clock",
            ),
            (
                "bedroom",
                (0.0, 5.2, 5.4, 10.0),
                "window*2 curtains*2 bed nightstand*2 closet desk chair bench computer cabinet rug? ceilinglamp "
                "tablelamp*2 lightswitch powersocket*2 wallpictureframe*2 mirror photoframe*2 plant",
            ),
            (
                "bathroom",
                (5.2, 8.8, 5.4, 9.2),
                f"window {_BATH} bathtub washingmachine towelrack*2 mat ceilinglamp walllamp*2 lightswitch "
                "powersocket garbagecan mirror orchid",
            ),
        ),
        ((1, 0, 0.5), (1, 2, 0.5), (1, 3, 0.5)),
        (1, "west", 0.1),
    ),
    "1": Shipped(
        "a compact city flat around one big living room, with a small kitchen and bedroom",
        "Studio",
        (
            (
                "livingroom",
                (0.0, 6.4, 0.0, 7.2),
                "window*3 curtains*3 sofa coffeetable rug tvstand tv speaker bookshelf*2 cabinet desk chair "
                "computer bench diningtable chair*2 floorlamp*2 plant*2 ceilinglamp*2 lightswitch*2 powersocket*4 "
                "wallpictureframe*4 tablelamp photoframe*3 vase*2 orchid*2 clock coatrack doormat mirror "
                "walllamp*2",
            ),
            (
                "kitchen",
                (6.4, 10.6, 0.0, 4.0),
                f"window {_KITCHEN} kitchencabinet*4 coffeemaker kitchentable chair*2 garbagecan ceilinglamp "
                "lightswitch powersocket*2 clock knifeblock? toaster?",
            ),
            (
                "bedroom",
                (6.4, 10.6, 4.0, 8.4),
                "window*2 curtains bed nightstand closet cabinet? ceilinglamp tablelamp lightswitch powersocket*2 "
                "wallpictureframe*2 mirror photoframe plant?",
            ),
            (
                "bathroom",
                (10.6, 13.8, 2.0, 5.6),
                f"window {_BATH} shower towelrack mat ceilinglamp walllamp lightswitch powersocket washingmachine "
                "garbagecan orchid",
            ),
        ),
        ((0, 1, 0.5), (0, 2, 0.6), (2, 3, 0.5)),
        (0, "south", 0.1),
    ),
    "2": Shipped(
        "a railway flat: all rooms along one long corridor",
        "Oldtown",
        (
            (
                "livingroom",
                (0.0, 5.6, 1.8, 7.0),
                "window*2 curtains*2 sofa coffeetable rug tvstand tv cabinet bookshelf bench floorlamp ceilinglamp "
                "lightswitch powersocket*2 wallpictureframe*2 plant speaker photoframe vase clock",
            ),
            (
                "kitchen",
                (5.6, 10.2, 1.8, 7.0),
                f"window {_KITCHEN} kitchencabinet*6 toaster kitchentable chair*4 garbagecan ceilinglamp "
                "lightswitch powersocket*2 clock wallshelf orchid? wallpictureframe",
            ),
            (
                "bathroom",
                (10.2, 13.8, 1.8, 7.0),
                f"window {_BATH} bathtub washingmachine towelrack mat ceilinglamp walllamp*2 lightswitch mirror "
                "plant powersocket",
            ),
            (
                "bedroom",
                (13.8, 18.8, 1.8, 7.0),
                "window*2 curtains*2 bed nightstand*2 closet dresser cabinet rug? ceilinglamp tablelamp*2 "
                "lightswitch powersocket*2 wallpictureframe*2 mirror photoframe orchid",
            ),
            (
                "corridor",
                (0.0, 18.8, 0.0, 1.8),
                "ceilinglamp*3 coatrack*2 mirror wallpictureframe*3 lightswitch*2 powersocket*2 plant? walllamp*2 "
                "wallphone doormat clock",
            ),
        ),
        ((4, 0, 0.5), (4, 1, 0.5), (4, 2, 0.5), (4, 3, 0.5), (0, 1, 0.7)),
        (4, "west", 0.5),
    ),
    "3": Shipped(
        "a big family flat: two bedrooms, dining room, and a kitchen with a long counter",
        "Family",
        (
            (
                "kitchen",
                (0.0, 5.6, 0.0, 5.0),
                f"window*2 kitchencounter {_KITCHEN} kitchencabinet*8 toaster coffeemaker knifeblock kitchentable "
                "chair*4 garbagecan ceilinglamp*2 lightswitch powersocket*2 clock wallshelf",
            ),
            (
                "livingroom",
                (5.6, 12.6, 0.0, 5.6),
                "window*2 curtains*2 sofa coffeetable rug tvstand tv sofa speaker*2 cabinet*2 bookshelf bench "
                "floorlamp ceilinglamp*2 tablelamp lightswitch powersocket*2 wallpictureframe*2 photoframe*2 plant "
                "vase wallphone",
            ),
            (
                "dining_room",
                (0.0, 5.6, 5.0, 9.6),
                "window curtains diningtable rug? chair*6 cabinet ceilinglamp lightswitch powersocket "
                "wallpictureframe*2 vase plant",
            ),
            (
                "bedroom",
                (5.6, 10.6, 5.6, 10.6),
                "window curtains bed nightstand*2 closet dresser ceilinglamp tablelamp*2 lightswitch powersocket "
                "wallpictureframe mirror photoframe",
            ),
            (
                "bedroom",
                (12.6, 17.0, 0.0, 4.2),
                "window curtains bed nightstand closet desk chair ceilinglamp tablelamp lightswitch powersocket "
                "wallpictureframe orchid",
            ),
            (
                "bathroom",
                (12.6, 16.4, 4.2, 8.0),
                f"window {_BATH} bathtub washingmachine towelrack*2 mat ceilinglamp walllamp*2 lightswitch garbagecan",
            ),
        ),
        ((1, 0, 0.5), (0, 2, 0.5), (1, 3, 0.3), (1, 4, 0.5), (1, 5, 0.6)),
        (1, "north", 0.95),
    ),
    "4": Shipped(
        "a flat for two with two bathrooms, one of them behind the bedroom",
        "Modern",
        (
            (
                "livingroom",
                (0.0, 6.6, 0.0, 5.4),
                "window*2 sofa coffeetable rug tvstand tv speaker*2 cabinet bench bookshelf floorlamp plant*2 "
                "curtains*2 ceilinglamp*2 tablelamp lightswitch powersocket*3 wallpictureframe*2 photoframe orchid "
                "vase wallphone",
            ),
            (
                "kitchen",
                (0.0, 5.0, 5.4, 10.4),
                f"window*2 {_KITCHEN} kitchencabinet*7 toaster coffeemaker kitchentable chair*4 garbagecan "
                "ceilinglamp*2 lightswitch powersocket*2 clock wallshelf plant",
            ),
            (
                "bathroom",
                (5.0, 8.4, 5.4, 8.6),
                "bathroomcounter bathroomcabinet sink faucet toilet shower towelrack ceilinglamp walllamp "
                "lightswitch mat garbagecan washingmachine",
            ),
            (
                "bedroom",
                (6.6, 12.0, 0.0, 5.4),
                "window*2 curtains*2 bed nightstand*2 closet*2 dresser desk chair computer rug? ceilinglamp "
                "tablelamp*2 lightswitch powersocket*2 wallpictureframe*2 mirror photoframe*2",
            ),
            (
                "bathroom",
                (8.4, 12.0, 5.4, 9.4),
                f"window {_BATH} bathtub towelrack*2 mat ceilinglamp walllamp*2 lightswitch mirror plant powersocket",
            ),
        ),
        ((0, 1, 0.5), (0, 2, 0.5), (0, 3, 0.5), (3, 4, 0.6)),
        (0, "west", 0.9),
    ),
    "5": Shipped(
        "a quiet flat with a home office, for somebody with many books",
        "Scholar",
        (
            (
                "home_office",
                (0.0, 4.6, 0.0, 4.6),
                "window*2 curtains*2 desk chair computer printer bookshelf*2 cabinet rug? floorlamp ceilinglamp "
                "lightswitch powersocket*3 wallpictureframe clock orchid tablelamp speaker garbagecan",
            ),
            (
                "livingroom",
                (4.6, 10.6, 0.0, 5.6),
                "window*2 curtains*2 sofa coffeetable rug tvstand tv bookshelf*2 cabinet bench floorlamp "
                "ceilinglamp*2 tablelamp lightswitch powersocket*2 wallpictureframe*2 photoframe plant vase",
            ),
            (
                "kitchen",
                (10.6, 15.2, 0.0, 5.0),
                f"window*2 {_KITCHEN} kitchencabinet*5 coffeemaker toaster knifeblock kitchentable chair*2 "
                "garbagecan ceilinglamp lightswitch powersocket*2 clock wallshelf",
            ),
            (
                "bedroom",
                (0.0, 4.6, 4.6, 9.6),
                "window curtains bed nightstand*2 closet dresser bench ceilinglamp tablelamp*2 lightswitch "
                "powersocket*2 wallpictureframe mirror",
            ),
            (
                "hall",
                (4.6, 10.6, 5.6, 7.6),
                "coatrack mirror cabinet doormat ceilinglamp*2 lightswitch*2 wallpictureframe*2 powersocket plant? "
                "wallphone",
            ),
            (
                "bathroom",
                (4.6, 8.4, 7.6, 11.2),
                f"window {_BATH} bathtub towelrack mat ceilinglamp walllamp*2 lightswitch washingmachine powersocket",
            ),
        ),
        ((0, 1, 0.5), (1, 2, 0.5), (1, 4, 0.5), (4, 3, 0.5), (4, 5, 0.5)),
        (4, "east", 0.5),
    ),
    "6": Shipped(
        "an L-shaped loft: kitchen and dining table in one wing, bedroom and bath in the other",
        "Loft",
        (
            (
                "kitchen",
                (0.0, 7.0, 0.0, 5.0),
                f"window*2 kitchencounter {_KITCHEN} kitchencabinet*6 toaster coffeemaker knifeblock kitchentable "
                "chair*6 cabinet garbagecan ceilinglamp*2 lightswitch*2 powersocket*3 clock wallshelf*2 plant vase",
            ),
            (
                "livingroom",
                (0.0, 6.0, 5.0, 11.6),
                "window*3 sofa coffeetable rug tvstand tv speaker*2 cabinet bookshelf bench floorlamp*2 plant*2 "
                "curtains*3 ceilinglamp*2 tablelamp lightswitch powersocket*3 wallpictureframe*4 photoframe*2 "
                "orchid",
            ),
            (
                "bedroom",
                (6.0, 11.4, 7.0, 11.6),
                "window*2 curtains*2 bed nightstand*2 closet desk chair computer ceilinglamp tablelamp*2 "
                "lightswitch powersocket*2 wallpictureframe*2 mirror dresser? photoframe?",
            ),
            (
                "bathroom",
                (11.4, 15.0, 7.6, 11.6),
                f"window {_BATH} bathtub shower? washingmachine towelrack*2 mat ceilinglamp walllamp*2 lightswitch "
                "powersocket orchid",
            ),
        ),
        ((0, 1, 0.6), (1, 2, 0.6), (2, 3, 0.5)),
        (0, "south", 0.95),
    ),
}
