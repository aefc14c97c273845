"""Scores of one case: contours against each reader, and readers against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.cases.contours import Drawings
from pipeline.cases.protocol import Protocol
from pipeline.cases.readers import score_readers
from pipeline.contracts import Scored, side_of_drawing, side_of_reference
from pipeline.ground_truth.consensus import consensus
from pipeline.ground_truth.references import CaseReferences, read_case_references
from pipeline.metrics import METRICS
from pipeline.metrics.lesions import candidates, contour_scores
from pipeline.metrics.pixels import iou_curve
from pipeline.metrics.scoring import score_missing, scores_of
from pipeline.records import Candidates, Curve, Drawing, ExplainedCase, Reference, Score, Shape, scored_as


@dataclass(frozen=True, slots=True)
class CaseScores:
    """All scoring results of one case."""

    scores: tuple[Score, ...]
    candidates: tuple[Candidates, ...]
    curves: tuple[Curve, ...]


def references_of(case: ExplainedCase, protocol: Protocol) -> CaseReferences:
    """The references of each reader, from annotations and labels."""
    return read_case_references(
        case.items,
        case.labels,
        case_id=case.case_id,
        shape=case.decoded.shape,
        findings=case.findings,
        negative=(protocol.negative_reader, protocol.kind or "mask"),
    )


def score_case(
    case: ExplainedCase, drawings: Drawings, readings: CaseReferences, protocol: Protocol
) -> CaseScores:
    """Scores of every drawing against each reader and the consensus, and of readers against each other."""
    references = (
        *readings.references,
        *_consensus_references(readings.references, case.decoded.shape, protocol),
    )
    scores: list[Score] = []
    pairs: list[Candidates] = []
    curves: list[Curve] = []
    true = [side_of_reference(reference, case.decoded.shape) for reference in references]
    probability = {prediction.finding: prediction.probability for prediction in case.predictions}
    for (method, finding), drawing in drawings.items():
        drawn = side_of_drawing(drawing)
        for reference, side in zip(references, true, strict=True):
            if reference.finding != finding:
                continue
            known = (drawn, side)
            scored = Scored(drawing, reference, case.decoded.spacing_mm, protocol.tolerances, known)
            scores += scores_of(scored, method=method, metrics=_applicable_metrics(drawing, protocol))
            pairs.append(_candidates(scored, method, probability.get(finding, 1.0)))
            curve = curve_of(scored, method=method)
            curves += [curve] if curve else []
        scores += _missing(method, finding, readings, case, protocol)
    for method, finding in sorted(case.expected - drawings.keys()):
        scores += _without_map(method, finding, references, case, protocol)
        scores += _missing(method, finding, readings, case, protocol)
    scores += _reader_scores(readings.references, case, protocol)
    return CaseScores(tuple(scores), tuple(pairs), tuple(curves))


def _consensus_references(
    references: Sequence[Reference], shape: Shape, protocol: Protocol
) -> Iterator[Reference]:
    """A consensus reference per finding that several readers outlined with masks or polygons."""
    if protocol.consensus is None:
        return
    by_finding: dict[str, list[Reference]] = {}
    for reference in references:
        if scored_as(reference.kind) == "mask":
            by_finding.setdefault(reference.finding, []).append(reference)
    for readers in by_finding.values():
        if len(readers) > 1:
            yield consensus(readers, shape=shape, by=protocol.consensus)


def _applicable_metrics(drawing: Drawing, protocol: Protocol) -> Sequence[str]:
    """The metrics to compute; for contours without a map, only those that read contours."""
    if drawing.heatmap is not None:
        return protocol.metrics
    return [name for name in protocol.metrics if METRICS[name].reads == "contours"]


def curve_of(scored: Scored, *, method: str) -> Curve | None:
    """The IoU at every threshold, even if the gate is closed; None without a map or masks."""
    reference = scored.reference
    if scored.drawing.heatmap is None or not reference.masks:
        return None
    return Curve(reference.case_id, reference.finding, reference.reader, method, iou_curve(scored))


def _without_map(
    method: str, finding: str, references: Sequence[Reference], case: ExplainedCase, protocol: Protocol
) -> Iterator[Score]:
    """Undefined scores for an expected map that is missing."""
    for reference in (r for r in references if r.finding == finding):
        yield from score_missing(
            case.case_id,
            finding,
            method=method,
            reader=reference.reader,
            reason="no_heatmap",
            kind=reference.kind,
            metrics=protocol.metrics,
        )


def _candidates(scored: Scored, method: str, probability: float) -> Candidates:
    drawing = scored.drawing
    in_logits = drawing.heatmap is not None and drawing.heatmap.unit == "logit"
    scores = contour_scores(
        drawing.regions, unit="logit" if in_logits else "relative", probability=probability
    )
    return candidates(scored, method=method, scores=scores)


def _missing(
    method: str, finding: str, readings: CaseReferences, case: ExplainedCase, protocol: Protocol
) -> Iterator[Score]:
    """Undefined scores for annotations that are unreadable or missing."""
    unusable = [entry for entry in readings.unusable if entry.finding == finding]
    for entry in unusable:
        yield from score_missing(
            case.case_id,
            finding,
            method=method,
            reader=entry.reader,
            reason="annotation_unusable",
            kind=entry.kind,
            metrics=protocol.metrics,
        )
    if not unusable and all(reference.finding != finding for reference in readings.references):
        yield from score_missing(
            case.case_id,
            finding,
            method=method,
            reader=protocol.negative_reader,
            kind=protocol.kind,
            metrics=protocol.metrics,
        )


def _reader_scores(references: Sequence[Reference], case: ExplainedCase, protocol: Protocol) -> list[Score]:
    return score_readers(
        references,
        shape=case.decoded.shape,
        spacing_mm=case.decoded.spacing_mm,
        metrics=protocol.metrics,
        tolerances=protocol.tolerances,
    )
