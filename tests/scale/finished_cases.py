"""Finished cases: the files of as many images as wanted, without images, of realistic statistics.

Fourteen findings, 1 … 14 % of the images with each; a network's map and three baselines; one reader, and on
every tenth image three. Contours are drawn where the network calls a finding. An image has the files of one
that has no page: `case.json.gz`, raw maps and a thumbnail.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.metrics.pixels import LEVELS
from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Case, Display, Image, ImageSource
from pipeline.store.cases import PACKING, case_folder
from pipeline.store.pictures import thumbnail

FINDINGS = tuple(f"finding {number}" for number in range(1, 15))
NETWORK, BASELINES = "gradcam", ("location_prior", "center_prior", "random")
METHODS = (NETWORK, *BASELINES)
READERS = ("anna", "ben", "cleo")
SEVERAL = 10
"""One image of so many has three readers."""
IMAGES_OF_A_PATIENT = 1.5
SIDE, GRID = 64, (7, 7)
"""Rows and columns of an image, and of its maps."""
PICTURES = 16
"""Number of different thumbnails and sets of maps."""
CORNERS = 40
"""Of an outline."""
THRESHOLD = 0.5
RANKS = 0.55
MEASURED = (
    "iou",
    "dice",
    "precision",
    "recall",
    "lesion_iou",
    "lesion_dice",
    "hit",
    "near_hit",
    "energy_inside",
)
CRITERIA = ("iou", "box_iou", "centre_hit", "point_in_mask")
VIEWS, SEXES, MAKERS = ("PA", "AP", "LL"), ("F", "M"), ("Acme", "Bolt", "Cadmium")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A lesion of one image, and what was drawn."""

    overlap: float
    """IoU of the contour; 0 without one."""
    is_hit: bool
    score: float
    """Of the contour."""
    is_drawn: bool
    share: float
    """Area of the lesion as a share of the image."""


def cases_of(count: int) -> list[Case]:
    """The cases that a study set of so many images would have, in the order of a run."""
    return [
        Case(f"case-{number:012x}", _patient(number), ImageSource(f"/studies/{number}.dcm", f"{number}.dcm",
             "", "", 0, 1, (64, 64), 1, 1))
        for number in range(count)
    ]  # fmt: skip


def _patient(number: int) -> str:
    return f"patient-{int(number / IMAGES_OF_A_PATIENT):012x}"


def packed_case(run: Path, number: int) -> Path:
    """The JSON of an image, which is written last."""
    return case_folder(run, f"case-{number:012x}") / "case.json.gz"


def write_finished(run: Path, numbers: Sequence[int]) -> None:
    """Write the files of the images with these numbers, each from its own seed."""
    for number in numbers:
        path = packed_case(run, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "heatmaps.npz").write_bytes(_heatmaps(number % PICTURES))
        (path.parent / "thumbnail.jpg").write_bytes(_thumbnail(number % PICTURES))
        path.write_bytes(gzip.compress(case_text(number).encode(), PACKING, mtime=0))


def image_of(number: int) -> Image:
    """What is shown of an image on its page."""
    values = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE), np.uint8)
    return Image(f"case-{number:012x}", values / np.float32(255), None, display=Display(values, 0, 255))


@cache
def _thumbnail(number: int) -> bytes:
    display = image_of(number).display
    assert display is not None
    return thumbnail(display)


@cache
def _heatmaps(number: int) -> bytes:
    """Maps of every finding; few images are different, because packing them takes longer than all else."""
    random, file = np.random.default_rng(number), io.BytesIO()
    maps = {f"{NETWORK}/{finding}": random.random(GRID, np.float32) for finding in FINDINGS}
    np.savez_compressed(file, **maps)
    return file.getvalue()


def case_text(number: int) -> str:
    """The JSON of one image."""
    random = np.random.default_rng(number)
    present = random.random(len(FINDINGS)) < np.arange(1, len(FINDINGS) + 1) / 100
    logit = random.normal(np.where(present, 1.0, -2.0), 1.0)
    probability = 1 / (1 + np.exp(-logit))
    readers = READERS if number % SEVERAL == 0 else READERS[:1]
    parts: dict[str, list[str]] = {"scores": [], "candidates": [], "curves": [], "fits": []}
    for finding, is_present, chance in zip(FINDINGS, present.tolist(), probability.tolist(), strict=True):
        is_called = chance >= THRESHOLD
        for reader in readers:
            share = 0.2 * random.beta(0.5, 1)
            for method in METHODS:
                if not is_present:
                    found = _healthy(finding, reader, method, is_called)
                else:
                    skill = 0.5 if method == NETWORK else 0.25
                    overlap, height = random.beta(2 * skill, 1, size=2).tolist()
                    lesion = Drawn(overlap, overlap > 0.3, chance * height, is_called, share)
                    found = _with_lesion(finding, reader, method, lesion)
                for name, text in found.items():
                    if text:
                        parts[name].append(text)
        if len(readers) > 1:
            parts["scores"].append(_agreement(finding, random.beta(4, 1), is_present=is_present))
    facts = _facts(number, random)
    facts["labels"] = dict(zip(FINDINGS, map(int, present), strict=True))
    facts["predictions"] = [
        {"finding": finding, "logit": one, "probability": chance, "threshold": THRESHOLD}
        for finding, one, chance in zip(FINDINGS, logit.tolist(), probability.tolist(), strict=True)
    ]
    facts["regions"] = [_region(finding, random) for finding in np.array(FINDINGS)[probability >= THRESHOLD]]
    facts["references"] = [
        _reference(finding, reader, random, is_present=is_present)
        for finding, is_present in zip(FINDINGS, present.tolist(), strict=True)
        for reader in readers
    ]
    lists = ", ".join(f'"{name}": [{", ".join(texts)}]' for name, texts in parts.items())
    return f"{json.dumps(facts)[:-1]}, {lists}}}"


