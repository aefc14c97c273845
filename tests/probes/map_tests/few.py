"""A few images with their regions, the tiny network of the tests, and methods whose maps are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import sobel
from torch import Tensor

from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.audited_model.loading import AuditedModel, load_model
from pipeline.classifiers import prepare
from pipeline.config import load_config
from pipeline.plan import AuditPlan, make_plan
from pipeline.probes.map_tests.judged import JudgedImage, Judging
from pipeline.records import Image, MapTestValue
from tests.study import FINDINGS, GRID, picture, square, write_model, write_study

IMAGES = 6
REGIONS = {"nodule": square((GRID, GRID), 10, 8, 20), "effusion": square((GRID, GRID), 30, 30, 25)}


def folder_of_study(folder: Path) -> Path:
    """A study set and a model on disk."""
    write_study(folder, count=IMAGES)
    write_model(folder / "model")
    return folder


def plan(folder: Path, **settings: Any) -> AuditPlan:
    """The plan of an audit of the study in a folder, with all probes."""
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "statistics.replicates": 100,
        "burned_in_text.look": "contrast",
        "probes": "full",
        **settings,
    }
    return make_plan(load_config(None, overrides))


def judging(folder: Path, **settings: Any) -> Judging:
    """What tests of the model in a folder share."""
    planned = plan(folder, **settings)
    return Judging(load_model(planned), planned.config.batch_size)


def judged(number: int, model: AuditedModel, *, mirrored: bool = False) -> JudgedImage:
    """An image with a region of each finding."""
    pixels: NDArray[np.uint8] = picture(number)
    if mirrored:
        pixels = ((pixels.astype(int) + pixels[:, ::-1]) // 2).astype(np.uint8)
    image = Image(f"case-{number}", (pixels / 255).astype(np.float32), None)
    return JudgedImage(image.case_id, prepare(image, model.preprocessing), FINDINGS, REGIONS)


class Edges(Explainer):
    """A method whose maps are the edges of the image, whatever the network has learnt."""

    def explain(self, inputs: Tensor) -> Explanation:
        """The strength of edges for every method and finding."""
        found = super().explain(inputs)
        images = inputs[:, 0].numpy().astype(np.float64)
        edges = np.hypot(sobel(images, axis=1), sobel(images, axis=2)).astype(np.float32)
        maps, cells = {}, {}
        for name in found.maps:
            maps[name] = np.repeat(edges[:, None], found.logits.shape[1], axis=1)
            cells[name] = tuple(
                replace(axis, start=0.0, step=1.0, size=size)
                for axis, size in zip(found.cells[name], edges.shape[1:], strict=True)
            )
        return Explanation(found.logits, maps, cells)


def with_edges(shared: Judging) -> Judging:
    """The same network, explained by its input's edges."""
    explainer = Edges(shared.explainer.engine, shared.explainer.methods)
    return replace(shared, model=replace(shared.model, explainer=explainer, reference=None))


def numbers(
    values: list[MapTestValue], measure: str, variant: str, *, method: str = "gradcam"
) -> list[float | None]:
    """The values of a measure and variant, in their order."""
    return [
        one.value for one in values if (one.measure, one.variant, one.method) == (measure, variant, method)
    ]
