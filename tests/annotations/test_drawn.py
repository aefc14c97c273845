"""Tests of how shapes become annotations and references."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.annotations import drawn as drawn_module
from pipeline.annotations.bitmaps import Bitmap
from pipeline.annotations.drawn import BOXES_OF_ALL, bytes_of, items_of, read_shapes
from pipeline.annotations.run_lengths import compact_runs
from pipeline.annotations.shapes import Drawn, Geometry, Problem, Shares, box_of, point_of, polygon_of
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Box, Kind, Reference
from tests.annotations.tools import SHAPE, SQUARE, pixels

POLYGON = polygon_of(SQUARE)
PARTS = polygon_of(SQUARE, [[5, 3], [8, 3], [8, 6]])
RUNS = compact_runs({"size": [6, 8], "counts": [7, 2, 39]})
BOX, POINT = box_of(1, 1, 3, 2), point_of(1, 1)


def only(*shapes: Geometry) -> AnnotationItem:
    (item,) = items_of("coco", [Drawn("17", "mass", shape) for shape in shapes])
    return item


def read(*shapes: Geometry) -> Reference:
    return read_shapes(only(*shapes), case_id="c", finding="mass", shape=SHAPE)


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ([POLYGON], "polygon"),
        ([POLYGON, PARTS], "mask"),
        ([RUNS], "mask"),
        ([POLYGON, RUNS], "mask"),
        ([BOX], "box"),
        ([Shares(Box(0, 0, 1, 1))], "box"),
        ([Shares(POLYGON)], "polygon"),
        ([BOX, POLYGON, RUNS], "box"),
        ([POINT], "point"),
        ([None], "mask"),
    ],
)
def test_the_kind_is_the_one_that_can_hold_all_shapes(shapes: list[Geometry], kind: Kind) -> None:
    assert only(*shapes).kind == kind


def test_outlines_and_masks_beside_boxes_are_the_boxes_around_them() -> None:
    reference = read(POLYGON, BOX, RUNS)
    assert reference.boxes == (Box(0.5, 0.5, 3, 2), Box(0.5, 0.5, 3, 2), Box(0.5, 0.5, 1, 2))
    assert reference.notices == (BOXES_OF_ALL,)
    assert read(BOX).notices == ()


def test_empty_masks_are_no_lesions_and_nothing_drawn_is_absence() -> None:
    empty = compact_runs({"size": [6, 8], "counts": [48]})
    assert [read(*shapes).lesions for shapes in ([RUNS, empty], [empty], [None])] == [1, 0, 0]


def test_holes_are_left_out() -> None:
    ring = polygon_of([[0, 0], [5, 0], [5, 5], [0, 5]], holes=[[[1, 1], [4, 1], [4, 4], [1, 4]]])
    wanted = pixels(slice(0, 5), slice(0, 5)) & ~pixels(slice(1, 4), slice(1, 4))
    np.testing.assert_array_equal(read(ring).masks, [wanted])


def test_shapes_are_grouped_by_image_finding_reader_frame_and_size() -> None:
    base = Drawn("17", "mass", BOX)
    others = [
        Drawn("18", "mass", BOX),
        Drawn("17", "cyst", BOX),
        Drawn("17", "mass", BOX, "ann"),
        Drawn("17", "mass", BOX, frame=1),
        Drawn("17", "mass", BOX, size=SHAPE),
    ]
    first, *rest = items_of("coco", [base, *others, base], path=Path("a.json"))
    assert (len(first.payload["boxes"]), len(rest)) == (2, 5)  # type: ignore[arg-type]  # a tuple
    assert first.payload["path"] == "a.json"


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ([BOX, Problem("bad_box", "No.")], "bad_box"),
        ([POINT, BOX], "mixed_kinds"),
        ([POINT, POLYGON], "mixed_kinds"),
    ],
)
def test_one_shape_that_cannot_be_used_costs_all_of_the_finding(shapes: list[Geometry], reason: str) -> None:
    with pytest.raises(CaseError) as refused:
        read(*shapes)
    assert refused.value.reason == reason


def test_the_size_of_outlines_and_bitmaps_is_known() -> None:
    bitmap = Bitmap(bytes(100), 0, 0)
    assert bytes_of(only(POLYGON, PARTS, Shares(POLYGON), bitmap, BOX)) == (4 + 4 + 3 + 4) * 8 + 100
    assert bytes_of(only(POINT)) == 0


def test_names_can_be_written_to_tables() -> None:
    (item,) = items_of("coco", [Drawn("\ud800", "\udfff", BOX)])
    assert (item.image, item.finding) == ("\\ud800", "\\udfff")


def test_the_number_of_shapes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_module, "MOST_SHAPES", 2)
    with pytest.raises(ConfigError, match="more than"):
        list(items_of("coco", [Drawn("17", "mass", BOX)] * 3))
