"""Tests of what --explain-inputs says of an annotation."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.annotations.shapes import Polygon, Problem
from pipeline.records import AnnotationItem, Box, Point
from pipeline.run.explained_inputs import _geometry

OUTLINE = Polygon((b"",))


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"path": "a.png"}, "tool annotation"),
        ({"boxes": ()}, "absence"),
        ({"boxes": (), "outlines": (), "problem": None}, "absence"),
        ({"boxes": (), "outlines": (), "problem": Problem("bad", "Bad.")}, "tool annotation"),
        ({"boxes": (Box(0.5, 1.5, 2, 3),)}, "1 box (x 1, y 2, width 2, height 3)"),
        ({"boxes": (), "outlines": (OUTLINE, OUTLINE), "points": (Point(1, 2),)}, "2 polygons, 1 point"),
        ({"masks": (None,), "shares": (OUTLINE,)}, "1 shape in shares of the image, 1 mask"),
    ],
)
def test_an_annotation_is_described_by_its_shapes(payload: Mapping[str, object], text: str) -> None:
    assert _geometry(AnnotationItem("tool", "7", "mass", "reader", payload)) == text
