"""Readings: what was marked blind, checked, scored by hand-counted numbers, and written as annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipeline.annotations import FORMATS, find_annotations
from pipeline.annotations.outlined import checked_outlines
from pipeline.cli.main import NOT_STARTED, main
from pipeline.errors import ConfigError
from pipeline.records import Box, Point, Reference
from pipeline.records.annotations import joined
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import results_sha256
from pipeline.review.decisions import Run, read_decisions
from pipeline.review.reading_scores import scores_of_reading
from pipeline.review.results import review
from pipeline.review.truths import annotated_references, network_reference
from tests.reporting.run_folder import make_run
from tests.review.test_results import decided as answered
from tests.review.test_results import nothing, run, table  # noqa: F401  a fixture

SHAPE = (8, 10)
CASE = "0000c0ffee"


def decided(run_folder: Path, readings: list[Any], reviewer: str = "Ann") -> Path:
    """The export of a reviewer who answered nothing and read blind."""
    path = answered(run_folder, reviewer, nothing)
    content = json.loads(path.read_text()) | {"readings": readings}
    path.write_text(json.dumps(content))
    return path


def reading(*marks: Any, case_id: str = CASE, finding: str = "benign", **more: Any) -> dict[str, Any]:
    return {"case_id": case_id, "finding": finding, "marks": list(marks), "decided": "2026-11-30", **more}


def outline(*points: tuple[float, float]) -> dict[str, Any]:
    return {"kind": "outline", "points": [list(point) for point in points]}


def window(left: float, top: float, right: float, bottom: float) -> Any:
    """An outline along the edges of pixels, columns left … right - 1 and rows top … bottom - 1."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return outline(*((x - 0.5, y - 0.5) for x, y in corners))


def mask(top: int, left: int, height: int, width: int) -> Any:
    made = np.zeros(SHAPE, np.bool_)
    made[top : top + height, left : left + width] = True
    return made


def marked(**shapes: Any) -> Reference:
    kind = "box" if "boxes" in shapes else "point" if "points" in shapes else "polygon"
    return checked_outlines(Reference("c", "nodule", "Ann", kind, **shapes), SHAPE)  # type: ignore[arg-type]


def values(one: Reference, truth: Reference) -> dict[str, float | None]:
    return {score.metric: score.value for score in scores_of_reading(one, truth, SHAPE)}


LESION = Reference("c", "nodule", "Reader A", "mask", masks=(mask(2, 2, 4, 4),))
ABSENT = Reference("c", "nodule", "Reader A", "mask")


def test_an_outline_is_compared_by_its_pixels() -> None:
    half = np.array([(1.5, 1.5), (5.5, 1.5), (5.5, 3.5), (1.5, 3.5)], np.float32)
    assert values(marked(polygons=(half,)), LESION) == {"iou": 8 / 16, "hit": 1.0}


def test_a_box_is_compared_with_the_boxes_around_lesions() -> None:
    found = values(marked(boxes=(Box(1.5, 1.5, 4, 4),)), LESION)
    assert found == {"box_iou": 1.0, "box_hit": 1.0}


def test_of_points_only_where_the_first_lies_is_known() -> None:
    assert values(marked(points=(Point(3, 3), Point(9, 7))), LESION) == {"hit": 1.0}
    assert values(marked(points=(Point(9, 7), Point(3, 3))), LESION) == {"hit": 0.0}


def test_a_lesion_that_nobody_marked_is_a_miss() -> None:
    assert values(marked(), LESION) == {"iou": 0.0, "hit": 0.0}


def test_marks_where_nothing_is_are_counted_whatever_their_kind() -> None:
    assert values(marked(), ABSENT) == {"contour_on_healthy": 0.0}
    assert values(marked(points=(Point(3, 3),)), ABSENT) == {"contour_on_healthy": 1.0}


