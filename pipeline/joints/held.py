"""Held: what was drawn on one image, held against every reader; readers against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.contracts import Drawing, Scored
from pipeline.joints.drawn import Drawn, Explained, Protocol
from pipeline.joints.references import Said
from pipeline.metrics import METRICS
from pipeline.metrics.consensus import consensus
from pipeline.metrics.curves import curve_of
from pipeline.metrics.lesions import candidates, contour_scores
from pipeline.metrics.readers import score_readers
from pipeline.metrics.scoring import score_missing, scores_of
from pipeline.records import Candidates, Curve, Reference, Score, Shape


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that came of holding drawings against references."""

    scores: tuple[Score, ...]
    candidates: tuple[Candidates, ...]
    curves: tuple[Curve, ...]


def hold(drawn: Drawn, said: Said, work: Explained, protocol: Protocol) -> Held:
    """Every drawing against each reader and the consensus of several, and the readers against each other."""
    agreed = _agreed(said.references, work.loaded.shape, protocol)
    references = (*said.references, *agreed)
    scores: list[Score] = []
    pairs: list[Candidates] = []
    curves: list[Curve] = []
    probability = {prediction.finding: prediction.probability for prediction in work.predictions}
    for (method, finding), drawing in drawn.items():
        for reference in (r for r in references if r.finding == finding):
            scored = Scored(drawing, reference, work.loaded.spacing_mm, protocol.tolerances)
            scores += scores_of(scored, method=method, metrics=_metrics(drawing, protocol))
            pairs.append(_candidates(scored, method, probability.get(finding, 1.0)))
            curve = curve_of(scored, method=method)
            curves += [curve] if curve else []
        scores += _missing(method, finding, said, work, protocol)
    for method, finding in sorted(work.expected - drawn.keys()):
        scores += _without_map(method, finding, references, work, protocol)
        scores += _missing(method, finding, said, work, protocol)
    scores += _of_readers(said.references, work, protocol)
    return Held(tuple(scores), tuple(pairs), tuple(curves))


def _agreed(references: Sequence[Reference], shape: Shape, protocol: Protocol) -> Iterator[Reference]:
    """The consensus on each finding of which several readers drew masks."""
    if protocol.consensus is None:
        return
    of_finding: dict[str, list[Reference]] = {}
    for reference in references:
        if reference.kind == "mask":
            of_finding.setdefault(reference.finding, []).append(reference)
    for voters in of_finding.values():
        if len(voters) > 1:
            yield consensus(voters, shape=shape, by=protocol.consensus)


def _metrics(drawing: Drawing, protocol: Protocol) -> Sequence[str]:
    """What can be said of a drawing: of contours without a map, nothing about a map or its peak."""
    if drawing.heatmap is not None:
        return protocol.metrics
    return [name for name in protocol.metrics if METRICS[name].reads == "contours"]


def _without_map(
    method: str, finding: str, references: Sequence[Reference], work: Explained, protocol: Protocol
) -> Iterator[Score]:
    """Undefined rows where a map that ought to be there is not."""
    for reference in (r for r in references if r.finding == finding):
        yield from score_missing(
            work.loaded.case.case_id,
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


def _missing(method: str, finding: str, said: Said, work: Explained, protocol: Protocol) -> Iterator[Score]:
    """Undefined rows where an annotation could not be read, or where there is none."""
    case_id = work.loaded.case.case_id
    lost = [who for who in said.unusable if who.finding == finding]
    for who in lost:
        yield from score_missing(
            case_id,
            finding,
            method=method,
            reader=who.reader,
            reason="annotation_unusable",
            kind=who.kind,
            metrics=protocol.metrics,
        )
    if not lost and all(reference.finding != finding for reference in said.references):
        yield from score_missing(
            case_id,
            finding,
            method=method,
            reader=protocol.negative_reader,
            kind=protocol.kind,
            metrics=protocol.metrics,
        )


def _of_readers(references: Sequence[Reference], work: Explained, protocol: Protocol) -> list[Score]:
    return score_readers(
        references,
        shape=work.loaded.shape,
        spacing_mm=work.loaded.spacing_mm,
        metrics=protocol.metrics,
        tolerances=protocol.tolerances,
    )
