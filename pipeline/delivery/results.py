"""Results: the numbers, maps and contours of a run's cases, as exports take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.classifiers.finding_codes import FindingCode
from pipeline.exports.codes import free_text
from pipeline.exports.study import (
    Agreement,
    Concept,
    ContourOverlap,
    ExportedFinding,
    ExportedFrame,
    ExportedRun,
    ReaderMarks,
)
from pipeline.geometry import resample_to_image
from pipeline.guards.yaml_models import validated
from pipeline.records import Heatmap, Region
from pipeline.reporting.figures.colour_maps import Shading, overlaid
from pipeline.reporting.figures.lettering import Lettering
from pipeline.reporting.figures.panels import picture_of
from pipeline.reporting.figures.stored import gate_is_open, readings, stored_map
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.run.redrawing import redrawn
from pipeline.run_files.damage import damaged

HASH_DIGITS = 12
"""Of the weights' SHA-256, as the version of the model."""
IOU = "iou"
FOUND_TEXT = "burned_in_text"
TEXT = frozenset({FOUND_TEXT, "burned_in_text_by_header", "text_not_looked_for"})
"""Reasons of cautions of images whose pixels may hold text."""


def exported_run(run: RunFolder) -> ExportedRun:
    """What all objects of the run share."""
    manifest = run.manifest
    card: Mapping[str, Any] = manifest.get("card", {})
    weights = str(manifest.get("weights_sha256") or "")
    stated: Mapping[str, Any] = card.get("codes") or {}
    source = f"{run.path / 'manifest.json'}: card"
    return ExportedRun(
        run_id=manifest["run_id"],
        created=manifest["created"],
        version=manifest.get("version", __version__),
        model=card.get("name", "external maps"),
        model_version=weights[:HASH_DIGITS] or "unknown",
        weights_sha256=weights,
        findings={finding: _concept(finding, stated.get(finding), source) for finding in run.findings},
        verdicts=manifest.get("verdict", {}),
        methods=tuple(method.name for method in run.methods if not method.is_baseline),
        font=Lettering.bundled().content,
    )


def exported_frame(
    run: RunFolder,
    case_id: str,
    *,
    worst: frozenset[str],
    disputed: frozenset[str],
    pseudonymous: bool = False,
) -> ExportedFrame:
    """The results on one case. Raises ConfigError if its files are damaged.

    `pseudonymous`: pixels in which the run found text are not shown, because it may be the patient's name.
    """
    case = run.case(case_id)
    why_no_picture = _why_no_picture(run, case, pseudonymous=pseudonymous)
    spacing = case["spacing_mm"]
    return ExportedFrame(
        case_id=case_id,
        frame=case["frame"],
        shape=(case["rows"], case["columns"]),
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        findings=tuple(_finding(run, case, finding) for finding in run.findings),
        picture=None if why_no_picture else partial(picture_of, run, case),
        overlay=partial(_overlaid, run, case),
        why_no_picture=why_no_picture,
        is_worst=case_id in worst,
        is_disputed=case_id in disputed,
    )


def _why_no_picture(run: RunFolder, case: Case, *, pseudonymous: bool) -> str:
    if not run.has_page(case["case_id"]):
        return "the run holds no pixels of it; give it a page (report.cases) and run the audit again"
    is_blanked = bool(run.manifest.get("config", {}).get("burned_in_text", {}).get("mask"))
    shows_text = TEXT - {FOUND_TEXT} if is_blanked else TEXT
    if pseudonymous and any(caution["reason"] in shows_text for caution in case.get("cautions", ())):
        return (
            "its pixels may hold text, such as a name, which pseudonyms do not replace; audit with "
            "burned_in_text.mask: true, or blank it in the file"
        )
    return ""


def _concept(finding: str, stated: Any, source: str) -> Concept:
    """The code of a finding on the card, or one made of its name. Raises ConfigError for a damaged card."""
    if stated is None:
        return free_text(finding)
    code = validated(FindingCode, stated, source=f"{source}: codes.{finding}")
    return Concept(code.scheme, code.value, code.meaning)


def _finding(run: RunFolder, case: Case, finding: str) -> ExportedFinding:
    methods = [method.name for method in run.methods if not method.is_baseline]
    maps = [found for name in methods if (found := stored_map(run, case, finding, name)) is not None]
    prediction = next((entry for entry in case["predictions"] if entry["finding"] == finding), None)
    return ExportedFinding(
        finding=finding,
        probability=prediction and prediction["probability"],
        threshold=prediction and prediction["threshold"],
        label=case["labels"].get(finding),
        contours=tuple(region for heatmap in maps for region in _contours(run, case, heatmap)),
        maps=tuple(heatmap for heatmap in maps if heatmap.unit != "contour"),
        agreements=tuple(_agreements(case["scores"], finding, methods)),
        overlaps=tuple(_overlaps(case.get("candidates", ()), finding, methods)),
        readers=tuple(
            ReaderMarks(reading.reader, reading.outlines, reading.points)
            for reading in readings(case, finding, _readers(case))
            if reading.is_there
        ),
    )


def _readers(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry["reader"] for entry in case["references"]))


def _overlaid(run: RunFolder, case: Case, finding: str, method: str, colours: str) -> NDArray[np.uint8]:
    picture, heatmap = picture_of(run, case), stored_map(run, case, finding, method)
    if heatmap is None:
        return picture
    placed = resample_to_image(np.maximum(heatmap.relevance, np.float32(0)), heatmap.placement)
    top = float(max(heatmap.relevance.max(), 0))
    return overlaid(picture, placed, top=top, shading=Shading(colours=colours))


def _contours(run: RunFolder, case: Case, heatmap: Heatmap) -> tuple[Region, ...]:
    """The contours of a map, drawn again by the run's rule: the run keeps their outlines, not their pixels.

    Raises ConfigError if they are not those that the run scored.
    """
    if not gate_is_open(run, case, heatmap.finding):
        return ()
    found = redrawn(run, case, heatmap).regions
    scored = [
        entry["area_px"]
        for entry in case["regions"]
        if (entry["finding"], entry["method"]) == (heatmap.finding, heatmap.method)
    ]
    if [region.area_px for region in found] != scored:
        raise damaged(
            run.case_folder(case["case_id"]) / "heatmaps.npz",
            f"the map '{heatmap.method}/{heatmap.finding}' gives other contours than the run scored",
        )
    return found


def _agreements(
    scores: Iterable[Mapping[str, Any]], finding: str, methods: Iterable[str]
) -> Iterator[Agreement]:
    known = set(methods)
    for score in scores:
        if score["finding"] == finding and score["metric"] == IOU and score["method"] in known:
            yield Agreement(
                score["method"], score["reader"], score["value"], score.get("undefined_because") or ""
            )


def _overlaps(
    candidates: Iterable[Mapping[str, Any]], finding: str, methods: Iterable[str]
) -> Iterator[ContourOverlap]:
    """The contours of each map compared with the lesions of each reader, one by one."""
    known = set(methods)
    for entry in candidates:
        if entry["finding"] == finding and entry["method"] in known:
            for number, ious in enumerate(entry["affinity"].get(IOU, ())):
                yield ContourOverlap(entry["method"], number, entry["reader"], tuple(ious))
