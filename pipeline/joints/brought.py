"""Brought: maps that were computed elsewhere, joined with images and scored, in workers. No torch here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.annotations import read_annotation
from pipeline.attribution.priors import local_contrast
from pipeline.contracts import Loss
from pipeline.errors import CaseError
from pipeline.geometry import resized, whole
from pipeline.heatmaps import read_heatmap
from pipeline.joints.baselines import CONTRAST
from pipeline.joints.burned_in import searched
from pipeline.joints.drawn import Explained, Loaded, Protocol
from pipeline.joints.intake import Case, Pseudonym
from pipeline.joints.losses import loss_message
from pipeline.joints.naming import Names
from pipeline.joints.truth import Labels
from pipeline.joints.work import finish_case
from pipeline.loaders import decode
from pipeline.records import (
    AnnotationItem,
    Heatmap,
    HeatmapItem,
    ModelInput,
    Prediction,
    Shape,
    Skipped,
)
from pipeline.store.pictures import write_pictures

NOTHING = np.zeros((0, 0, 0), np.float32)
UNKNOWN_FINDING = (
    "{word} is none of the findings that are scored: the word itself is in crosswalk.csv; name it under "
    "heatmaps.findings, or under annotations.findings what it is called"
)
"""The name of a map's file may hold anything that somebody typed."""
SURE = 1 - 2.0**-53
"""The highest probability whose logit is finite."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Which maps belong to which image."""

    items: dict[str, tuple[HeatmapItem, ...]]
    """By case id, findings in the run's words."""
    skipped: tuple[Skipped, ...]
    names: dict[str, str]
    """Pseudonym → what a map called its image, for the crosswalk."""
    unknown_words: dict[str, str]
    """Pseudonym → what a map called its finding, which is none that is scored, for the crosswalk."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One image with its maps and what was said of it."""

    case: Case
    maps: tuple[HeatmapItem, ...]
    items: tuple[AnnotationItem, ...]
    labels: Labels


@dataclass(frozen=True, slots=True)
class Bringing:
    """What is the same for all images."""

    protocol: Protocol
    findings: tuple[str, ...]
    expected: frozenset[tuple[str, str]]
    """(method, finding) of which there is any map."""
    operating_point: float


def join_heatmaps(
    items: Sequence[HeatmapItem], cases: Sequence[Case], *, findings: Sequence[str], pseudonym: Pseudonym
) -> Joined:
    """Every map with its image; `cases` are all there are."""
    images = Names(cases)
    joined: dict[str, list[HeatmapItem]] = defaultdict(list)
    skipped: list[Skipped] = []
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    for item in items:
        subject = pseudonym("heatmap", item.image, item.frame)
        try:
            subject = images.owner(item, what="heatmap").case_id
            if item.finding not in findings:
                word = pseudonym("finding", item.finding)
                words[word] = item.finding
                skipped.append(
                    Skipped(subject, "heatmaps", "unknown_finding", UNKNOWN_FINDING.format(word=word))
                )
                continue
            _check(item, joined[subject])
            joined[subject].append(item)
        except CaseError as error:
            if subject.startswith("heatmap-"):
                names[subject] = item.image
            skipped.append(Skipped(subject, "heatmaps", error.reason, error.message))
    return Joined(
        {case_id: tuple(found) for case_id, found in joined.items() if found}, tuple(skipped), names, words
    )


def _check(item: HeatmapItem, before: Sequence[HeatmapItem]) -> None:
    """Refuse what cannot stand beside the maps of the same image."""
    same = [other for other in before if other.finding == item.finding]
    if any(other.method == item.method for other in same):
        raise CaseError("heatmap_twice", "There is another map of the same image, finding and method.")
    if any(other.probability != item.probability for other in same):
        raise CaseError(
            "probability_contradicts",
            "Maps of one finding on one image have different probabilities; score one network at a time.",
        )


def score_brought(asked: Asked, *, bringing: Bringing) -> Skipped | None:
    """Contours and scores of one image, put on disk. None, or why the image was set aside."""
    return finish_case(_explained(asked, bringing), protocol=bringing.protocol)


def lost_brought(asked: Asked, why: Loss, *, bringing: Bringing) -> Skipped | None:
    """The image whose worker died or took too much."""
    skipped = Skipped(asked.case.case_id, "score", why, loss_message("scoring", why))
    return finish_case(skipped, protocol=bringing.protocol)


def _explained(asked: Asked, bringing: Bringing) -> Explained | Skipped:
    """The image with its maps read. One map that cannot be read is left out; where none can, the image is."""
    case_id = asked.case.case_id
    try:
        loaded = _loaded(asked.case, bringing.protocol)
    except CaseError as error:
        return Skipped(case_id, "load", error.reason, error.message)
    heatmaps: list[Heatmap] = []
    skipped: list[Skipped] = []
    for item in asked.maps:
        try:
            heatmaps.append(_heatmap(item, case_id, loaded.shape))
        except CaseError as error:
            about = f"{item.finding}, {item.method}: {error.message}"
            skipped.append(Skipped(case_id, "heatmaps", error.reason, about))
    if not heatmaps:
        return replace(skipped[0], stage="explain")
    return Explained(
        loaded=loaded,
        predictions=tuple(_predictions(asked, bringing)),
        heatmaps=tuple(heatmaps),
        items=asked.items,
        labels=asked.labels,
        findings=bringing.findings,
        expected=bringing.expected,
        skipped=tuple(skipped),
    )


def _loaded(case: Case, protocol: Protocol) -> Loaded:
    image, cautions = searched(decode(case.source, case_id=case.case_id), protocol.search)
    write_pictures(protocol.run, image)
    return Loaded(
        case=case,
        model_input=ModelInput(case.case_id, NOTHING, whole(image.shape)),
        shape=image.shape,
        spacing_mm=image.spacing_mm,
        attributes=image.attributes,
        sha256=image.sha256,
        contrast=local_contrast(image.pixels) if CONTRAST in protocol.baselines else None,
        cautions=cautions,
    )


def _heatmap(item: HeatmapItem, case_id: str, shape: Shape) -> Heatmap:
    """The map on its own grid, which covers the image edge to edge."""
    if item.contours is not None:
        drawn = read_annotation(item.contours, case_id=case_id, finding=item.finding, shape=shape)
        together = np.zeros(shape, np.bool_)
        for mask in drawn.masks:
            together |= mask
        return Heatmap(
            case_id, item.finding, item.method, together.astype(np.float32), "contour", whole(shape)
        )
    relevance = read_heatmap(item, shape=shape)
    rows, columns = relevance.shape
    placement = resized(whole(shape), (rows, columns))
    return Heatmap(case_id, item.finding, item.method, relevance, "relative", placement)


def _predictions(asked: Asked, bringing: Bringing) -> Iterator[Prediction]:
    """Of the findings whose probability the files give, in the order of the findings."""
    known = {item.finding: item.probability for item in asked.maps if item.probability is not None}
    for finding in bringing.findings:
        if finding in known:
            probability = known[finding]
            within = min(max(probability, 1 - SURE), SURE)
            logit = math.log(within / (1 - within))
            yield Prediction(asked.case.case_id, finding, logit, probability, bringing.operating_point)
