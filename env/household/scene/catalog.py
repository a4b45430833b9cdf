"""The object classes of the household, as data.

Facts of VirtualHome's resource tables (MIT licensed): category, the properties that scripts
see, and the median size of the prefabs as (x, y, z) in metres, y up. Where the tables give no
size (kitchencabinet, faucet, oventray) the size is ours. `ceilinglamp` is not grabbable here,
because the tables disagree and nobody reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...world import WorldError

_PROPERTY_NAMES = """
    SURFACES GRABBABLE SITTABLE LIEABLE HANGABLE DRINKABLE EATABLE RECIPIENT CUTTABLE POURABLE CAN_OPEN HAS_SWITCH
    READABLE LOOKABLE CONTAINERS CLOTHES PERSON BODY_PART COVER_OBJECT HAS_PLUG HAS_PAPER MOVABLE CREAM
"""
PROPERTIES = frozenset(_PROPERTY_NAMES.split())
"""VirtualHome's 23 property names."""

CONTAINER_CLASSES = (
    "bathroomcabinet",
    "kitchencabinet",
    "cabinet",
    "fridge",
    "stove",
    "dishwasher",
    "microwave",
)
"""The containers that agents look into (cwah's fixed list); all of them can be opened."""

_LIT_CLASSES = frozenset({"lighting", "lightswitch", "light", "tablelamp", "lamp"})
_DOOR_CLASSES = frozenset({"door", "doorjamb"})


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """What all objects of one class share; `size` is (x, y, z) in metres."""

    name: str
    category: str
    properties: frozenset[str]
    size: tuple[float, float, float]


def default_states(class_name: str, properties: frozenset[str]) -> tuple[str, ...]:
    """The states of a fresh object (VirtualHome: doors open, the rest closed; lamps on, the rest off)."""
    states: list[str] = []
    if class_name in _DOOR_CLASSES:
        states.append("OPEN")
    elif "CAN_OPEN" in properties:
        states.append("CLOSED")
    if "HAS_SWITCH" in properties:
        states.append("ON" if class_name in _LIT_CLASSES else "OFF")
    return tuple(states)


def object_class(name: str) -> ObjectClass:
    """Look a class up.

    Raises:
        WorldError: there is no such class.
    """
    found = CATALOG.get(name)
    if found is None:
        raise WorldError(f"no object class {name!r} in the catalog")
    return found


