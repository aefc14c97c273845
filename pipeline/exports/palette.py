"""Palette: colours of methods and readers on images, told apart in every form of colour blindness."""

from __future__ import annotations

from typing import Final

Colour = tuple[int, int, int]
"""Red, green, blue, 0 … 255."""

METHODS: Final[tuple[Colour, ...]] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (213, 94, 0),
    (240, 228, 66),
)
"""Okabe and Ito, Color Universal Design (2008); further methods begin anew."""
READERS: Final[Colour] = (255, 255, 255)


def colour_of(method: int) -> Colour:
    """The colour of a method by its place in the run's order."""
    return METHODS[method % len(METHODS)]
