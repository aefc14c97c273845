"""Tests of colours, palettes and transparency of PNG masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations.colours import values_of
from pipeline.errors import CaseError

INSIDE = np.zeros((5, 6), bool)
INSIDE[1:4, 2:4] = True
SECOND = np.zeros((5, 6), bool)
SECOND[2, 3] = True
RED, GREEN, WHITE, BLACK = (200, 0, 0), (0, 200, 0), (255, 255, 255), (0, 0, 0)


def palette(values: np.ndarray, *colours: Sequence[int], void: Sequence[int] = ()) -> Image.Image:
    image = Image.new("P", values.shape[::-1])
    image.putdata(values.astype(int).ravel().tolist())
    entries = [channel for colour in colours for channel in colour]
    image.putpalette(entries + ([0] * (765 - len(entries)) + list(void) if void else []))
    return image


def coloured(*planes: tuple[np.ndarray, tuple[int, ...]], background: tuple[int, ...]) -> Image.Image:
    values = np.full((5, 6, len(background)), background, np.uint8)
    for mask, colour in planes:
        values[mask] = colour
    return Image.fromarray(values)


@pytest.mark.parametrize(
    ("image", "pins"),
    [
        (palette(INSIDE, BLACK, RED), []),
        (palette(~INSIDE, RED, BLACK), ["background: [1]"]),
        (palette(~INSIDE, RED, WHITE), ["background: [1]"]),
        (palette(INSIDE, WHITE, RED), []),
        (palette(INSIDE + 254 * SECOND, BLACK, RED, void=(224, 224, 192)), ["background: [0, 255]"]),
        (coloured((INSIDE, RED), background=BLACK), []),
        (coloured((INSIDE, RED), (SECOND, (100, 0, 0)), background=BLACK), []),
        (coloured((INSIDE, RED), background=WHITE), [""]),
        (coloured((INSIDE, (*RED, 255)), background=(*WHITE, 0)), [""]),
        (coloured((INSIDE, (0, 0, 0, 255)), background=(0, 0, 0, 0)), [""]),
        (coloured((INSIDE, (*WHITE, 255)), background=(0, 0, 0, 255)), []),
    ],
    ids=[
        "palette", "black second", "white second", "white first", "VOC void", "red", "shades", "red on white",
        "transparent", "transparent black", "opaque",
    ],
)  # fmt: skip
def test_colour_says_what_is_inside(image: Image.Image, pins: list[str]) -> None:
    values, notices = values_of(image, "auto")
    void = SECOND if pins == ["background: [0, 255]"] else SECOND & False
    np.testing.assert_array_equal(values != 0, INSIDE & ~void)
    assert [notice.line() for notice in notices] == pins


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (coloured((INSIDE, RED), (SECOND, GREEN), background=BLACK), "in colour, with 3 different colours"),
        (coloured((INSIDE, (1, 0, 0)), (SECOND, (0, 1, 0)), background=BLACK), "3 different colours"),
        (coloured((INSIDE, (*RED, 100)), background=(*BLACK, 0)), "partly transparent"),
        (
            coloured((INSIDE, (*RED, 255)), (SECOND, (*GREEN, 255)), background=(*WHITE, 0)),
            "in colour",
        ),
        (
            coloured((INSIDE, (*WHITE, 255)), (SECOND, (*BLACK, 255)), background=(*WHITE, 0)),
            "transparent where its colour",
        ),
        (palette(INSIDE, BLACK, BLACK), "2 values in one grey"),
    ],
    ids=["two colours", "faint colours", "half transparent", "opaque colours", "opaque black", "black twice"],
)
def test_what_colours_leave_open_is_refused(image: Image.Image, complaint: str) -> None:
    with pytest.raises(CaseError, match=complaint) as refused:
        values_of(image, "auto")
    assert refused.value.reason == "not_a_mask"


def test_two_black_entries_of_a_colour_palette_are_refused() -> None:
    with pytest.raises(CaseError, match="2 of its values in black"):
        values_of(palette(INSIDE + SECOND * 1, BLACK, RED, BLACK), "auto")


def test_two_colours_on_the_border_do_not_show_the_background() -> None:
    half = np.arange(6) < np.full((5, 1), 3)
    with pytest.raises(CaseError, match="both on its border"):
        values_of(coloured((half, RED), background=WHITE), "auto")


def test_indices_stay_where_the_background_is_stated() -> None:
    values, notices = values_of(palette(~INSIDE, RED, BLACK), (1,))
    np.testing.assert_array_equal(values, ~INSIDE)
    assert notices == ()
