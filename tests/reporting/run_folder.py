"""Run folder: a small, consistent synthetic audit with the files of reports/README.md."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.baselines import BASELINES
from pipeline.contours.drawing import closed_gate, draw
from pipeline.contracts import Scored
from pipeline.geometry import resized, whole
from pipeline.metrics.lesions import Rule, candidates, contour_scores, matches
from pipeline.metrics.scoring import score_drawing
from pipeline.records import (
    Box,
    Display,
    FinishedCase,
    Heatmap,
    Image,
    Peak,
    Prediction,
    Reference,
    Skipped,
    Summary,
)
from pipeline.statistics.verdict import Evidence, VerdictRow, verdict_rows
from pipeline.store.cases import SHA256, candidates_of, case_folder, read_case, write_case
from pipeline.store.pictures import write_pictures
from pipeline.store.tables import write_table

FINDINGS = ("benign", "malignant")
METHODS = ("gradcam", "location_prior", "center_prior")
HOSTILE = "<script>alert('x')</script>\"'&"
MINIMUM_AREA_PX = 4
RULE = {
    "rule": "fraction",
    "threshold": 0.6,
    "gate": "predicted",
    "probability": None,
    "filled": False,
    "words": "pixels at or above 0.6 of the map’s maximum",
}
"""Contour rule and gate of every finding, as in a manifest."""
EMPTY_IS_ZERO = {"missed": 0.0, "healthy_drawn": "counted_as_contour_on_healthy", "healthy_clear": "healthy"}
METRICS: tuple[dict[str, Any], ...] = (
    *(
        {
            "name": name,
            "title": title,
            "level": "lesion" if name in {"lesion_iou", "box_iou"} else "image",
            "against": against,
            "better": "higher",
            "unit": "",
            "emptiness": EMPTY_IS_ZERO,
        }
        for name, title, against in (
            ("iou", "Intersection over union", ["mask"]),
            ("dice", "Dice", ["mask"]),
            ("lesion_iou", "IoU per lesion", ["mask"]),
            ("box_iou", "Box IoU", ["box"]),
            ("hit", "Pointing game", ["mask"]),
            ("box_hit", "Pointing game of boxes", ["box"]),
        )
    ),
    {
        "name": "contour_on_healthy",
        "title": "Contours on healthy images",
        "level": "image",
        "against": ["mask", "box"],
        "better": "lower",
        "unit": "",
        "emptiness": {"missed": "finding_present", "healthy_drawn": 1.0, "healthy_clear": 0.0},
    },
)
SCORED = (
    ("Reader A", "iou"),
    ("Reader A", "dice"),
    ("Reader A", "lesion_iou"),
    ("Reader A", "hit"),
    ("Reader A", "contour_on_healthy"),
    ("Reader B", "box_iou"),
    ("Reader B", "box_hit"),
)
SUMMARY_COLUMNS = [
    *("finding", "reader", "method", "metric", "n", "undefined", "reasons"),
    *("patients", "estimate", "low", "high", "better", "unit"),
]
SCORE_COLUMNS = [
    *(
        "case_id",
        "patient_id",
        "finding",
        "reader",
        "method",
        "metric",
        "value",
        "undefined_because",
        "lesion",
    )
]
PREDICTION_COLUMNS = ["case_id", "patient_id", "finding", "logit", "probability", "threshold"]
SKIPPED_COLUMNS = ["subject", "stage", "reason", "message"]
CASE_COLUMNS = ["case_id", "patient_id", "frame", "rows", "columns", "spacing_row_mm", "spacing_column_mm"]

Case = dict[str, Any]


def make_run(
    folder: Path,
    *,
    cases: int = 9,
    shape: tuple[int, int] = (36, 48),
    baselines: bool = True,
    spacing: bool = True,
    labels: bool = True,
    regions: bool = True,
    vary: Callable[[FinishedCase], FinishedCase] = lambda case: case,
    display: Callable[[Any], Display] = lambda image: Display(image, 0, 255),
) -> Path:
    """A finished run: benign, malignant and healthy cases in turn; one reader draws masks, one boxes.

    `vary` may change each case; `display` is the display of an 8-bit image.
    """
    methods = METHODS if baselines else METHODS[:1]
    rng = np.random.default_rng(7)
    made = []
    for number in range(cases):
        case, image = _case(rng, number, shape, methods)
        if not spacing:
            case = replace(case, spacing_mm=None)
        if not labels:
            case = replace(case, labels=dict.fromkeys(FINDINGS))
        if not regions:
            case = replace(case, regions=(), peaks=(), scores=(), candidates=())
        made.append(_write_case(folder, vary(case), image, display(image)))
    _write_tables(folder, made, methods)
    priors = {f"{method}/{finding}": _baseline(method) for method in METHODS[1:2] for finding in FINDINGS}
    np.savez(folder / "baselines.npz", **priors, **{method: _baseline(method) for method in METHODS[2:]})
    (folder / "manifest.json").write_text(json.dumps(manifest(cases, methods)), encoding="utf-8")
    return folder


def provenance(run_id: str, **last: Any) -> dict[str, Any]:
    """The content of provenance.json after one attempt; `last` overrides facts of it."""
    host = {"system": "Debian GNU/Linux 12 (bookworm)", "machine": "x86_64", "processor": "Xeon"}
    attempt = {
        "started": "2026-11-30T19:55:01Z",
        "finished": "2026-11-30T19:56:10Z",
        "clock": "system",
        "operator": None,
        "command": ["heatproof", "audit", "--studies", "path-3f0c9a1b2c3d"],
        "version": "0.6.0",
        "commit": "1ad1ae68949588733f4572bb454db719b518e40b",
        "is_changed": False,
        "python": "CPython 3.11.7",
        "packages": {"numpy": "2.4.6"},
        "host": host | {"cores": 2, "usable_cores": 2, "memory_gib": 23.5, "accelerator": None, "threads": 1},
    }
    return {"run_id": run_id, "is_lost": False, "attempts": [attempt | last]}


def manifest(cases: int, methods: tuple[str, ...] = METHODS) -> dict[str, Any]:
    kinds = {"gradcam": ("network", "features.norm5", "logit")}
    described = [(name, *kinds.get(name, ("baseline", "", "relative"))) for name in methods]
    return {
        "run_id": "phantom-0123abcd",
        "created": "2026-11-22",
        "version": "0.1.0",
        "title": "Phantom audit",
        "findings": list(FINDINGS),
        "methods": [
            dict(zip(("name", "kind", "layer", "unit"), entry, strict=True)) | words_of(entry[0])
            for entry in described
        ],
        "config": {"studies": "/nobody/should/see/this/path"},
        "card": {
            "name": "Phantom DenseNet-121",
            "purpose": "Tells benign from malignant on phantoms.",
            "architecture": {"class": "DenseNet121", "arguments": {"in_channels": 3, "norm": None}},
            "preprocessing": {
                "channels": 3,
                "resize": "shorter side 256",
                "crop": 224,
                "intensity": "ImageNet",
            },
            "weights": "/nobody/should/see/this/path",
        },
        "weights_sha256": "ab" * 32,
        "studies": {
            "files": cases + 3,
            "images": cases + 1,
            "selected": cases,
            "audited": cases,
            "sha256": "cd" * 32,
        },
        "device": "cpu",
        "precision": "float32",
        "versions": {"python": "3.12", "torch": "2.9.0", "monai": "1.5.1", "pydicom": "3.0.1"},
        "checks": [
            {
                "name": "closed_form",
                "title": "Closed form equals autograd",
                "passed": True,
                "detail": "largest difference 3e-7",
            },
            {
                "name": "corner",
                "title": "A network that reads one corner lights that corner",
                "passed": True,
                "detail": HOSTILE,
            },
        ],
        "contours": {
            "scaling": "positive",
            "minimum_area_px": MINIMUM_AREA_PX,
            "minimum_area_mm2": 0,
            "rules": {finding: dict(RULE) for finding in FINDINGS},
        },
        "statistics": {"replicates": 500, "confidence": 0.95, "seed": 0},
        "metrics": list(METRICS),
    }


def _case(
    rng: np.random.Generator, number: int, shape: tuple[int, int], methods: tuple[str, ...]
) -> tuple[FinishedCase, Any]:
    rows, columns = shape
    case_id = f"{number:04x}{'c0ffee'}"
    present = (*FINDINGS, None)[number % 3]
    centre = np.array([0.5, 0.5]) + rng.uniform(-0.2, 0.2, 2)
    lesion = _disc(shape, centre, 0.16)
    image = rng.gamma(3, 22, shape) * (1 - 0.75 * lesion) + 12 * np.cos(np.arange(columns) / columns * 6)
    image = cv2.GaussianBlur(image.clip(0, 255).astype(np.uint8), (0, 0), max(shape) / 160)
    case = FinishedCase(
        case_id=case_id,
        patient_id=f"p{number // 2:04d}",
        frame=0,
        shape=shape,
        spacing_mm=(0.4, 0.4),
        attributes={
            "modality": "US",
            "sex": "F",
            "age": "054Y",
            "manufacturer": HOSTILE if number == 0 else "Acme",
        },
        sha256="ef" * 32,
        view=Box(-0.5, -0.5, columns, rows),
        labels={finding: int(finding == present) for finding in FINDINGS},
        predictions=(),
        heatmaps=(),
        peaks=(),
        regions=(),
        dropped=(),
        references=(),
        scores=(),
        skipped=(Skipped("annotation-1", "annotations", "mask_size", HOSTILE),) if number == 0 else (),
    )
    for finding in FINDINGS:
        logit = float(rng.normal(1.5 if finding == present else -1, 1))
        probability = 1 / (1 + np.exp(-logit))
        case = replace(
            case,
            predictions=(*case.predictions, Prediction(case_id, finding, logit, probability, 0.5)),
            references=(*case.references, *_references(case_id, finding, lesion, here=finding == present)),
        )
        looked = centre if finding == "benign" else centre + rng.choice([-1, 1], 2) * (0.28, 0.25)
        for method in methods:
            heatmap = _heatmap(case, finding, method, looked, max(logit, 0.3))
            case = _drawn_and_scored(case, heatmap)
    return case, image


def _heatmap(case: FinishedCase, finding: str, method: str, looked: Any, height: float) -> Heatmap:
    network = method == "gradcam"
    grid = _map(looked, method, height) if network else _baseline(method)
    unit = "logit" if network else "relative"
    return Heatmap(case.case_id, finding, method, grid, unit, resized(whole(case.shape), grid.shape))


def _baseline(method: str) -> Any:
    return _map(np.array([0.5, 0.5]), method, 1.0)


def _map(centre: Any, method: str, height: float) -> Any:
    grid = (9, 12)
    rows, columns = (np.arange(n)[:, None] for n in grid)
    width = 0.2 if method == "center_prior" else 0.13
    distance = ((rows + 0.5) / 9 - centre[0]) ** 2 + ((columns.T + 0.5) / 12 - centre[1]) ** 2
    return (height * np.exp(-distance / 2 / width**2) - 0.05 * height).astype(np.float32)


def _disc(shape: tuple[int, int], centre: Any, radius: float) -> Any:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows / shape[0] - centre[0]) ** 2 + (columns / shape[1] - centre[1]) ** 2 < radius**2


def _references(case_id: str, finding: str, lesion: Any, *, here: bool) -> tuple[Reference, Reference]:
    x, y, width, height = cv2.boundingRect(lesion.astype(np.uint8))
    box = Box(x - 0.5, y - 0.5, width, height)
    return (
        Reference(case_id, finding, "Reader A", "mask", masks=(lesion,) if here else ()),
        Reference(case_id, finding, "Reader B", "box", boxes=(box,) if here else ()),
    )


def _drawn_and_scored(case: FinishedCase, heatmap: Heatmap) -> FinishedCase:
    finding, method = heatmap.finding, heatmap.method
    (prediction,) = (p for p in case.predictions if p.finding == finding)
    drawing = draw(heatmap, rule="fraction", threshold=0.6) if prediction.positive else closed_gate(heatmap)
    scores = [
        score
        for reference in case.references
        if reference.finding == finding
        for score in score_drawing(drawing, reference, method=method, shape=case.shape)
        if (score.reader, score.metric) in SCORED
    ]
    pairs = [
        candidates(
            Scored(drawing, reference),
            method=method,
            scores=contour_scores(drawing.regions, unit="logit", probability=1.0),
        )
        for reference in case.references
        if reference.finding == finding
    ]
    case = replace(case, scores=(*case.scores, *scores), candidates=(*case.candidates, *pairs))
    if method in METHODS[1:]:
        return case
    row, column = drawing.peak or (0, 0)
    peak = Peak(finding, method, float(column), float(row), float(heatmap.relevance.max()))
    return replace(
        case,
        heatmaps=(*case.heatmaps, heatmap),
        peaks=(*case.peaks, peak) if drawing.peak else case.peaks,
        regions=(*case.regions, *drawing.regions),
    )


def _write_case(run: Path, case: FinishedCase, image: Any, display: Display) -> Case:
    """Write a finished case as the run's workers do, and return its JSON."""
    write_case(run, case)
    folder = case_folder(run, case.case_id)
    (folder / SHA256).unlink()
    write_pictures(run, Image(case.case_id, image / np.float32(255), None, display=display))
    written = read_case(run, case.case_id)
    assert isinstance(written, dict)
    return written


