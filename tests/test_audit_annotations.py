"""Whole runs on the files of annotation tools, found without a config: the same scores as with PNG masks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.study import GRID, write_model, write_study
from tests.test_audit import run, table

COUNT = 4


def boxes(folder: Path) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Image, finding, and left, top, right and bottom edge of each mask, all of which are squares."""
    for file in sorted((folder / "masks").glob("*/*.png")):
        rows, columns = np.nonzero(np.asarray(Image.open(file)))
        edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        yield (file.stem, file.parent.name, *map(int, edges))  # type: ignore[misc]  # four edges


def as_coco(folder: Path) -> None:
    drawn = list(boxes(folder))
    images, names = sorted({d[0] for d in drawn}), sorted({d[1] for d in drawn})
    annotations = [
        {
            "id": number,
            "image_id": images.index(image),
            "category_id": names.index(name),
            "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
        }
        for number, (image, name, left, top, right, bottom) in enumerate(drawn)
    ]
    content = {
        "images": [
            {"id": n, "file_name": f"{image}.png", "width": GRID, "height": GRID}
            for n, image in enumerate(images)
        ],
        "annotations": annotations,
        "categories": [{"id": n, "name": name} for n, name in enumerate(names)],
    }
    (folder / "coco.json").write_text(json.dumps(content))


def as_labelme(folder: Path) -> None:
    shapes: dict[str, list[dict[str, object]]] = {}
    for image, name, left, top, right, bottom in boxes(folder):
        corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        shapes.setdefault(image, []).append({"label": name, "points": corners, "shape_type": "polygon"})
    (folder / "json").mkdir()
    for image, drawn in shapes.items():
        content = {"imagePath": f"../images/{image}.png", "imageHeight": GRID, "imageWidth": GRID}
        (folder / "json" / f"{image}.json").write_text(json.dumps(content | {"shapes": drawn}))


TOOLS: dict[str, Callable[[Path], None]] = {"coco": as_coco, "labelme": as_labelme}


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    """A study with PNG masks, and its scores."""
    folder = write_study(tmp_path_factory.mktemp("masked"), count=COUNT)
    write_model(folder / "model")
    return folder, table(run(folder, folder / "model" / "tiny.yaml"), "scores.csv")


def test_points_are_scored_by_the_hit_within_the_tolerance(
    masked: tuple[Path, list[dict[str, str]]], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    shutil.copytree(masked[0], folder, ignore=shutil.ignore_patterns("out*", "masks"))
    (folder / "labels.csv").unlink()
    everywhere = [f"image1,nodule,{x},{y}" for x in range(5, GRID, 8) for y in range(5, GRID, 8)]
    (folder / "points.csv").write_text("\n".join(["image,finding,x,y", *everywhere, "image2,nodule,,"]))
    found = table(run(folder, folder / "model" / "tiny.yaml"), "scores.csv")
    hits = {row["value"] for row in found if row["metric"] == "point_hit" and row["value"]}
    assert hits == {"1.0"}
    assert not [row for row in found if row["metric"] in {"hit", "box_hit", "iou"}]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tools_file_gives_the_scores_of_the_masks_that_it_describes(
    tool: str, masked: tuple[Path, list[dict[str, str]]], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    shutil.copytree(masked[0], folder, ignore=shutil.ignore_patterns("out*"))
    TOOLS[tool](folder)
    shutil.rmtree(folder / "masks")
    found = table(run(folder, folder / "model" / "tiny.yaml"), "scores.csv")

    def values(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
        return sorted((r["finding"], r["metric"], r["method"], r["value"]) for r in rows)

    assert len(found) > COUNT
    assert values(found) == values(masked[1])
