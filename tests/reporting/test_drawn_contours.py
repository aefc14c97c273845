"""Drawn contours: small pictures draw a contour thin where its map is constant by convention."""

from __future__ import annotations

from typing import Any

from pipeline.reporting.drawn_contours import contour_paths

SQUARE = [[10, 10], [40, 10], [40, 40], [10, 40]]
TWO_CELLS = {"finding": "nodule", "method": "cam", "grid": [2, 2], "scale": [48, 48], "offset": [23.5, 23.5]}
"""Cells of 48 px, centred in rows and columns 23.5 and 71.5."""


def case(**facts: Any) -> dict[str, Any]:
    region = {"finding": "nodule", "method": "cam", "outlines": [SQUARE]}
    return {"rows": 96, "columns": 96, "regions": [region], **facts}


def test_a_line_beyond_the_centre_of_the_first_cell_is_apart() -> None:
    within, beyond = contour_paths(case(maps=[TWO_CELLS]), "nodule", "cam")
    # The map is known from 23.49 on: outlines are stored to a hundredth of a pixel.
    assert within == "M40 23.49L40 40L23.49 40"
    assert beyond == "M23.49 40L10 40L10 10L40 10L40 23.49"


def test_a_contour_without_a_placed_map_is_whole() -> None:
    whole = ("M10 10L40 10L40 40L10 40Z", "")
    assert contour_paths(case(), "nodule", "cam") == whole
    unplaced = {name: TWO_CELLS[name] for name in ("finding", "method", "grid")}
    assert contour_paths(case(maps=[unplaced]), "nodule", "cam") == whole


def test_other_findings_and_methods_have_no_part_in_it() -> None:
    assert contour_paths(case(maps=[TWO_CELLS]), "mass", "cam") == ("", "")
    assert contour_paths(case(maps=[TWO_CELLS]), "nodule", "other") == ("", "")
