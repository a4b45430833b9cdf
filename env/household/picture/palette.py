"""The colours of a picture: a light and a dark theme, and colours for people that the colour-blind can tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PEOPLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
"""The palette of Okabe and Ito without its black. Person 8 has the colour of person 1; the numbers tell them apart."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of everything but the people.

    Attributes:
        floors: by room class; other rooms have the colour under the empty name.
        materials: what furniture is filled with, see `furniture`.
        goods: the marks of loose things, by category; other things have the colour under the empty name.
        inside: the floor of an open container.
        on_device: text on the material `device`, which is dark in every theme.
        bubble, words: speech bubbles and what they say.
    """

    name: str
    background: str
    wall: str
    opening: str
    glass: str
    line: str
    text: str
    halo: str
    inside: str
    on_device: str
    bubble: str
    words: str
    floors: Mapping[str, str]
    materials: Mapping[str, str]
    goods: Mapping[str, str]

    def floor(self, room_class: str) -> str:
        """The colour of a room's floor."""
        return self.floors.get(room_class, self.floors[""])

    def good(self, category: str) -> str:
        """The colour of a thing that lies about, by its category."""
        return self.goods.get(category, self.goods[""])


LIGHT = Theme(
    name="light",
    background="#FAF9F6",
    wall="#3F434A",
    opening="#EFE9DD",
    glass="#8FC7E8",
    line="#6B655B",
    text="#26282C",
    halo="#FFFFFF",
    inside="#55504A",
    on_device="#FFFFFF",
    bubble="#FFFFFF",
    words="#1B1D20",
    floors={
        "kitchen": "#F6EBD3",
        "livingroom": "#F1E7DC",
        "bedroom": "#E6EAF3",
        "bathroom": "#DDEEF0",
        "corridor": "#ECECEA",
        "": "#EDE9E2",
    },
    materials={
        "wood": "#D9BF98",
        "soft": "#B9C4D6",
        "metal": "#D5D9DD",
        "water": "#F7FBFC",
        "device": "#5A6068",
        "lamp": "#F9E7A0",
        "plant": "#9CC39A",
        "rug": "#E3D3CF",
        "": "#D8D2C8",
    },
    goods={"Food": "#B3400E", "Decor": "#7C6A9C", "": "#24507A"},
)

DARK = Theme(
    name="dark",
    background="#14161A",
    wall="#A9AFB8",
    opening="#2E3138",
    glass="#4F9CC7",
    line="#15171B",
    text="#ECEEF1",
    halo="#14161A",
    inside="#0C0D0F",
    on_device="#FFFFFF",
    bubble="#F3F4F6",
    words="#14161A",
    floors={
        "kitchen": "#3A352B",
        "livingroom": "#37312D",
        "bedroom": "#2C323F",
        "bathroom": "#263A3E",
        "corridor": "#2B2D31",
        "": "#32302C",
    },
    materials={
        "wood": "#76603F",
        "soft": "#566580",
        "metal": "#5A6068",
        "water": "#56727A",
        "device": "#0F1114",
        "lamp": "#8A7636",
        "plant": "#4B7A4D",
        "rug": "#4A3E40",
        "": "#5B564E",
    },
    goods={"Food": "#FFAF7A", "Decor": "#CBB8EE", "": "#9CD0FF"},
)

THEMES: Mapping[str, Theme] = {theme.name: theme for theme in (LIGHT, DARK)}


def person_colour(number: int) -> tuple[str, str]:
    """The colour of the person with this number, and black or white, whichever reads better on it."""
    colour = PEOPLE[(number - 1) % len(PEOPLE)]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return colour, "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 125 else "#FFFFFF"
