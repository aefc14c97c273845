"""Boxes in shares of the image (YOLO), and their siblings: numbers that are no pixels of the image.

Right: refused or warned of, because no box of a whole table is a pixel wide. Before, they were scored as
boxes of a fifth of a pixel in the top left corner, and validate found nothing. Source: openimages/dataset#75
and Azure/ObjectDetectionUsingCntk#17. Shared case: input-boxes-normalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.audit import audit
from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.validation.plan import make_validation_plan
from pipeline.validation.validate import validate
from tests.study import picture, write_image, write_model

ROWS, COLUMNS = 480, 640
BOXES = {1: (130, 280, 90, 70), 2: (420, 150, 160, 110), 3: (310, 350, 60, 80), 4: (500, 60, 100, 50)}
"""Image → x, y, width and height in pixels."""
SIZED, CORNERS = "x,y,width,height", "x_min,y_min,x_max,y_max"


def scaled(x: float, y: float) -> Mapping[int, tuple[float, ...]]:
    return {n: (left * x, top * y, width * x, height * y) for n, (left, top, width, height) in BOXES.items()}


def config(folder: Path, boxes: Mapping[int, tuple[float, ...]], columns: str = SIZED) -> AuditConfig:
    """Write four images with boxes, and a config that reads them."""
    lines = [f"image{n},nodule,{','.join(f'{value:.4f}' for value in box)}" for n, box in boxes.items()]
    (folder / "boxes.csv").write_text("\n".join([f"image,finding,{columns}", *lines]) + "\n")
    for number in boxes:
        write_image(folder / "images", number, picture(number, (ROWS, COLUMNS)))
    settings = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder / "boxes.csv"),
        "annotations.sources": [{"format": "boxes"}],
        "out": str(folder / "out"),
    }
    return load_config(None, settings)


def found(settings: AuditConfig) -> list[str]:
    """Checks of `heatproof validate` that find something."""
    return [problem.check for problem in validate(make_validation_plan(settings), executor=Here()).problems]


def test_an_audit_of_boxes_in_shares_stops_before_its_first_image(tmp_path: Path) -> None:
    settings = config(tmp_path, scaled(1 / COLUMNS, 1 / ROWS))
    plan = make_plan(settings.model_copy(update={"model": write_model(tmp_path / "model")}))
    with pytest.raises(ConfigError, match="Boxes in shares of the image: 4 of 4 boxes on 4 images"):
        audit(plan, executor=Here())
    assert not list((tmp_path / "out").glob("tiny-*"))


@pytest.mark.parametrize(
    ("boxes", "columns", "check"),
    [
        (scaled(1 / COLUMNS, 1 / ROWS), SIZED, "box_shares"),
        (scaled(100 / COLUMNS, 100 / ROWS), SIZED, "box_percent"),
        (scaled(0.4, 0.4), SIZED, "box_corner"),
        (scaled(2.5, 2.5), SIZED, "box_outside"),
        ({n: (y, x, height, width) for n, (x, y, width, height) in BOXES.items()}, SIZED, "box_columns"),
        (BOXES, CORNERS, "box_columns"),
        (
            {n: (x, y, x + width, y + height) for n, (x, y, width, height) in BOXES.items()},
            SIZED,
            "box_columns",
        ),
    ],
    ids=["shares", "percent", "smaller copy", "larger copy", "y, x", "sizes as edges", "edges as sizes"],
)
def test_numbers_that_are_no_pixels_are_found(
    tmp_path: Path, boxes: Mapping[int, tuple[float, ...]], columns: str, check: str
) -> None:
    assert check in found(config(tmp_path, boxes, columns))


def test_the_same_boxes_in_pixels_are_sound(tmp_path: Path) -> None:
    assert found(config(tmp_path, BOXES)) == []
