"""Work: what is done to one image, before and behind the network, in a worker process. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from pipeline.annotations import read_annotation
from pipeline.classifiers import Preprocessing, prepare
from pipeline.contours.drawing import closed_gate, draw
from pipeline.contracts import Drawing
from pipeline.errors import CaseError
from pipeline.geometry import resized, view, whole
from pipeline.joints.intake import Case
from pipeline.loaders import decode
from pipeline.metrics.scoring import score_drawing, score_missing
from pipeline.records import (
    AnnotationItem,
    FinishedCase,
    Heatmap,
    Image,
    Intensity,
    ModelInput,
    Peak,
    Prediction,
    Reference,
    Region,
    Score,
    Shape,
    Skipped,
)
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import case_folder, write_case, write_skipped

PNG_EFFORT = 1
"""Of 9. Pictures are written once and looked at now and then: speed before size."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image as far as it is needed behind the network, with what the network takes."""

    case: Case
    model_input: ModelInput
    shape: Shape
    spacing_mm: tuple[float, float] | None
    attributes: Mapping[str, str]
    sha256: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """How heatmaps become contours, in which findings, and against what they are held."""

    run: Path
    rule: str
    threshold: float
    gate: Literal["predicted", "all", "annotated"]
    minimum_area_px: int
    minimum_area_mm2: float
    kind: Literal["mask", "box"] | None
    """What the study set's annotations are; None where there are both or none."""
    negative_reader: str
    """Who says that a finding is absent where only the label says so."""
    baselines: tuple[str, ...] = ()
    """Methods whose maps are in the run's `baselines.npz`."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An image with all that the network and the annotators say of it."""

    loaded: Loaded
    predictions: tuple[Prediction, ...]
    heatmaps: tuple[Heatmap, ...]
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]


def load_case(case: Case, *, preprocessing: Preprocessing, run: Path) -> Loaded | Skipped:
    """The decoded and prepared image, with its picture written for the report."""
    try:
        image = decode(case.source, case_id=case.case_id, window=preprocessing.window)
        model_input = prepare(image, preprocessing)
    except CaseError as error:
        return Skipped(case.case_id, "load", error.reason, error.message)
    _write_picture(run, image)
    return Loaded(case, model_input, image.shape, image.spacing_mm, image.attributes, image.sha256)


def finish_case(work: Explained | Skipped, *, protocol: Protocol) -> Skipped | None:
    """Contours and scores of one image, put on disk. None, or why the image was set aside."""
    if isinstance(work, Skipped):
        write_skipped(protocol.run, work)
        return work
    try:
        finished = _audited(work, protocol)
    except CaseError as error:
        skipped = Skipped(work.loaded.case.case_id, "score", error.reason, error.message)
        write_skipped(protocol.run, skipped)
        return skipped
    write_case(protocol.run, finished)
    return None


def _audited(work: Explained, protocol: Protocol) -> FinishedCase:
    loaded = work.loaded
    references, skipped = _references(work, protocol)
    drawn = {
        (heatmap.method, heatmap.finding): _drawing(heatmap, work, references, protocol)
        for heatmap in (*work.heatmaps, *_baselines(work, protocol))
    }
    scores = [
        score
        for (method, finding), drawing in drawn.items()
        for score in _scores(drawing, method, finding, work, references, protocol)
    ]
    of_network = {heatmap.method for heatmap in work.heatmaps}
    return FinishedCase(
        case_id=loaded.case.case_id,
        patient_id=loaded.case.patient_id,
        frame=loaded.case.source.frame,
        shape=loaded.shape,
        spacing_mm=loaded.spacing_mm,
        attributes=loaded.attributes,
        sha256=loaded.sha256,
        view=view(loaded.model_input.placement),
        labels={p.finding: work.labels.get(p.finding) for p in work.predictions},
        predictions=work.predictions,
        heatmaps=work.heatmaps,
        peaks=tuple(_peaks(work.heatmaps, drawn)),
        regions=tuple(_regions(drawn, of_network)),
        references=tuple(references),
        scores=tuple(scores),
        skipped=tuple(skipped),
    )


