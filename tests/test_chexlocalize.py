"""The protocol of CheXlocalize, on images of 8 × 8 pixels whose scores are counted by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco

from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.external_maps.plan import make_score_plan
from pipeline.run.outcome import Outcome
from pipeline.score import score
from tests.page_text import page_text
from tests.study import write_image

CONFIG = Path(__file__).parents[1] / "configs" / "chexlocalize.yaml"
FINDING = "Lung Lesion"


def block(rows: slice, columns: slice, *, inside: float = 1, outside: float = 0) -> np.ndarray:
    values = np.full((8, 8), outside, np.float32)
    values[rows, columns] = inside
    return values


def with_peak(values: np.ndarray, row: int, column: int, peak: float) -> np.ndarray:
    values[row, column] = peak
    return values


FULL = slice(None)
RING = block(slice(5), slice(5)) - block(slice(1, 4), slice(1, 4))
CASES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    # 24 pixels drawn, 16 of them the mask's; the highest is one of these: IoU 16/24, hit
    "wide": (with_peak(block(slice(4), slice(6), inside=3, outside=-5), 0, 0, 4), block(slice(4), slice(4))),
    # drawn elsewhere, and only because scaling knows no sign: IoU 0, no hit
    "elsewhere": (block(slice(4), slice(4), inside=-3, outside=-9), block(slice(4, 8), slice(4, 8))),
    # a ring of 16 pixels around 9, filled: IoU 25/25, hit
    "ring": (with_peak(RING * 0.98, 0, 0, 1), block(slice(5), slice(5))),
    # 2 cells: 0 in columns 0 and 1, then 1/8, 3/8, 5/8, 7/8, 1 and 1; drawn from column 4 on: IoU 24/32, hit
    "coarse": (np.array([[0, 1]], np.float32), block(FULL, slice(5, 8))),
    # nothing stands out, so nothing is drawn: IoU 0, no hit
    "flat": (np.full((8, 8), 7, np.float32), block(slice(4, 8), slice(4, 8))),
    # no lesion, yet something drawn: left out, or 0
    "healthy": (block(slice(2), slice(2)), np.zeros((8, 8), np.float32)),
}
"""Name → map and mask."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("chexlocalize")
    (folder / "maps").mkdir()
    masks = {}
    for number, (name, (relevance, mask)) in enumerate(CASES.items()):
        stem = f"patient64622_study1_view{number}_{name}"
        path = write_image(folder / "images", number, np.full((8, 8), 9, np.uint8), PatientID="64622")
        path.rename(folder / "images" / f"{stem}.dcm")
        np.save(folder / "maps" / f"{stem}__{FINDING}.npy", relevance[None, None])
        coded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        masks[stem] = {FINDING: {"size": coded["size"], "counts": coded["counts"].decode()}}
    (folder / "gt_segmentations_val.json").write_text(json.dumps(masks))
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "heatmaps.path": str(folder / "maps"),
        "out": str(folder / "out"),
    }
    return score(make_score_plan(load_config(CONFIG, overrides), executor=Here()), executor=Here())


@pytest.mark.parametrize(
    ("metric", "n", "estimate"),
    [
        ("iou_true_positives", 4, (16 / 24 + 0 + 1 + 24 / 32) / 4),
        ("iou_with_false_positives", 6, (16 / 24 + 0 + 1 + 24 / 32 + 0 + 0) / 6),
        ("iou", 5, (16 / 24 + 0 + 1 + 24 / 32 + 0) / 5),
        ("hit", 5, 3 / 5),
        ("contour_on_healthy", 1, 1),
    ],
)
def test_the_mean_is_that_of_the_published_definition(
    run: Outcome, metric: str, n: int, estimate: float
) -> None:
    with (run.index.parent / "summary.csv").open(newline="") as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if (row["finding"], row["method"], row["metric"]) == (FINDING, "heatmap", metric)
        )
    assert (int(row["n"]), float(row["estimate"])) == (n, pytest.approx(estimate))
    assert int(row["patients"]) == n  # images are drawn, though all are of one patient
    if n > 1:
        assert float(row["low"]) < estimate < float(row["high"])


def test_the_report_says_by_what_protocol(run: Outcome) -> None:
    page = page_text(run.index)
    assert "by bootstrap over images (percentiles), 1,000 replicates" in page
    assert "each map is scaled from its minimum, 0, to its maximum, 1" in page
    assert "pixels above Otsu’s threshold, with holes filled" in page