def _write_tables(folder: Path, cases: list[Case], methods: tuple[str, ...]) -> None:
    folder.mkdir(exist_ok=True)
    scores = [
        {"case_id": c["case_id"], "patient_id": c["patient_id"], **s} for c in cases for s in c["scores"]
    ]
    _write(folder / "scores.csv", SCORE_COLUMNS, scores)
    regions = [{"case_id": case["case_id"], **region} for case in cases for region in case["regions"]]
    (folder / "regions.json").write_text(json.dumps(regions), encoding="utf-8")
    summaries = _summaries(scores, methods)
    _write(folder / "summary.csv", SUMMARY_COLUMNS, [*summaries, *_classification(cases)])
    write_table(folder, "verdict.csv", map(asdict, _verdict(summaries, methods)))
    write_table(folder, "unmatched.csv", _missed(cases))
    _write(folder / "cases.csv", CASE_COLUMNS, cases)
    _write(
        folder / "predictions.csv", PREDICTION_COLUMNS, [{**c, **p} for c in cases for p in c["predictions"]]
    )
    skipped = [_skipped("annotation-1", "annotations", "mask_size", HOSTILE)] if cases else []
    skipped += [_skipped(f"file-{n}", "index", "no_pixels", "The file holds no pixels.") for n in range(2)]
    _write(folder / "skipped.csv", SKIPPED_COLUMNS, skipped)


