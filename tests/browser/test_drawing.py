"""The browser draws what the pipeline draws: levels, regions, outlines and scores, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.contours.drawing import draw
from pipeline.contours.otsu import otsu
from pipeline.geometry import cropped, mirrored, resample_to_image, resized, whole
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Drawing, Heatmap, Mask, Placement, Reference
from pipeline.store.scripts import map_json, runs

IN_BROWSER = """([packed, shape, rule, spacing, readers]) => {
  const { decoding, maps, drawing, overlap } = heatproof;
  const map = maps.positive(decoding.map(packed));
  const layer = drawing.layer(map, shape);
  const drawn = drawing.draw(layer, shape, rule, spacing);
  const scores = readers.map(({ kind, codes, boxes }) => {
    const masks = codes.map(decoding.mask);
    return overlap.scores(drawn.regions, { kind, masks, union: overlap.union(masks, shape), boxes });
  });
  const regions = drawn.regions.map(({ runs, ...region }) => region);
  return { ...drawn, regions, scores, placed: [...layer.placed] };
}"""


@dataclass(frozen=True)
class Sample:
    """A raw map somewhere on an image, with what two readers drew."""

    heatmap: Heatmap
    references: tuple[Reference, Reference]

    @property
    def shape(self) -> tuple[int, int]:
        return self.heatmap.placement.image_shape


def blobs(shape: tuple[int, int], seed: int) -> np.ndarray:
    """A smooth map with several hills and hollows."""
    noise = np.random.default_rng(seed).normal(size=shape)
    return cv2.GaussianBlur(noise, (0, 0), 1.2).astype(np.float32)


def disc(shape: tuple[int, int], row: float, column: float, radius: float) -> Mask:
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def sample(seed: int, grid: tuple[int, int], placement: Placement) -> Sample:
    rows, columns = placement.image_shape
    masks = (
        disc((rows, columns), 0.3 * rows, 0.3 * columns, 0.18 * rows),
        disc((rows, columns), 0.7 * rows, 0.6 * columns, 0.25 * columns),
    )
    boxes = (Box(-0.5, -0.5, columns / 2, rows / 3), Box(columns / 3, rows / 4, columns / 2.5, rows / 2))
    return Sample(
        Heatmap("c", "f", "m", blobs(grid, seed), "logit", resized(placement, grid)),
        (
            Reference("c", "f", "A", "mask", masks=masks),
            Reference("c", "f", "B", "box", boxes=boxes),
        ),
    )


def saturated(of: Sample) -> Sample:
    """With plateaus, as of a map whose brightest quarter is stored as 255."""
    cells = of.heatmap.relevance
    return replace(of, heatmap=replace(of.heatmap, relevance=np.minimum(cells, np.quantile(cells, 0.75))))


PAD = cropped(resized(whole((61, 45)), (40, 40)), (-3, -2), (46, 44))
SAMPLES = {
    "the whole image": sample(1, (7, 9), whole((64, 90))),
    "an odd size": sample(2, (8, 8), whole((61, 45))),
    "a centre crop": sample(3, (6, 6), cropped(resized(whole((80, 60)), (64, 48)), (10, 4), (40, 40))),
    "padding": sample(4, (10, 10), PAD),
    "mirrored": sample(5, (5, 7), mirrored(whole((50, 70)))),
    "finer than the image": sample(6, (40, 50), whole((20, 25))),
    "one row of cells": sample(7, (1, 6), whole((30, 48))),
    "plateaus": saturated(sample(8, (9, 11), whole((50, 61)))),
}
RULES = [
    ("fraction", 0.0),
    ("fraction", 0.2),
    ("fraction", 0.6),
    ("fraction", 1.0),
    ("absolute", 0.1),
    ("absolute", 0.25),
    ("absolute", -1.0),
    ("percentile", 0.0),
    ("percentile", 33.3),
    ("percentile", 90.0),
    ("percentile", 100.0),
    ("otsu", 0.0),
]


def in_browser(page: Page, of: Sample, **rule: Any) -> dict[str, Any]:
    spacing = rule.pop("spacing_mm", None)
    readers = [
        {
            "kind": r.kind,
            "codes": [runs(mask) for mask in r.masks],
            "boxes": [[b.x, b.y, b.width, b.height] for b in r.boxes],
        }
        for r in of.references
    ]
    found: dict[str, Any] = page.evaluate(
        IN_BROWSER, [map_json(of.heatmap), of.shape, rule, spacing, readers]
    )
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_a_map_is_placed_to_the_last_bit(workbench: Page, name: str) -> None:
    of = SAMPLES[name]
    found = in_browser(workbench, of, rule="fraction", threshold=0.5)["placed"]
    wanted = resample_to_image(np.maximum(of.heatmap.relevance, 0), of.heatmap.placement)
    assert np.array_equal(np.array(found, np.float32).reshape(of.shape), wanted)


@pytest.mark.parametrize(("rule", "threshold"), RULES)
@pytest.mark.parametrize("name", SAMPLES)
def test_level_regions_and_scores_are_the_pipelines(
    workbench: Page, name: str, rule: str, threshold: float
) -> None:
    of = SAMPLES[name]
    found = in_browser(workbench, of, rule=rule, threshold=threshold)
    wanted = draw(of.heatmap, rule=rule, threshold=threshold)
    assert {region["level"] for region in found["regions"]} == {r.level for r in wanted.regions}
    assert in_words(found) == in_words_of(wanted)
    assert found["scores"] == [of_metrics(wanted, reference, of.shape) for reference in of.references]


def in_words(found: dict[str, Any]) -> list[tuple[object, ...]]:
    regions = [
        (r["area_px"], r["peak"], r["top"], r["left"], r["bottom"], r["right"]) for r in found["regions"]
    ]
    peak = found["peak"] and (found["peak"]["row"], found["peak"]["column"])
    return [*regions, (found["dropped"], peak)]


def in_words_of(drawing: Drawing) -> list[tuple[object, ...]]:
    regions = []
    for region in drawing.regions:
        row, column = region.corner
        height, width = region.mask.shape
        regions.append((region.area_px, region.peak, row, column, row + height, column + width))
    return [*regions, (drawing.dropped, drawing.peak)]


def of_metrics(drawing: Drawing, reference: Reference, shape: tuple[int, int]) -> dict[str, Any]:
    """The pipeline's scores in the browser's words."""
    scores = score_drawing(drawing, reference, method="m", shape=shape)
    values: dict[str, list[float]] = {}
    for score in scores:
        assert score.value is not None or score.metric == "contour_on_healthy"
        values.setdefault(score.metric, []).append(score.value)
    if reference.kind == "box":
        return {"lesions": values["box_iou"]}
    return {"iou": values["iou"][0], "dice": values["dice"][0], "lesions": values["lesion_iou"]}


@pytest.mark.parametrize(
    ("smallest", "spacing"),
    [
        ({"minimum_area_px": 250}, None),
        ({"minimum_area_mm2": 75.0}, (0.5, 0.6)),
        ({"minimum_area_mm2": 75.0}, None),
    ],
)
def test_the_smallest_contour_is_the_pipelines(
    workbench: Page, smallest: dict[str, float], spacing: tuple[float, float] | None
) -> None:
    of = SAMPLES["an odd size"]
    found = in_browser(workbench, of, rule="fraction", threshold=0.25, spacing_mm=spacing, **smallest)
    wanted = draw(of.heatmap, rule="fraction", threshold=0.25, spacing_mm=spacing, **smallest)
    assert in_words(found) == in_words_of(wanted)
    assert bool(wanted.dropped) is not (spacing is None and "minimum_area_mm2" in smallest)
    if spacing:
        areas = [r.area_px * spacing[0] * spacing[1] for r in wanted.regions]
        assert [r["area_mm2"] for r in found["regions"]] == pytest.approx(areas)


@pytest.mark.parametrize("value", [0.0, -1.0, 2.0, 2.0 + 1e-6])
def test_a_flat_map_draws_nothing(workbench: Page, value: float) -> None:
    of = SAMPLES["the whole image"]
    cells = np.full((3, 4), 2.0 if value > 2 else value, np.float32)
    cells[0, 0] = value
    flat = replace(
        of, heatmap=replace(of.heatmap, relevance=cells, placement=resized(whole(of.shape), (3, 4)))
    )
    found = in_browser(workbench, flat, rule="fraction", threshold=0.5)
    assert (found["level"], found["regions"], found["peak"]) == (None, [], None)
    assert found["scores"][0]["iou"] == 0


def test_where_a_reader_sees_nothing_only_a_contour_counts(workbench: Page) -> None:
    nothing = replace(SAMPLES["padding"], references=(Reference("c", "f", "A", "mask"),) * 2)
    assert in_browser(workbench, nothing, rule="fraction", threshold=0.5)["scores"] == [{"healthy": True}] * 2
    assert in_browser(workbench, nothing, rule="absolute", threshold=99)["scores"] == [{"healthy": False}] * 2


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", SAMPLES)
def test_outlines_are_the_pipelines(workbench: Page, name: str, threshold: float) -> None:
    """As many, the same area, and every vertex that the pipeline kept is one of the browser's."""
    of = SAMPLES[name]
    found = in_browser(workbench, of, rule="fraction", threshold=threshold)["regions"]
    wanted = draw(of.heatmap, rule="fraction", threshold=threshold).regions
    assert [len(region["outlines"]) for region in found] == [len(region.outlines) for region in wanted]
    for region, theirs in zip(found, wanted, strict=True):
        for outline, other in zip(region["outlines"], theirs.outlines, strict=True):
            points = np.array(outline, np.float32)
            assert apart(other, points).max() < 1e-3
            perimeter = cv2.arcLength(points, closed=True)
            assert cv2.contourArea(points) == pytest.approx(cv2.contourArea(other), abs=0.05 * perimeter)