def test_annotations_are_those_of_the_run_pixel_for_pixel(run: Path) -> None:  # noqa: F811
    folder = read_run(run)
    for case_id in folder.case_ids:
        case = folder.case(case_id)
        shape = case["rows"], case["columns"]
        references = annotated_references(folder, case)
        assert [(r.finding, r.reader) for r in references] == [
            (r["finding"], r["reader"]) for r in case["references"]
        ]
        for one, entry in zip(references, case["references"], strict=True):
            assert (len(one.masks) > 0) == (bool(entry["outlines"]) and not entry["boxes"])
        for finding in folder.findings:
            contours = network_reference(case, finding, folder.network or "")
            areas = [
                r["area_px"] for r in case["regions"] if (r["finding"], r["method"]) == (finding, "gradcam")
            ]
            assert [int(one.sum()) for one in contours.masks] == pytest.approx(areas, rel=0.25, abs=2)
            assert all(one.shape == shape for one in contours.masks)


def test_a_reader_who_outlines_the_annotated_box_agrees_with_it(run: Path) -> None:  # noqa: F811
    case = read_run(run).case(CASE)
    x, y, width, height = next(r["boxes"][0] for r in case["references"] if r["boxes"])
    box = {"kind": "box", "x": x, "y": y, "width": width, "height": height}
    file = decided(run, [reading(box, seconds=7.5), reading(finding="malignant")])
    result = review(run, [file])
    found = {(s.reader, s.summary.finding, s.summary.metric): s.summary for s in result.reading_scores}
    assert found["Reader B", "benign", "box_iou"].estimate == pytest.approx(1)
    assert found["Reader B", "malignant", "contour_on_healthy"].estimate == 0
    assert ("", "benign", "box_hit") in found or ("", "benign", "contour_on_healthy") in found
    rows = [row for row in table(run, "review-summary.csv") if row["measure"] == "reading"]
    network = [row for row in rows if not row["reader"]]
    assert {row["method"] for row in network} == {"gradcam"}
    assert {row["reviewers"] for row in rows} == {"Ann"}
    kept = [row for row in table(run, "review.csv") if row["kind"] == "reading"]
    assert [(row["answer"], row["number"], row["seconds"]) for row in kept] == [
        ("box", "1", "7.5"),
        ("nothing", "0", ""),
    ]
    page = result.page.read_text(encoding="utf-8")
    assert "What reviewers marked before they saw the network" in page


HOSTILE: list[tuple[Any, str]] = [
    (reading({"kind": "point", "x": 1e9, "y": 0}), "readings.0.marks.0"),
    (reading({"kind": "point", "x": -2, "y": 0}), "readings.0.marks.0"),
    (reading({"kind": "point", "x": "1", "y": 0}), "readings.0.marks.0"),
    (reading({"kind": "point", "x": 900, "y": 0}), "exceeds its image"),
    (reading({"kind": "box", "x": 0, "y": 0, "width": 0, "height": 4}), "readings.0.marks.0"),
    (reading({"kind": "box", "x": 0, "y": 0, "width": 4000, "height": 4}), "exceeds its image"),
    (reading(outline((0, 0), (1, 1))), "readings.0.marks.0"),
    (reading(outline(*[(1, 1)] * 2001)), "readings.0.marks.0"),
    (reading({"kind": "outline", "points": [[1, 1], [2, 2], [3]]}), "readings.0.marks.0"),
    (reading(*[{"kind": "point", "x": 1, "y": 1}] * 201), "readings.0.marks"),
    (reading({"kind": "circle", "x": 1, "y": 1}), "readings.0.marks.0"),
    (reading({"kind": "point", "x": 1, "y": 1}, window(1, 1, 3, 3)), "one kind"),
    (reading(seconds=-1), "readings.0.seconds"),
    (reading(seconds=1e9), "readings.0.seconds"),
    (reading(case_id="../../etc"), "is of no image and finding of this run"),
    (reading(finding="lump"), "is of no image and finding of this run"),
    (reading() | {"notes": 1}, "readings.0.notes"),
]


