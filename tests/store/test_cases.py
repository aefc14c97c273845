"""Cases: a finished case is read back unchanged, with outlines on half pixels."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.records import Box, Fit, Mask, Peak, Reference, Score, Skipped
from pipeline.run_files.case_shapes import FinishedCase
from pipeline.store.atomic import TEMPORARY_PREFIX
from pipeline.store.cases import (
    candidates_of,
    case_folder,
    curves_of,
    fits_of,
    hash_files,
    is_finished,
    read_case,
    remove_leftovers,
    why_skipped,
    write_case,
    write_skipped,
)
from tests.store.finished import finished_case, mask


def written(run: Path, **changes: Any) -> dict[str, Any]:
    write_case(run, finished_case(**changes))
    case = read_case(run, "case-1")
    assert isinstance(case, dict)
    return case


def scores_in(case: dict[str, Any]) -> list[Score]:
    return [Score(case_id=case["case_id"], **score) for score in case["scores"]]


def reference(run: Path, *masks: Mask, boxes: tuple[Box, ...] = ()) -> dict[str, Any]:
    kind = "box" if boxes else "mask"
    (found,) = written(run, references=(Reference("case-1", "nodule", "anna", kind, masks, boxes),))[
        "references"
    ]
    return found


def test_a_finished_case_on_disk_word_for_word(tmp_path: Path) -> None:
    around_2_1 = [[2.0, 0.5], [2.5, 1.0], [2.0, 1.5], [1.5, 1.0]]
    case = written(tmp_path)
    (reference,) = case.pop("references")
    assert {tuple(point) for point in reference.pop("outlines")[0]} == {tuple(p) for p in around_2_1}
    assert reference == {"finding": "nodule", "reader": "anna", "kind": "mask", "boxes": [], "points": []}
    assert case == {
        "case_id": "case-1",
        "patient_id": "patient-1",
        "object_id": "",
        "frame": 0,
        "rows": 3,
        "columns": 4,
        "spacing_mm": [0.5, 0.25],
            "spacing_at": "detector",
            "directions": ["L", "F"],
        "attributes": {"modality": "DX", "view": "PA", "age": "061"},
        "view": [-0.5, -0.5, 4, 3],
        "labels": {"nodule": 1},
        "predictions": [{"finding": "nodule", "logit": 0.25, "probability": 0.5625, "threshold": 0.5}],
        "maps": [{"finding": "nodule", "method": "gradcam", "grid": [1, 2], "scale": [1, 1], "offset": [0, 0],
            "overhang": [[0.5, 0.5], [0.5, 0.5]], "maximum": 1.5}],
        "peaks": [{"finding": "nodule", "method": "gradcam", "x": 2.0, "y": 1.0, "relevance": 1.5}],
        "dropped": [{"finding": "nodule", "method": "gradcam", "count": 2}],
        "regions": [
            {
                "finding": "nodule", "method": "gradcam", "rule": "fraction", "level": 0.75,
                "unit": "logit", "area_px": 1, "area_mm2": 0.12, "peak": 1.5, "outlines": [around_2_1],
            }
        ],
        "scores": [
            {
                "finding": "nodule", "reader": "anna", "method": "gradcam", "metric": "iou", "value": 1.0,
                "undefined_because": "", "lesion": None,
            },
            {
                "finding": "nodule", "reader": "anna", "method": "gradcam", "metric": "lesion_iou",
                "value": None, "undefined_because": "why", "lesion": 2,
            },
        ],
        "candidates": [
            {
                "finding": "nodule", "reader": "anna", "method": "gradcam", "kind": "mask", "lesions": 1,
                "scores": [0.5], "affinity": {"iou": [[1.0]]}, "shares": [1 / 12], "areas_mm2": [0.125],
            }
        ],
        "curves": [{"finding": "nodule", "reader": "anna", "method": "gradcam", "ious": [0.25, 0.5]}],
        "fits": [
            {"finding": "nodule", "reader": "anna", "method": "gradcam", "output": "effusion",
             "ranks": [0.75], "hits": [None]}
        ],
        "look": "",
        "skipped": [
            {"subject": "case-1", "stage": "annotations", "reason": "mask_size", "message": "a sentence"}
        ],
        "cautions": [{"reason": "burned_in_text", "message": "a warning"}],
    }  # fmt: skip


def test_scores_come_back_as_they_were(tmp_path: Path) -> None:
    assert tuple(scores_in(written(tmp_path))) == finished_case().scores


def test_without_spacing_there_is_no_area_in_millimetres(tmp_path: Path) -> None:
    case = written(tmp_path, spacing_mm=None)
    assert (case["spacing_mm"], case["regions"][0]["area_mm2"]) == (None, None)


def test_a_mask_at_the_images_edge_keeps_its_outline_on_half_pixels(tmp_path: Path) -> None:
    (outline,) = reference(tmp_path, mask("##..", "##..", "...."))["outlines"]
    xs, ys = zip(*outline, strict=True)
    assert (min(xs), max(xs), min(ys), max(ys)) == (-0.5, 1.5, -0.5, 1.5)
    assert area(outline) == 4 - 4 / 8  # a corner is cut by a triangle of an eighth of a pixel


def test_a_hole_has_an_outline_of_its_own(tmp_path: Path) -> None:
    ring = mask("#####", "#...#", "#...#", "#####")
    outer, hole = sorted(reference(tmp_path, ring)["outlines"], key=area, reverse=True)
    assert area(outer) == 20 - 4 / 8
    assert area(hole) == 6 - 4 / 8


def test_instances_that_touch_keep_their_own_outlines(tmp_path: Path) -> None:
    found = reference(tmp_path, mask("#...", "....", "...."), mask(".#..", "....", "...."))["outlines"]
    assert sorted(min(x for x, _ in outline) for outline in found) == [-0.5, 0.5]


def test_parts_of_one_mask_each_have_an_outline(tmp_path: Path) -> None:
    assert len(reference(tmp_path, mask("#..#", "....", "...."))["outlines"]) == 2


def test_an_outline_does_not_repeat_its_first_point(tmp_path: Path) -> None:
    (outline,) = reference(tmp_path, mask("#...", "....", "...."))["outlines"]
    assert len({tuple(point) for point in outline}) == len(outline) == 4


def test_a_reference_of_nothing_has_no_outline(tmp_path: Path) -> None:
    assert reference(tmp_path)["outlines"] == reference(tmp_path)["boxes"] == []


def test_boxes_are_x_y_width_height(tmp_path: Path) -> None:
    found = reference(tmp_path, boxes=(Box(-0.5, 0.123456, 2, 1),))
    assert (found["kind"], found["boxes"], found["outlines"]) == ("box", [[-0.5, 0.12, 2, 1]], [])


def area(outline: list[list[float]]) -> float:
    """The area of a polygon, by the shoelace formula."""
    x, y = np.array(outline).T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


def test_raw_heatmaps_come_back_bit_for_bit_without_pickle(tmp_path: Path) -> None:
    written(tmp_path)
    with np.load(case_folder(tmp_path, "case-1") / "heatmaps.npz", allow_pickle=False) as arrays:
        assert list(arrays) == ["gradcam/nodule"]
        relevance = arrays["gradcam/nodule"]
    assert relevance.dtype == np.float32
    assert relevance.tolist() == [[1.5, -2]]


def test_the_same_case_is_the_same_bytes_at_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    written(tmp_path / "b")
    for name in ("case.json", "case.js", "heatmaps.npz"):
        first, second = (case_folder(tmp_path / run, "case-1") / name for run in "ab")
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_json_does_not_have_is_a_bug_and_the_case_unfinished(
    tmp_path: Path, value: float
) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        written(tmp_path, peaks=(Peak("nodule", "gradcam", 0.0, 0.0, value),))
    assert not is_finished(tmp_path, "case-1")


def test_words_of_any_alphabet_and_of_none_come_back(tmp_path: Path) -> None:
    score = Score("case-1", "Größe 肺 </script>", "anna-\udcfc", "gradcam", "iou", 1.0)
    assert scores_in(written(tmp_path, scores=(score,))) == [score]
    json.loads((case_folder(tmp_path, "case-1") / "case.json").read_bytes().decode("utf-8"))


def test_a_case_is_finished_when_it_was_audited_or_skipped(tmp_path: Path) -> None:
    assert not is_finished(tmp_path, "case-1")
    written(tmp_path)
    skipped = Skipped("case-2", "load", "decode_failed", "a sentence")
    write_skipped(tmp_path, skipped)
    assert is_finished(tmp_path, "case-1")
    assert read_case(tmp_path, "case-2") == skipped
    assert is_finished(tmp_path, "case-2")


def test_a_case_whose_heatmaps_alone_are_there_is_not_finished(tmp_path: Path) -> None:
    written(tmp_path)
    (case_folder(tmp_path, "case-1") / "case.json").unlink()
    assert not is_finished(tmp_path, "case-1")


def test_the_hash_of_the_input_is_for_its_owner_alone(tmp_path: Path) -> None:
    written(tmp_path)
    ((case_id, path),) = hash_files(tmp_path, ["case-1", "case-2"])
    assert (case_id, path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("case-1", "ab", 0o600)


@pytest.mark.parametrize(
    ("reason", "finished"), [("unreadable", False), ("worker_died", False), ("mask_size", True)]
)
def test_transient_failures_are_tried_again(tmp_path: Path, *, reason: str, finished: bool) -> None:
    write_skipped(tmp_path, Skipped("case-1", "load", reason, "a sentence"))
    assert is_finished(tmp_path, "case-1") is finished
    written(tmp_path)
    assert is_finished(tmp_path, "case-1")
    assert why_skipped(tmp_path, "case-1") is None


def test_a_sweep_leaves_this_run_alone(tmp_path: Path) -> None:
    written(tmp_path)
    write_skipped(tmp_path, Skipped("case-2", "load", "decode_failed", "a sentence"))
    (tmp_path / f"{TEMPORARY_PREFIX}x").write_text("half")
    (tmp_path / "cases" / "case-1" / f"{TEMPORARY_PREFIX}y").write_text("half")
    (tmp_path / "cases" / "run.js").write_text("of the whole run")
    remove_leftovers(tmp_path, ["case-1"])
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"cases/run.js"} | {
        f"cases/case-1/{name}" for name in ("case.json", "case.js", "heatmaps.npz", ".sha256")
    }


def test_candidates_and_curves_come_back(tmp_path: Path) -> None:
    case = written(tmp_path)
    (found,), (curve,), (fit,) = candidates_of(case), curves_of(case), fits_of(case)
    assert fit == Fit("case-1", "nodule", "anna", "gradcam", "effusion", [0.75], [None])
    assert (found.case_id, found.lesions, found.affinity) == ("case-1", 1, {"iou": [[1.0]]})
    assert (curve.method, curve.ious) == ("gradcam", [0.25, 0.5])


def test_the_page_does_not_get_data_that_only_tables_need(tmp_path: Path) -> None:
    written(tmp_path)
    assert "affinity" not in (tmp_path / "cases" / "case-1" / "case.js").read_text()


def test_a_sweep_removes_links_themselves_and_nothing_that_is_called_otherwise(tmp_path: Path) -> None:
    thesis = tmp_path / "victim" / "documents" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.touch()
    run = tmp_path / "run"
    (run / "cases" / "notes").mkdir(parents=True)
    (run / "cases" / "case-9").symlink_to(tmp_path / "victim")
    remove_leftovers(run, [])
    assert [path.name for path in (run / "cases").iterdir()] == ["notes"]
    (run / "cases" / "notes").rmdir()
    (run / "cases").rmdir()
    (run / "cases").symlink_to(thesis.parents[1])
    (thesis.parents[1] / "case-8").mkdir()
    remove_leftovers(run, [])
    assert thesis.exists()
    assert (thesis.parents[1] / "case-8").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("case.json", ""),
        ("case.json", "[" * 200_000),
        ("case.json", "[]"),
        ("case.json", "{}"),
        ("case.json", '{"case_id": "case-1", "scores": [{}], "candidates": [], "curves": [], "skipped": []}'),
        ("case.js", ""),
        ("heatmaps.npz", ""),
        ("pixels.js", ""),
        ("case.js", "heatproof.case({}, {"),
        ("pixels.js", 'heatproof.pixels({"rows": 4'),
        ("thumbnail.jpg", "x"),
        ("heatmaps.npz", "PK"),
    ],
)
def test_a_case_that_a_power_failure_damaged_is_not_finished(tmp_path: Path, name: str, content: str) -> None:
    written(tmp_path)
    damaged = case_folder(tmp_path, "case-1") / name
    damaged.write_text(content)
    assert not is_finished(tmp_path, "case-1")
    damaged.unlink()
    written(tmp_path)
    assert is_finished(tmp_path, "case-1")


@pytest.mark.parametrize("missing", sorted(FinishedCase.__required_keys__))
def test_a_case_without_data_that_tables_need_is_not_finished(tmp_path: Path, missing: str) -> None:
    case = written(tmp_path)
    del case[missing]
    (case_folder(tmp_path, "case-1") / "case.json").write_text(json.dumps(case))
    assert not is_finished(tmp_path, "case-1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("case_id", "case-2"), ("scores", [{}]), ("frame", "0"), ("rows", 0), ("labels", {"nodule": 2}),
        ("patient_id", None), ("spacing_mm", [1]), ("spacing_at", "moon"), ("directions", ["L"]),
        ("directions", ["L", "X"]), ("skipped", [{"subject": 1}]), ("attributes", {"age": 5}),
    ],
)  # fmt: skip
def test_a_case_with_data_of_another_type_is_not_finished(tmp_path: Path, key: str, value: object) -> None:
    path = case_folder(tmp_path, "case-1") / "case.json"
    path.parent.mkdir(parents=True)
    case = written(tmp_path)
    path.write_text(json.dumps({**case, key: value}))
    assert not is_finished(tmp_path, "case-1")
    path.unlink()
    path.mkdir()
    assert not is_finished(tmp_path, "case-1")


@pytest.mark.parametrize("changes", [{"reason": ["a"]}, {"subject": "case-2"}, {"message": None}])
def test_a_skipped_json_of_another_image_or_type_counts_as_none(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    write_skipped(tmp_path, Skipped("case-1", "load", "decode_failed", "a sentence"))
    path = case_folder(tmp_path, "case-1") / "skipped.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert why_skipped(tmp_path, "case-1") is None
    assert not is_finished(tmp_path, "case-1")


@pytest.mark.parametrize("content", ["", "{}", "[]", "[" * 200_000])
def test_a_damaged_skipped_json_counts_as_none(tmp_path: Path, content: str) -> None:
    write_skipped(tmp_path, Skipped("case-1", "load", "decode_failed", "a sentence"))
    (case_folder(tmp_path, "case-1") / "skipped.json").write_text(content)
    assert why_skipped(tmp_path, "case-1") is None
    assert not is_finished(tmp_path, "case-1")


def test_the_file_that_marks_a_case_as_finished_is_synced_before_its_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bytes] = []

    def on_disk(file: int) -> None:
        assert not list(tmp_path.glob("cases/case-1/*.json"))
        waited.append(Path(f"/proc/self/fd/{file}").read_bytes())

    monkeypatch.setattr("os.fsync", on_disk)
    written(tmp_path)
    folder = case_folder(tmp_path, "case-1")
    assert waited == [(folder / "case.json").read_bytes()]
    (folder / "case.json").unlink()
    write_skipped(tmp_path, Skipped("case-1", "load", "decode_failed", "a sentence"))
    assert waited[1:] == [(folder / "skipped.json").read_bytes()]