def apart(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From each point to the nearest of the others."""
    return np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=1)


def test_a_pixel_exactly_at_the_level_lies_inside_the_outline(workbench: Page) -> None:
    cells = np.zeros((5, 7), np.float32)
    cells[2, 2:5] = 1, 0.5, 0.5
    cells[3, 3] = 0.5
    placed_as_it_is = Heatmap("c", "f", "m", cells, "logit", whole(cells.shape))
    nobody = (Reference("c", "f", "A", "mask"),) * 2
    (found,) = in_browser(workbench, Sample(placed_as_it_is, nobody), rule="fraction", threshold=0.5)[
        "regions"
    ]
    (wanted,) = draw(placed_as_it_is, rule="fraction", threshold=0.5).regions
    assert found["area_px"] == wanted.area_px == 4
    (outline,), (theirs,) = found["outlines"], wanted.outlines
    points = np.array(outline, np.float32)
    assert apart(theirs, points).max() < 1e-3
    assert cv2.contourArea(points) == pytest.approx(cv2.contourArea(theirs), abs=0.01)


def test_a_region_of_one_pixel_has_an_outline(workbench: Page) -> None:
    cells = np.zeros((5, 6), np.float32)
    cells[2, 3] = 1
    of = SAMPLES["the whole image"]
    one = replace(of, heatmap=Heatmap("c", "f", "m", cells, "logit", whole((5, 6))))
    one = replace(one, references=(Reference("c", "f", "A", "mask"),) * 2)
    (region,) = in_browser(workbench, one, rule="fraction", threshold=1.0)["regions"]
    (outline,) = region["outlines"]
    assert {tuple(point) for point in outline} == {(3, 1.5), (3.5, 2), (3, 2.5), (2.5, 2)}


def beside_edges(seed: int) -> np.ndarray:
    """Two numbers, and some at the edges of 256 bins between them and next to these, in float32."""
    random = np.random.default_rng(seed)
    ends = np.sort(random.uniform(0, 3, 2).astype(np.float32))
    edges = np.linspace(*ends, 257, dtype=np.float32)[random.integers(1, 256, 6)]
    return np.concatenate(
        [ends, edges, np.nextafter(edges, np.float32(-1)), np.nextafter(edges, np.float32(9))]
    )


@pytest.mark.parametrize(
    "values",
    [
        *(beside_edges(seed) for seed in (0, 167, 504, 724)),
        np.float32([0.6230454444885254, 2.8680050373077393, 1.5175215005874634]),
    ],
)
def test_otsu_counts_numbers_at_the_edge_of_a_bin_as_numpy_does(workbench: Page, values: np.ndarray) -> None:
    found = workbench.evaluate(
        """(values) => {
          const { maps, thresholds } = heatproof;
          const numbers = Float32Array.from(values);
          return thresholds.level(numbers, { rule: "otsu" }, maps.extremes(numbers));
        }""",
        values.tolist(),
    )
    assert found == otsu(values, 0.0)