_ROWS: tuple[tuple[str, str, str, tuple[float, float, float]], ...] = (
    # structure
    ("floor", "Floor", "SURFACES", (1.0, 0.02, 1.0)),
    ("wall", "Walls", "", (1.0, 2.6, 0.1)),
    ("ceiling", "Ceiling", "", (1.0, 0.02, 1.0)),
    ("window", "Windows", "CAN_OPEN", (1.20, 1.20, 0.10)),
    ("door", "Doors", "CAN_OPEN", (0.90, 2.10, 0.10)),
    ("doorjamb", "Doors", "", (0.90, 2.10, 0.10)),
    ("character", "Characters", "", (0.50, 1.80, 0.50)),
    # containers
    ("kitchencabinet", "Furniture", "SURFACES CAN_OPEN CONTAINERS", (0.60, 0.75, 0.40)),
    ("cabinet", "Furniture", "SURFACES CAN_OPEN CONTAINERS", (0.96, 0.75, 0.78)),
    ("bathroomcabinet", "Furniture", "SURFACES CAN_OPEN CONTAINERS", (0.14, 0.76, 2.85)),
    ("fridge", "Appliances", "CAN_OPEN HAS_SWITCH CONTAINERS HAS_PLUG", (0.71, 2.13, 0.89)),
    ("dishwasher", "Appliances", "CAN_OPEN HAS_SWITCH CONTAINERS", (0.79, 1.02, 0.97)),
    ("microwave", "Appliances", "CAN_OPEN HAS_SWITCH CONTAINERS HAS_PLUG", (0.54, 0.39, 0.38)),
    ("stove", "Appliances", "SURFACES CAN_OPEN HAS_SWITCH CONTAINERS", (0.83, 1.08, 1.0)),
    ("closet", "Furniture", "CAN_OPEN CONTAINERS", (0.57, 2.18, 1.75)),
    ("bookshelf", "Furniture", "SURFACES CONTAINERS", (0.32, 2.22, 2.11)),
    ("nightstand", "Furniture", "SURFACES CAN_OPEN CONTAINERS", (0.75, 0.48, 0.75)),
    ("toilet", "Furniture", "SITTABLE CAN_OPEN CONTAINERS", (0.8, 0.54, 0.77)),
    ("washingmachine", "Appliances", "RECIPIENT CAN_OPEN HAS_SWITCH CONTAINERS HAS_PLUG", (0.72, 1.0, 0.66)),
    ("garbagecan", "Props", "CAN_OPEN CONTAINERS MOVABLE", (0.38, 0.45, 0.33)),
    ("coffeemaker", "Appliances", "RECIPIENT CAN_OPEN HAS_SWITCH CONTAINERS HAS_PLUG MOVABLE", (0.35, 0.36, 0.2)),
    ("toaster", "Appliances", "HAS_SWITCH CONTAINERS HAS_PLUG MOVABLE", (0.34, 0.22, 0.2)),
    ("sink", "Furniture", "RECIPIENT CONTAINERS", (0.82, 0.3, 0.55)),
    ("box", "Props", "GRABBABLE RECIPIENT CAN_OPEN CONTAINERS COVER_OBJECT MOVABLE", (1.16, 0.69, 0.79)),
    ("folder", "Props", "GRABBABLE CAN_OPEN READABLE CONTAINERS HAS_PAPER MOVABLE", (0.28, 0.32, 0.08)),
    ("fryingpan", "Props", "SURFACES GRABBABLE RECIPIENT CONTAINERS MOVABLE", (0.51, 0.07, 0.31)),
    ("clothespile", "Props", "GRABBABLE CAN_OPEN CONTAINERS MOVABLE", (0.35, 0.14, 0.33)),
    # surfaces and seats
    ("kitchentable", "Furniture", "SURFACES MOVABLE", (1.09, 0.95, 2.0)),
    ("coffeetable", "Furniture", "SURFACES MOVABLE", (1.28, 0.24, 1.28)),
    ("diningtable", "Furniture", "SURFACES MOVABLE", (1.88, 1.02, 0.79)),
    ("kitchencounter", "Furniture", "SURFACES", (0.77, 1.07, 3.01)),
    ("bathroomcounter", "Furniture", "SURFACES", (0.65, 0.39, 2.86)),
    ("desk", "Furniture", "SURFACES CAN_OPEN MOVABLE", (1.07, 0.95, 1.41)),
    ("bench", "Furniture", "SURFACES SITTABLE LIEABLE MOVABLE", (0.35, 0.51, 1.58)),
    ("sofa", "Furniture", "SURFACES SITTABLE LIEABLE MOVABLE", (1.04, 0.97, 2.36)),
    ("bed", "Furniture", "SURFACES SITTABLE LIEABLE", (2.4, 0.65, 1.99)),
    ("chair", "Furniture", "SURFACES GRABBABLE SITTABLE MOVABLE", (0.75, 1.56, 0.74)),
    ("tvstand", "Furniture", "", (0.76, 0.49, 2.16)),
    ("wallshelf", "Furniture", "", (0.27, 0.18, 1.0)),
    ("rug", "Decor", "SURFACES GRABBABLE SITTABLE LIEABLE MOVABLE", (3.59, 0.02, 1.7)),
    ("towelrack", "Furniture", "SURFACES GRABBABLE MOVABLE", (0.09, 0.02, 0.5)),
    ("bathtub", "Furniture", "SITTABLE LIEABLE", (0.97, 0.82, 1.74)),
    # electronics and switches
    ("tv", "Electronics", "HAS_SWITCH LOOKABLE HAS_PLUG", (0.37, 1.01, 1.28)),
    ("computer", "Electronics", "HAS_SWITCH LOOKABLE", (0.75, 0.74, 0.26)),
    ("radio", "Electronics", "SURFACES GRABBABLE CAN_OPEN HAS_SWITCH HAS_PLUG MOVABLE", (0.58, 0.28, 0.34)),
    ("lightswitch", "Electronics", "HAS_SWITCH HAS_PLUG", (0.01, 0.09, 0.07)),
    ("tablelamp", "Lamps", "HAS_SWITCH", (0.28, 0.58, 0.26)),
    ("ceilinglamp", "Lamps", "", (0.53, 0.55, 0.53)),
    ("faucet", "Furniture", "HAS_SWITCH", (0.20, 0.25, 0.20)),
    ("cellphone", "Props", "GRABBABLE HAS_SWITCH HAS_PLUG MOVABLE", (0.11, 0.01, 0.13)),
    ("remotecontrol", "Props", "GRABBABLE HAS_SWITCH MOVABLE", (0.07, 0.03, 0.22)),
    ("clock", "Decor", "GRABBABLE HAS_SWITCH LOOKABLE HAS_PLUG MOVABLE", (0.25, 0.25, 0.04)),
    ("candle", "Decor", "GRABBABLE HAS_SWITCH MOVABLE", (0.08, 0.14, 0.08)),
    ("wallphone", "Electronics", "GRABBABLE HAS_SWITCH HAS_PLUG MOVABLE", (0.02, 0.27, 0.09)),
    # decor and fittings; the sizes, and where the tables lack the class the properties, are ours
    ("curtains", "Decor", "CAN_OPEN", (1.40, 1.30, 0.04)),
    ("stovefan", "Appliances", "HAS_SWITCH", (0.80, 0.35, 0.50)),
    ("knifeblock", "Props", "", (0.12, 0.25, 0.20)),
    ("speaker", "Electronics", "HAS_SWITCH HAS_PLUG", (0.20, 0.35, 0.22)),
    ("floorlamp", "Lamps", "HAS_SWITCH", (0.35, 1.60, 0.35)),
    ("walllamp", "Lamps", "", (0.20, 0.25, 0.12)),
    ("plant", "Decor", "", (0.45, 1.10, 0.45)),
    ("vase", "Decor", "GRABBABLE MOVABLE", (0.14, 0.30, 0.14)),
    ("photoframe", "Decor", "GRABBABLE MOVABLE", (0.20, 0.25, 0.06)),
    ("mirror", "Decor", "LOOKABLE", (0.60, 1.20, 0.04)),
    ("dresser", "Furniture", "SURFACES", (1.10, 0.85, 0.50)),
    ("coatrack", "Furniture", "", (0.80, 0.25, 0.15)),
    ("shower", "Furniture", "", (0.90, 2.10, 0.90)),
    ("mat", "Decor", "SURFACES", (0.80, 0.02, 0.50)),
    ("doormat", "Decor", "SURFACES", (0.70, 0.02, 0.45)),
    ("printer", "Electronics", "HAS_SWITCH HAS_PLUG", (0.42, 0.25, 0.35)),
    ("powersocket", "Electronics", "", (0.08, 0.08, 0.02)),
    # food and drink
    ("apple", "Food", "GRABBABLE MOVABLE", (0.1, 0.11, 0.1)),
    ("bananas", "Food", "GRABBABLE MOVABLE", (0.21, 0.08, 0.29)),
    ("orange", "Food", "GRABBABLE MOVABLE", (0.12, 0.11, 0.12)),
    ("lime", "Food", "GRABBABLE MOVABLE", (0.07, 0.06, 0.07)),
    ("plum", "Food", "GRABBABLE MOVABLE", (0.06, 0.07, 0.06)),
    ("peach", "Food", "GRABBABLE", (0.07, 0.07, 0.07)),
    ("pear", "Food", "GRABBABLE MOVABLE", (0.1, 0.18, 0.1)),
    ("potato", "Food", "GRABBABLE MOVABLE", (0.15, 0.11, 0.17)),
    ("carrot", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.18, 0.12, 0.08)),
    ("tomato", "Food", "GRABBABLE MOVABLE", (0.1, 0.09, 0.1)),
    ("bellpepper", "Food", "GRABBABLE MOVABLE", (0.13, 0.18, 0.13)),
    ("cupcake", "Food", "GRABBABLE EATABLE MOVABLE", (0.11, 0.11, 0.11)),
    ("pancake", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.23, 0.09, 0.23)),
    ("pudding", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.13, 0.07, 0.13)),
    ("poundcake", "Food", "GRABBABLE EATABLE MOVABLE", (0.27, 0.1, 0.27)),
    ("pie", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.31, 0.06, 0.31)),
    ("breadslice", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.15, 0.01, 0.16)),
    ("bread", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.34, 0.1, 0.17)),
    ("cereal", "Food", "GRABBABLE EATABLE MOVABLE", (0.24, 0.29, 0.09)),
    ("chips", "Food", "GRABBABLE MOVABLE", (0.27, 0.41, 0.16)),
    ("crackers", "Food", "GRABBABLE MOVABLE", (0.3, 0.07, 0.1)),
    ("chicken", "Food", "GRABBABLE MOVABLE", (0.15, 0.1, 0.25)),
    ("salmon", "Food", "GRABBABLE MOVABLE", (0.24, 0.05, 0.29)),
    ("milk", "Food", "GRABBABLE DRINKABLE POURABLE CAN_OPEN MOVABLE", (0.08, 0.22, 0.08)),
    ("juice", "Food", "GRABBABLE DRINKABLE POURABLE MOVABLE", (0.09, 0.28, 0.09)),
    ("wine", "Food", "GRABBABLE DRINKABLE POURABLE MOVABLE", (0.11, 0.43, 0.11)),
    ("beer", "Food", "GRABBABLE DRINKABLE POURABLE CAN_OPEN MOVABLE", (0.07, 0.26, 0.07)),
    ("alcohol", "Food", "GRABBABLE DRINKABLE POURABLE MOVABLE", (0.12, 0.29, 0.1)),
    ("candybar", "Food", "GRABBABLE EATABLE MOVABLE", (0.06, 0.03, 0.2)),
    ("creamybuns", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.08, 0.13, 0.29)),
    ("chocolatesyrup", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.07, 0.2, 0.11)),
    ("whippedcream", "Food", "GRABBABLE EATABLE CUTTABLE MOVABLE", (0.08, 0.23, 0.08)),
    ("bottlewater", "Food", "DRINKABLE POURABLE", (0.07, 0.24, 0.07)),
    # tableware and kitchen tools
    ("plate", "Props", "SURFACES GRABBABLE RECIPIENT MOVABLE", (0.29, 0.02, 0.29)),
    ("dishbowl", "Props", "GRABBABLE RECIPIENT MOVABLE", (0.27, 0.08, 0.27)),
    ("mug", "Props", "GRABBABLE RECIPIENT POURABLE MOVABLE", (0.09, 0.1, 0.12)),
    ("waterglass", "Props", "GRABBABLE RECIPIENT POURABLE MOVABLE", (0.15, 0.26, 0.15)),
    ("wineglass", "Props", "GRABBABLE RECIPIENT POURABLE MOVABLE", (0.11, 0.24, 0.11)),
    ("cutleryfork", "Props", "GRABBABLE MOVABLE", (0.26, 0.02, 0.03)),
    ("cutleryknife", "Props", "GRABBABLE MOVABLE", (0.02, 0.32, 0.04)),
    ("spoon", "Props", "GRABBABLE MOVABLE", (0.06, 0.02, 0.29)),
    ("cookingpot", "Props", "GRABBABLE RECIPIENT CAN_OPEN MOVABLE", (0.36, 0.11, 0.29)),
    ("coffeepot", "Props", "GRABBABLE RECIPIENT CAN_OPEN MOVABLE", (0.14, 0.22, 0.19)),
    ("cuttingboard", "Props", "SURFACES GRABBABLE MOVABLE", (0.62, 0.02, 0.31)),
    ("condimentshaker", "Props", "GRABBABLE EATABLE POURABLE MOVABLE", (0.05, 0.1, 0.06)),
    ("condimentbottle", "Props", "GRABBABLE POURABLE MOVABLE CREAM", (0.06, 0.2, 0.06)),
    ("kettle", "Props", "GRABBABLE RECIPIENT HAS_SWITCH HAS_PLUG MOVABLE", (0.3, 0.35, 0.5)),
    ("oventray", "Props", "SURFACES GRABBABLE MOVABLE", (0.40, 0.05, 0.30)),
    # other household things
    ("book", "Props", "GRABBABLE CUTTABLE CAN_OPEN READABLE HAS_PAPER MOVABLE", (0.04, 0.2, 0.28)),
    ("magazine", "Props", "GRABBABLE CAN_OPEN READABLE COVER_OBJECT HAS_PAPER MOVABLE", (0.17, 0.02, 0.25)),
    ("notes", "Props", "GRABBABLE READABLE HAS_PAPER MOVABLE", (0.3, 0.01, 0.21)),
    ("paper", "Props", "GRABBABLE READABLE HAS_PAPER MOVABLE", (0.2, 0.01, 0.27)),
    ("pen", "Props", "GRABBABLE MOVABLE", (0.04, 0.03, 0.3)),
    ("keyboard", "Props", "GRABBABLE HAS_PLUG MOVABLE", (0.22, 0.05, 0.71)),
    ("mouse", "Props", "GRABBABLE HAS_PLUG MOVABLE", (0.2, 0.04, 0.14)),
    ("mousemat", "Props", "SURFACES MOVABLE", (0.44, 0.01, 0.43)),
    ("boardgame", "Props", "SURFACES GRABBABLE LOOKABLE MOVABLE", (0.47, 0.04, 0.47)),
    ("toy", "Props", "GRABBABLE MOVABLE", (0.23, 0.15, 0.16)),
    ("teddybear", "Props", "GRABBABLE MOVABLE", (0.44, 0.7, 0.4)),
    ("pillow", "Decor", "GRABBABLE MOVABLE", (0.66, 0.2, 0.78)),
    ("orchid", "Decor", "GRABBABLE", (0.24, 0.19, 0.24)),
    ("wallpictureframe", "Decor", "GRABBABLE HANGABLE HAS_PAPER MOVABLE", (0.04, 1.26, 0.96)),
    ("towel", "Props", "GRABBABLE COVER_OBJECT MOVABLE", (0.33, 0.1, 0.45)),
    ("toiletpaper", "Props", "GRABBABLE HANGABLE CUTTABLE COVER_OBJECT HAS_PAPER MOVABLE", (0.17, 0.18, 0.22)),
    ("toothbrush", "Props", "GRABBABLE RECIPIENT MOVABLE", (0.02, 0.24, 0.09)),
    ("toothpaste", "Props", "GRABBABLE POURABLE CAN_OPEN MOVABLE CREAM", (0.16, 0.03, 0.16)),
    ("barsoap", "Props", "GRABBABLE MOVABLE CREAM", (0.08, 0.04, 0.13)),
    ("hairproduct", "Props", "GRABBABLE POURABLE CAN_OPEN MOVABLE", (0.08, 0.18, 0.08)),
    ("facecream", "Props", "GRABBABLE POURABLE MOVABLE CREAM", (0.06, 0.03, 0.06)),
    ("washingsponge", "Props", "GRABBABLE MOVABLE", (0.19, 0.05, 0.11)),
    ("dishwashingliquid", "Props", "GRABBABLE POURABLE MOVABLE CREAM", (0.07, 0.3, 0.12)),
    ("bucket", "Props", "GRABBABLE RECIPIENT MOVABLE", (0.43, 0.39, 0.39)),
    ("hanger", "Props", "GRABBABLE HANGABLE MOVABLE", (0.02, 0.24, 0.47)),
    ("clothesshirt", "Props", "GRABBABLE HANGABLE CLOTHES MOVABLE", (0.04, 0.8, 0.58)),
    ("clothespants", "Props", "GRABBABLE HANGABLE CLOTHES MOVABLE", (0.11, 0.55, 0.17)),
    ("slippers", "Props", "GRABBABLE HANGABLE CLOTHES MOVABLE", (0.37, 0.07, 0.32)),
)

CATALOG: dict[str, ObjectClass] = {
    name: ObjectClass(name, category, frozenset(properties.split()), size) for name, category, properties, size in _ROWS
}