def _missed(cases: list[Case]) -> Iterator[dict[str, Any]]:
    """The rows of unmatched.csv about missed lesions, by the default criterion."""
    for case in cases:
        for found in candidates_of(case):
            keys = {name: getattr(found, name) for name in ("case_id", "finding", "reader", "method", "kind")}
            matched = matches(found, Rule())
            missed = [number for number in range(1, found.lesions + 1) if number not in matched]
            for number in missed if found.method in METHODS[:1] else ():
                yield {**keys, "patient_id": case["patient_id"], "what": "missed_lesion", "number": number}


def words_of(method: str) -> dict[str, str]:
    """Texts that a manifest holds for a baseline in addition to its name; empty for the network's methods."""
    if method not in BASELINES:
        return {}
    baseline = BASELINES[method]
    unseen = "the network" if baseline.reads == "pixels" else "the image"
    return {"title": baseline.title, "subject": baseline.subject, "unseen": unseen}


def _verdict(rows: list[dict[str, Any]], methods: tuple[str, ...]) -> list[VerdictRow]:
    """Rows of verdict.csv for a run without comparisons: every standing is unknown."""
    summaries = [
        Summary(
            *(row[name] for name in ("finding", "reader", "method", "metric", "n")),
            undefined={},
            patients=row["patients"],
            **{name: None if row[name] == "" else row[name] for name in ("estimate", "low", "high")},
        )
        for row in rows
    ]
    return verdict_rows(Evidence(summaries, (), methods[:1], methods[1:]), FINDINGS)


