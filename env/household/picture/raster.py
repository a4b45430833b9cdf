"""From SVG to PNG, with a font of our own, so that pictures are alike on machines with other fonts or none."""

from __future__ import annotations

from importlib.resources import files


class MissingExtraError(Exception):
    """The packages for this are not installed; the message says how to install them."""


def to_png(svg: str) -> bytes:
    """The pixels of an SVG text, as large as it says it is.

    Raises:
        MissingExtraError: the extra `report` is not installed.
        ValueError: the text is no SVG.
    """
    try:
        from resvg_py import svg_to_bytes

        fonts = files("font_source_sans_pro") / "files"
    except ImportError as error:
        raise MissingExtraError(f"PNG needs more packages: pip install 'housemates[report]' ({error})") from None
    chosen = [str(fonts / f"SourceSansPro-{weight}.ttf") for weight in ("Regular", "Semibold")]
    return svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=chosen)