def _references(work: Explained, protocol: Protocol) -> tuple[list[Reference], list[Skipped]]:
    """What each reader says of each finding, and annotations that do not fit.

    Where a part of what a reader drew of a finding cannot be used, the rest is no reference either: a contour
    on the missing lesion would count as wrong. A finding that the label calls absent, and that nobody
    annotated, is a reference that says "not there".
    """
    case_id, shape = work.loaded.case.case_id, work.loaded.shape
    found: dict[tuple[str, str], Reference] = {}
    unusable: set[tuple[str, str]] = set()
    skipped = []
    for item in work.items:
        key = (item.finding or "", item.reader)
        try:
            reference = read_annotation(item, case_id=case_id, finding=item.finding or "", shape=shape)
            _check_absence(item, reference)
            found[key] = _joined(found[key], reference) if key in found else reference
        except CaseError as error:
            skipped.append(Skipped(case_id, "annotations", error.reason, error.message))
            unusable.add(key)
    annotated = {item.finding for item in work.items}
    for prediction in work.predictions:
        if work.labels.get(prediction.finding) == 0 and prediction.finding not in annotated:
            absent = Reference(case_id, prediction.finding, protocol.negative_reader, protocol.kind or "mask")
            found[prediction.finding, absent.reader] = absent
    return [reference for key, reference in found.items() if key not in unusable], skipped


def _check_absence(item: AnnotationItem, reference: Reference) -> None:
    if item.absent and (reference.masks or reference.boxes):
        message = "an annotation shows a finding, but the image's labels say that there is none"
        raise CaseError("annotation_without_label", message)


def _joined(first: Reference, second: Reference) -> Reference:
    """Two annotations of the same finding by the same reader as one."""
    if first.kind != second.kind:
        raise CaseError("mixed_annotations", f"'{first.finding}' has masks and boxes by one reader")
    return replace(first, masks=(*first.masks, *second.masks), boxes=(*first.boxes, *second.boxes))


def _drawing(
    heatmap: Heatmap, work: Explained, references: Sequence[Reference], protocol: Protocol
) -> Drawing:
    if not _gate_is_open(heatmap.finding, work, references, protocol):
        return closed_gate(work.loaded.shape)
    return draw(
        heatmap,
        rule=protocol.rule,
        threshold=protocol.threshold,
        minimum_area_px=protocol.minimum_area_px,
        minimum_area_mm2=protocol.minimum_area_mm2,
        spacing_mm=work.loaded.spacing_mm,
    )


def _gate_is_open(finding: str, work: Explained, references: Sequence[Reference], protocol: Protocol) -> bool:
    """Whether contours are drawn for a finding; "annotated" opens for annotated and predicted findings."""
    if protocol.gate == "all":
        return True
    predicted = any(p.positive for p in work.predictions if p.finding == finding)
    if protocol.gate == "predicted":
        return predicted
    return predicted or any((r.masks or r.boxes) for r in references if r.finding == finding)


def _scores(
    drawing: Drawing,
    method: str,
    finding: str,
    work: Explained,
    references: Sequence[Reference],
    protocol: Protocol,
) -> Iterator[Score]:
    of_finding = [r for r in references if r.finding == finding]
    for reference in of_finding:
        yield from score_drawing(drawing, reference, method=method, shape=work.loaded.shape)
    if not of_finding:
        case_id, reader = work.loaded.case.case_id, protocol.negative_reader
        yield from score_missing(case_id, finding, method=method, reader=reader, kind=protocol.kind)


def _peaks(heatmaps: Sequence[Heatmap], drawn: Mapping[tuple[str, str], Drawing]) -> Iterator[Peak]:
    for heatmap in heatmaps:
        peak = drawn[heatmap.method, heatmap.finding].peak
        if peak is not None:
            row, column = peak
            highest = float(heatmap.relevance.max())
            yield Peak(heatmap.finding, heatmap.method, float(column), float(row), highest)


def _regions(drawn: Mapping[tuple[str, str], Drawing], methods: set[str]) -> Iterator[Region]:
    for (method, _), drawing in drawn.items():
        if method in methods:
            yield from drawing.regions


def _baselines(work: Explained, protocol: Protocol) -> Iterator[Heatmap]:
    """The baselines' maps, laid over the whole image."""
    maps = _baseline_maps(protocol.run / "baselines.npz") if protocol.baselines else {}
    for method in protocol.baselines:
        for prediction in work.predictions:
            relevance = maps.get(f"{method}/{prediction.finding}")
            if relevance is not None:
                rows, columns = relevance.shape
                yield Heatmap(
                    case_id=prediction.case_id,
                    finding=prediction.finding,
                    method=method,
                    relevance=relevance,
                    unit="relative",
                    placement=resized(whole(work.loaded.shape), (rows, columns)),
                )


@lru_cache(maxsize=1)
def _baseline_maps(path: Path) -> dict[str, Intensity]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _write_picture(run: Path, image: Image) -> None:
    """The image as 8-bit grey PNG at its own resolution."""
    grey = np.rint(image.pixels * 255).astype(np.uint8)
    _, png = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, PNG_EFFORT])
    write_bytes(case_folder(run, image.case_id) / "image.png", png.tobytes())
