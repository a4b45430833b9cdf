"""What a film is written into: an MP4 or GIF file, or a folder of PNG files. It has its name only once it is whole."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 7
"""Of ten: letters of ten pixels stay clean."""
_GIF_COLOURS = 255
"""One of a GIF's 256 is kept for what has not changed."""


class Reel(ABC):
    """Takes pictures, and becomes a film when it is left without an exception; otherwise nothing stays behind.

    Attributes:
        wants_pixels: whether it takes pixels (three bytes each), or PNG.
    """

    wants_pixels = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")

    def __enter__(self) -> Reel:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        try:
            if fault is None:
                self._finish()
                self.part.replace(self.path)
            else:
                self._abandon()
        finally:
            if self.part.is_dir():
                shutil.rmtree(self.part)
            else:
                self.part.unlink(missing_ok=True)

    @abstractmethod
    def add(self, picture: bytes, ticks: int) -> None:
        """Show a picture for so many frames.

        Raises:
            OSError: it cannot be written.
        """

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...

    def _abandon(self) -> None:
        self._finish()


class Mp4(Reel):
    """H.264 in an MP4 file that browsers can play while they load it; ffmpeg writes it."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        super().__init__(path)
        self._size, self._fps, self._frames = size, fps, 0

    def _open(self) -> None:
        from imageio_ffmpeg import write_frames

        self.part.touch()  # a folder that cannot be written is told by us, not by ffmpeg
        self._ffmpeg = write_frames(
            str(self.part),
            self._size,
            fps=self._fps,
            quality=_QUALITY,
            codec="libx264",
            macro_block_size=2,
            ffmpeg_log_level="quiet",
            output_params=["-f", "mp4", "-movflags", "+faststart"],
        )
        self._ffmpeg.send(None)

    def add(self, picture: bytes, ticks: int) -> None:
        for _ in range(ticks):
            try:
                self._ffmpeg.send(picture)
            except OSError:  # it tells its whole command line
                raise OSError(f"ffmpeg could not go on with {self.path} (is the disk full?)") from None
        self._frames += ticks

    def _finish(self) -> None:
        from imageio_ffmpeg import count_frames_and_secs

        self._ffmpeg.close()
        try:
            written = count_frames_and_secs(str(self.part))[0]
        except (OSError, RuntimeError):
            written = 0
        if written != self._frames:
            raise OSError(f"ffmpeg did not finish {self.path} (is the disk full?)")

    def _abandon(self) -> None:
        with suppress(KeyboardInterrupt, StopIteration):
            self._ffmpeg.throw(KeyboardInterrupt())  # it ends ffmpeg at once, without waiting for what is left


class Gif(Reel):
    """An animated GIF: of each picture only what has changed, with colours of its own. Repeats for ever."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        super().__init__(path)
        self._size, self._fps, self._frames = size, fps, 0
        self._shown: Image | None = None

    def _open(self) -> None:
        self._file: BinaryIO = self.part.open("wb")

    def add(self, picture: bytes, ticks: int) -> None:
        from PIL import Image
        from PIL.GifImagePlugin import getdata, getheader

        image = Image.frombytes("RGB", self._size, picture)
        lasts = self._centiseconds(self._frames + ticks) - self._centiseconds(self._frames)
        more: dict[str, Any] = {"duration": 10 * lasts, "disposal": 1, "include_color_table": True}
        if self._shown is None:
            colours = image.quantize(_GIF_COLOURS)
            self._file.writelines(getheader(colours.copy(), info={"loop": 0})[0])
            self._file.writelines(getdata(colours, **more))
        else:
            changed, box = _changed(image, self._shown)
            colours = image.crop(box).quantize(_GIF_COLOURS)
            colours.paste(_GIF_COLOURS, mask=changed.crop(box).point(lambda value: 255 - value))
            palette = colours.getpalette() or []
            colours.putpalette(palette + [0] * (3 * (_GIF_COLOURS + 1) - len(palette)))
            self._file.writelines(getdata(colours, box[:2], transparency=_GIF_COLOURS, **more))
        self._shown = image
        self._frames += ticks

    def _centiseconds(self, frames: int) -> int:
        """When a frame begins; GIF knows no finer time."""
        return round(100 * frames / self._fps)

    def _finish(self) -> None:
        self._file.write(b";")
        self._file.close()

    def _abandon(self) -> None:
        self._file.close()


class PngFolder(Reel):
    """A new folder with a PNG file per frame, numbered from 1."""

    wants_pixels = False

    def _open(self) -> None:
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise ConfigError(f"--out: {self.path} exists; name a new folder, or a file that ends in .mp4 or .gif")
        self.part.mkdir()
        self._frames = 0

    def add(self, picture: bytes, ticks: int) -> None:
        first: Path | None = None
        for _ in range(ticks):
            self._frames += 1
            path = self.part / f"frame-{self._frames:06}.png"
            if first is None:
                path.write_bytes(picture)
                first = path
            else:
                os.link(first, path)  # a picture that stands is on the disk once

    def _finish(self) -> None:
        """Every file is whole already."""


def reel_for(path: Path, size: tuple[int, int], fps: int) -> Reel:
    """The kind of film that a file name asks for.

    Raises:
        ConfigError: there is no such kind, or it cannot have that size.
    """
    kind = path.suffix.lower()
    if not path.name or kind not in ("", ".mp4", ".gif"):
        raise ConfigError(f"--out: {path} is no film; name a file that ends in .mp4 or .gif, or a folder for PNG files")
    if path.is_dir() and kind:
        raise ConfigError(f"--out: {path} is a folder")
    if kind == ".mp4":
        if size[0] % 2 or size[1] % 2:
            raise ConfigError(f"--size: width and height of an MP4 are even, not {size[0]}x{size[1]}")
        return Mp4(path, size, fps)
    return Gif(path, size, fps) if kind else PngFolder(path)


def pixels_of(png: bytes) -> bytes:
    """The pixels of a PNG, three bytes each, row by row."""
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        return image.convert("RGB").tobytes()


def _changed(image: Image, shown: Image) -> tuple[Image, tuple[int, int, int, int]]:
    """Which pixels differ (255; else 0), and the box around them: one pixel at least."""
    from PIL import ImageChops

    red, green, blue = ImageChops.difference(image, shown).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    mask = most.point(lambda value: 255 if value else 0)
    return mask, mask.getbbox() or (0, 0, 1, 1)