def _summaries(scores: list[dict[str, Any]], methods: tuple[str, ...]) -> list[dict[str, Any]]:
    better = {metric["name"]: metric["better"] for metric in METRICS}
    grouped: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for score in scores:
        for finding in (score["finding"], "(all)"):
            grouped[finding, score["reader"], score["method"], score["metric"]].append(score)
    return [
        {**dict(zip(SUMMARY_COLUMNS, key, strict=False)), **_interval(entries), "better": better[key[3]]}
        for key, entries in grouped.items()
        if key[2] in methods
    ]


def _interval(scores: list[dict[str, Any]]) -> dict[str, Any]:
    """Estimate with a bootstrap over images, which is accurate enough for a synthetic run."""
    values = np.array([score["value"] for score in scores if score["value"] is not None])
    reasons = Counter(score["undefined_because"] for score in scores if score["value"] is None)
    row: dict[str, Any] = {
        "n": len(values),
        "undefined": sum(reasons.values()),
        "reasons": "; ".join(f"{reason}={count}" for reason, count in reasons.items()),
        "patients": len({score["patient_id"] for score in scores if score["value"] is not None}),
    }
    if not len(values):
        return {**row, "estimate": "", "low": "", "high": ""}
    drawn = np.random.default_rng(0).choice(values, (500, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {**row, "estimate": float(values.mean()), "low": float(low), "high": float(high)}


def _classification(cases: list[Case]) -> list[dict[str, Any]]:
    if not cases:
        return []
    n = len(cases)
    estimates = {
        "auroc": (0.8731, 0.8012, 0.9345),
        "sensitivity": (0.8, 0.7, 0.9),
        "specificity": (0.75, 0.66, 0.84),
    }
    return [
        dict(
            zip(
                SUMMARY_COLUMNS,
                (finding, "labels", "classifier", metric, n, 0, "", n, *numbers),
                strict=False,
            )
        )
        for finding in FINDINGS
        for metric, numbers in estimates.items()
    ]


def _skipped(subject: str, stage: str, reason: str, message: str) -> dict[str, str]:
    return {"subject": subject, "stage": stage, "reason": reason, "message": message}


def _write(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