def _facts(number: int, random: np.random.Generator) -> dict[str, Any]:
    return {
        "case_id": f"case-{number:012x}",
        "patient_id": _patient(number),
        "object_id": "",
        "frame": 0,
        "rows": SIDE,
        "columns": SIDE,
        "spacing_mm": [0.5, 0.5],
        "attributes": {
            "modality": "DX",
            "view": VIEWS[number % len(VIEWS)],
            "sex": SEXES[number % len(SEXES)],
            "age": f"{20 + number % 60:03}",
            "manufacturer": MAKERS[number % len(MAKERS)],
        },
        "view": [-0.5, -0.5, SIDE, SIDE],
        "maps": _maps(),
        "peaks": [],
        "dropped": [],
        "skipped": [],
        "cautions": [],
        "look": random.bytes(8 + SIDE * SIDE // 8).hex(),
    }


def _region(finding: str, random: np.random.Generator) -> dict[str, Any]:
    return {
        "finding": finding, "method": NETWORK, "rule": "fraction", "level": 0.6, "unit": "logit",
        "area_px": 300, "area_mm2": 75.0, "peak": 1.0, "outlines": [_outline(random)],
    }  # fmt: skip


def _reference(finding: str, reader: str, random: np.random.Generator, *, is_present: bool) -> dict[str, Any]:
    outlines = [_outline(random)] if is_present else []
    return {
        "finding": finding, "reader": reader, "kind": "mask", "outlines": outlines, "boxes": [], "points": [],
    }  # fmt: skip


def _outline(random: np.random.Generator) -> list[list[float]]:
    """About a circle."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = SIDE / 8 * (1 + 0.1 * random.random(CORNERS))
    circle = radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points: list[list[float]] = (circle + SIDE * random.uniform(0.25, 0.75, 2)).round(2).tolist()
    return points


@cache
def _maps() -> list[dict[str, Any]]:
    return [
        {"finding": finding, "method": NETWORK, "grid": GRID, "scale": [9.1, 9.1], "offset": [4.0, 4.0],
         "overhang": [[0.5, 0.5], [0.5, 0.5]], "maximum": 1.0}
        for finding in FINDINGS
    ]  # fmt: skip


@cache
def _healthy(finding: str, reader: str, method: str, is_called: bool) -> Mapping[str, str]:  # noqa: FBT001
    """What an image without the finding adds; a contour is drawn if the network calls it."""
    why = "counted_as_contour_on_healthy" if is_called else "healthy"
    rows = [_score(finding, reader, method, name, None, why) for name in MEASURED]
    rows.append(_score(finding, reader, method, "contour_on_healthy", float(is_called), ""))
    of = {"finding": finding, "reader": reader, "method": method, "kind": "mask", "lesions": 0}
    empty: list[list[float]] = [[]] if is_called else []
    candidates = {
        **of, "scores": [0.5] if is_called else [], "affinity": dict.fromkeys(CRITERIA, empty), "shares": [],
        "areas_mm2": [],
    }  # fmt: skip
    return {"scores": json.dumps(rows)[1:-1], "candidates": json.dumps(candidates)}


def _with_lesion(finding: str, reader: str, method: str, lesion: Drawn) -> Mapping[str, str]:
    """What an image with one lesion adds."""
    overlap = lesion.overlap if lesion.is_drawn else 0.0
    values = {"iou": overlap, "hit": float(lesion.is_hit), "near_hit": float(lesion.is_hit)}
    rows = [
        _score(finding, reader, method, name, values.get(name, overlap**0.5), "",
               lesion=1 if name.startswith("lesion_") else None)
        for name in MEASURED
    ]  # fmt: skip
    rows.append(_score(finding, reader, method, "contour_on_healthy", None, "finding_present"))
    of = {"finding": finding, "reader": reader, "method": method}
    fits = [[overlap]] if lesion.is_drawn else []
    candidates = {
        **of, "kind": "mask", "lesions": 1, "scores": [lesion.score] if lesion.is_drawn else [],
        "affinity": dict.fromkeys(CRITERIA, fits), "shares": [lesion.share],
        "areas_mm2": [lesion.share * 1024],
    }  # fmt: skip
    curve = {**of, "ious": [overlap * (1 - abs(level - 0.5)) for level in LEVELS]}
    ranks = [RANKS + 0.4 * overlap] + [RANKS] * (len(TRANSFORMS) - 1)
    fit = {**of, "output": finding, "ranks": ranks, "hits": [float(lesion.is_hit)] * len(ranks)}
    others = [
        {**of, "output": other, "ranks": [RANKS], "hits": [0.0]} for other in FINDINGS if other != finding
    ]
    return {
        "scores": json.dumps(rows)[1:-1],
        "candidates": json.dumps(candidates),
        "curves": json.dumps(curve),
        "fits": json.dumps([fit, *others] if method == NETWORK else [fit])[1:-1],
    }


def _agreement(finding: str, overlap: float, *, is_present: bool) -> str:
    """Scores of readers against each other."""
    rows = [
        _score(finding, one, f"reader {other}", name, float(overlap) if is_present else None,
               "" if is_present else "healthy")
        for one in READERS
        for other in READERS
        if one != other
        for name in ("iou", "hit")
    ]  # fmt: skip
    return json.dumps(rows)[1:-1]


def _score(
    finding: str,
    reader: str,
    method: str,
    metric: str,
    value: float | None,
    why: str,
    *,
    lesion: int | None = None,
) -> dict[str, Any]:
    return {
        "finding": finding, "reader": reader, "method": method, "metric": metric, "value": value,
        "undefined_because": why, "lesion": lesion,
    }  # fmt: skip
