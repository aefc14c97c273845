"""Masks with an anti-aliased edge: one lesion, what is at least half of the highest value.

Right: by the definition of coverage, a pixel of which at least half is covered is inside.
Source: albumentations-team/albumentations#75, JCruan519/EGE-UNet#13. Shared case: input-mask-soft-edges.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.records import Notice
from pipeline.validation.plan import make_validation_plan
from pipeline.validation.validate import validate
from tests.annotations.joined import joined
from tests.study import write_image

PNG = {"format": "png", "pattern": "{image}.png", "finding": "nodule"}
LESION = np.zeros((9, 9), np.bool_)
LESION[2:7, 2:7] = True
EDGES = np.array([0, 32, 255, 255, 255, 255, 207, 0, 0])
"""The edge is covered by 1/8 on one side, beyond the lesion, and by 4/5 on the other."""


def write(folder: Path) -> None:
    write_image(folder / "images", 1, np.zeros((9, 9), np.uint8))
    soft = np.minimum(np.minimum.outer(EDGES, EDGES), 255).astype(np.uint8)
    Image.fromarray(soft).save(folder / "image1.png")


def test_one_lesion_of_what_is_at_least_half_covered(tmp_path: Path) -> None:
    write(tmp_path)
    _, found = joined(tmp_path, tmp_path / "images", [PNG])
    (reference,) = found["image1"].references
    (mask,) = reference.masks
    np.testing.assert_array_equal(mask, LESION)
    (notice,) = reference.notices
    assert (notice.kind, notice.line()) == ("guess", "instances: half")


def test_validate_shows_what_was_decided(tmp_path: Path) -> None:
    write(tmp_path)
    settings = {
        "studies": str(tmp_path / "images"),
        "annotations.path": str(tmp_path),
        "annotations.sources": [PNG],
        "out": str(tmp_path / "out"),
    }
    shown: list[Notice] = []
    validation = validate(
        make_validation_plan(load_config(None, settings)), executor=Here(), notify=shown.extend
    )
    guess = shown[-1]
    assert (guess.kind, guess.line()) == ("guess", "instances: half")
    assert guess.message.startswith("Masks have soft edges;")
    assert guess.message.endswith("(in 1 of 1 annotation).")
    assert "Masks have soft edges" in validation.index.read_text()
