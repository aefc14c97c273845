"""Lettering: the font of figures, the width of text, lines of text, and signs that the font lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path

from PIL import ImageFont

from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import read_file

FAMILY = "DejaVu Sans"
FALLBACKS = "DejaVu Sans, Verdana, sans-serif"
"""Fonts of SVG: Verdana has the same widths."""
LARGEST_FONT = 2**26
"""Bytes."""
MEASURED_SIZE = 100
"""Pixels, at which widths are measured."""
NO_GLYPH = "\uffff"
ELLIPSIS = "…"
UNWRITABLE = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow (section 2.2)."""


class Lettering:
    """One font."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._measure = self.at(MEASURED_SIZE)
        self._nothing = bytes(self._measure.getmask(NO_GLYPH))

    @classmethod
    def bundled(cls) -> Lettering:
        """DejaVu Sans with Latin, Greek and Cyrillic letters."""
        return cls(_bundled())

    @classmethod
    def read(cls, path: Path) -> Lettering:
        """The font in a file. Raises ConfigError if it is none."""
        try:
            return cls(read_file(path, most_bytes=LARGEST_FONT, what="the font"))
        except (CaseError, OSError) as error:
            raise ConfigError(f"--font: {path.name} is not a TrueType font; give a .ttf file") from error

    def at(self, pixels: float) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels."""
        return ImageFont.truetype(BytesIO(self.content), pixels, layout_engine=ImageFont.Layout.BASIC)

    def width(self, text: str, size: float) -> float:
        """Width of a line of text, in the unit of `size`."""
        return float(self._measure.getlength(text)) * size / MEASURED_SIZE

    def missing(self, texts: Iterable[str]) -> str:
        """The characters for which the font has no glyph, each once, in order."""
        found = dict.fromkeys(character for text in texts for character in text)
        return "".join(
            sorted(
                character
                for character in found
                if not character.isspace() and bytes(self._measure.getmask(character)) == self._nothing
            )
        )

    def lines(self, text: str, *, width: float, size: float, most: int = 0) -> list[str]:
        """The text in lines no wider than `width`; words that are wider are broken.

        With `most`, no more lines than that; the last one ends in an ellipsis if there is more.
        """
        words = [part for word in text.split() for part in self._parts(word, width, size)]
        found: list[str] = []
        for word in words:
            longer = f"{found[-1]} {word}" if found else word
            if found and self.width(longer, size) <= width:
                found[-1] = longer
            else:
                found.append(word)
        if most and len(found) > most:
            last = found[most - 1]
            while last and self.width(last + ELLIPSIS, size) > width:
                last = last[:-1]
            found = [*found[: most - 1], last + ELLIPSIS]
        return found

    def _parts(self, word: str, width: float, size: float) -> list[str]:
        """The word, broken where it is wider than a line."""
        parts = [""]
        for character in word:
            if parts[-1] and self.width(parts[-1] + character, size) > width:
                parts.append("")
            parts[-1] += character
        return parts


def writable(text: str) -> str:
    """The text with a replacement for characters that XML, and so SVG, does not allow."""
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


@cache
def _bundled() -> bytes:
    return resources.files("pipeline.reporting").joinpath("fonts", "dejavu-sans-subset.ttf").read_bytes()
