"""The household seen from above: a floor plan with everything that is in it, as SVG or PNG."""

from __future__ import annotations

from .palette import DARK, LIGHT, THEMES, Theme
from .people import Figure, figures_of
from .photograph import foot_of, mounted
from .picture import Picture
from .raster import MissingExtraError, to_png

__all__ = [
    "DARK",
    "LIGHT",
    "THEMES",
    "Figure",
    "MissingExtraError",
    "Picture",
    "Theme",
    "figures_of",
    "foot_of",
    "mounted",
    "to_png",
]