@pytest.mark.parametrize(("entry", "complaint"), HOSTILE)
def test_what_no_page_exports_is_refused_and_nothing_is_written(
    run: Path,  # noqa: F811
    entry: Any,
    complaint: str,
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        review(run, [decided(run, [entry])])
    assert not (run / "review.csv").exists()


def test_two_readings_of_one_finding_are_refused(run: Path) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match="is there twice"):
        review(run, [decided(run, [reading(), reading(window(1, 1, 5, 5))])])


def test_a_file_of_the_largest_size_is_scored(tmp_path: Path) -> None:
    """200 outlines of 2,000 corners each, on one image."""
    made = make_run(tmp_path / "run", cases=1, shape=(180, 240))
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = outline(
        *zip((120 + 80 * np.cos(angle)).tolist(), (90 + 80 * np.sin(angle)).tolist(), strict=True)
    )
    path = decided(made, [reading(*[circle] * 200)])
    (read,) = read_decisions([path], Run("phantom-0123abcd", results_sha256(made)))
    assert len(read.readings[0].marks) == 200
    assert review(made, [path]).reading_scores


def test_annotations_that_refer_to_images_need_them(
    run: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["review", str(run), str(decided(run, [reading(window(5, 3, 12, 9))]))]
    arguments += ["--as-annotations", str(tmp_path / "made"), "--annotation-format", "dicom_seg"]
    assert main(arguments) == NOT_STARTED
    assert "--studies: is missing; dicom_seg refers to the images" in capsys.readouterr().err


@pytest.mark.parametrize("mask_format", ["rle_json", "coco", "png"])
def test_marks_become_annotations_that_are_read_back(
    run: Path,  # noqa: F811
    tmp_path: Path,
    mask_format: str,
) -> None:
    folder = read_run(run)
    (run / "crosswalk.csv").write_text(
        "pseudonym,kind,sop_instance_uid,frame,file,sha256\n"
        + "".join(
            f"{case_id},image,1.2.{number},0,a.dcm,\n" for number, case_id in enumerate(folder.case_ids)
        ),
        encoding="utf-8",
    )
    box = {"kind": "box", "x": 3.5, "y": 4.5, "width": 6, "height": 5}
    files = [
        decided(run, [reading(window(5, 3, 12, 9), window(20, 20, 23, 24)), reading(finding="malignant")]),
        decided(run, [reading(box), reading({"kind": "point", "x": 7, "y": 8}, finding="malignant")], "Bob"),
    ]
    made = tmp_path / "made"
    arguments = ["review", str(run), *map(str, files), "--as-annotations", str(made)]
    assert main([*arguments, "--annotation-format", mask_format]) == 0
    sources = yaml.safe_load((made / "annotations.yaml").read_text(encoding="utf-8"))["annotations"][
        "sources"
    ]
    found = {}
    for item in find_annotations(made, sources):
        if item.says == "shapes" and item.finding:
            read = FORMATS[item.format].read(item, case_id="c", finding=item.finding, shape=(36, 48))
            key, read = (item.image, item.finding, item.reader), checked_outlines(read, (36, 48))
            found[key] = joined(found[key], read) if key in found else read
    assert set(found) == {
        ("1.2.0", "benign", "Ann"), ("1.2.0", "malignant", "Ann"), ("1.2.0", "benign", "Bob"),
        ("1.2.0", "malignant", "Bob"),
    }  # fmt: skip
    one, other = found["1.2.0", "benign", "Ann"].masks
    assert (one.sum(), other.sum()) == (7 * 6, 3 * 4)
    assert one[3:9, 5:12].all()
    assert found["1.2.0", "malignant", "Ann"].lesions == 0
    assert found["1.2.0", "benign", "Bob"].boxes == (Box(3.5, 4.5, 6, 5),)
    assert found["1.2.0", "malignant", "Bob"].points == (Point(7, 8),)
