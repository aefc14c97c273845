"""Thumbnails: outlines lie over the picture at the places of the image."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import survey
from pipeline.reporting.thumbnails import EDGE, outlines_svg
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

SQUARE = [[9.5, 19.5], [29.5, 19.5], [29.5, 39.5], [9.5, 39.5]]


def case(**facts: Any) -> dict[str, Any]:
    """An image of 192 columns and 96 rows: a unit of the SVG is a pixel."""
    return {"rows": 96, "columns": EDGE, "regions": [], "references": [], **facts}


def paths(content: dict[str, Any]) -> list[str]:
    """The d of halo, readers, the network's lines at the map's margins, and its other lines."""
    root = ET.fromstring(outlines_svg(content, "cam"))
    assert root.get("viewBox") == "0 0 192 96"
    return [str(path.get("d")) for path in root]


def test_contours_of_the_method_and_annotations_have_a_path_each_and_share_a_halo() -> None:
    region = {"method": "cam", "finding": "nodule", "outlines": [SQUARE]}
    other = {"method": "another", "finding": "nodule", "outlines": [[[0, 0], [1, 0], [1, 1]]]}
    drawn = {"reader": "A", "outlines": [], "boxes": [[-0.5, -0.5, 10, 20]]}
    halo, readers, beyond, network = paths(case(regions=[region, other], references=[drawn]))
    assert network == "M10 20L30 20L30 40L10 40Z"
    assert readers == "M0 0h10v20h-10Z"
    assert halo == readers + network
    assert not beyond


def test_a_large_image_is_shrunk_and_points_that_meet_are_one() -> None:
    outline = [[0, 0], [0.3, 0.2], [399.5, 0], [399.5, 199.5]]
    shrunk = case(
        rows=960, columns=1920, regions=[{"method": "cam", "finding": "nodule", "outlines": [outline]}]
    )
    assert paths(shrunk)[3] == "M0 0L40 0L40 20Z"


def test_an_image_without_contours_and_annotations_has_a_picture_too() -> None:
    assert paths(case()) == ["", "", "", ""]


def test_every_case_of_a_report_has_one(tmp_path: Any) -> None:
    run = make_run(tmp_path / "run", cases=3)
    write_report(run)
    folder = read_run(run)
    contents = {name: (folder.case_folder(name) / "outlines.svg").read_text() for name in folder.case_ids}
    drawn = {row.case_id for row in survey(folder).rows if any(s.kind == "contour" for s in row.subjects)}
    assert drawn
    assert all(contents[name].count('d=""') < 3 for name in drawn)


def test_a_contour_is_thin_beyond_the_centres_of_the_maps_outermost_cells() -> None:
    region = {"method": "cam", "finding": "nodule", "outlines": [SQUARE]}
    # Two cells of 48 px, centred in columns 23.5 and 71.5, rows 23.5 and 71.5.
    placed = {"grid": [2, 2], "scale": [48, 48], "offset": [23.5, 23.5]}
    halo, _, beyond, network = paths(
        case(regions=[region], maps=[{"method": "cam", "finding": "nodule", **placed}])
    )
    assert halo == network == "M30 24L30 40L24 40"
    assert beyond == "M24 40L10 40L10 20L30 20L30 24"


@pytest.mark.parametrize("points", [[[9.5, 19.5]]])
def test_a_point_is_a_dot(points: list[list[float]]) -> None:
    drawn = {"reader": "A", "outlines": [], "boxes": [], "points": points}
    assert paths(case(references=[drawn]))[1].startswith("M8.08 20a1.92 1.92")
