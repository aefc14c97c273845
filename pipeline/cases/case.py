"""Case: the worker's steps on one image: decode before the network; draw, score and write after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.cases.baselines import image_baselines
from pipeline.cases.burned_in_text import TextSearch, search_text
from pipeline.cases.contours import Drawings, draw_contours
from pipeline.cases.fits import fits_of
from pipeline.cases.protocol import Protocol
from pipeline.cases.readers import sampling_cautions
from pipeline.cases.scores import references_of, score_case
from pipeline.classifiers import Preprocessing, coarsest_step, prepare
from pipeline.cohort.near_duplicates import look_of
from pipeline.contours.scaling import scaled
from pipeline.geometry import view, whole
from pipeline.loaders import decode as decode_image
from pipeline.records import (
    Case,
    DecodedCase,
    Dropped,
    ExplainedCase,
    FinishedCase,
    Heatmap,
    ModelInput,
    Peak,
    Region,
    Skipped,
)
from pipeline.store.cases import write_case, write_skipped
from pipeline.store.pictures import write_pictures

NO_TENSOR = np.zeros((0, 0, 0), np.float32)
"""Empty tensor, used without a network and after the network has run."""


def decode(protocol: Protocol, preprocessing: Preprocessing | None = None) -> partial[DecodedCase]:
    """`decode_case` with the settings of the run, to be called by workers."""
    return partial(
        decode_case,
        preprocessing=preprocessing,
        run=protocol.run,
        baselines=protocol.baselines,
        search=protocol.search,
        coarse=protocol.coarse,
        page=protocol.every_page,
    )


def draw_and_score(protocol: Protocol) -> partial[Skipped | None]:
    """`finish_case` with the settings of the run, to be called by workers."""
    return partial(finish_case, protocol=protocol)


def decode_case(
    case: Case,
    *,
    preprocessing: Preprocessing | None,
    run: Path | None = None,
    baselines: Sequence[str] = (),
    search: TextSearch | None = None,
    page: bool = True,
    coarse: int = 0,
) -> DecodedCase:
    """The decoded image with its model input; its pixels are written for the report of `run`.

    Without `page`, only a thumbnail is written. With `coarse`, JPEG 2000 is decoded no finer than to so
    many pixels in one of the network's, on an axis.

    Without `preprocessing`, no model input is made. Raises CaseError.
    """
    window = {} if preprocessing is None else {"window": preprocessing.window}
    shape = case.source.shape
    coarsest = coarsest_step(shape, preprocessing, samples=coarse) if coarse and preprocessing else 1
    decoded = decode_image(case.source, case_id=case.case_id, coarsest=coarsest, **window)
    image, of_text = search_text(decoded, search)
    model_input = (
        ModelInput(case.case_id, NO_TENSOR, whole(shape))
        if preprocessing is None
        else prepare(image, preprocessing, whole_shape=shape)
    )
    if run is not None:
        write_pictures(run, image, page=page)
    return DecodedCase(
        case=case,
        model_input=model_input,
        shape=shape,
        spacing_mm=image.spacing_mm,
        attributes=image.attributes,
        sha256=image.sha256,
        baselines=image_baselines(baselines, image.pixels),
        look="" if run is None else look_of(image.pixels),
        cautions=(*image.cautions, *of_text),
        directions=image.directions,
        spacing_at=image.spacing_at,
    )


def finish_case(case: ExplainedCase | Skipped, *, protocol: Protocol) -> Skipped | None:
    """Draw and score a case and write it to disk; returns why it was skipped, or None. Raises CaseError."""
    if isinstance(case, Skipped):
        write_skipped(protocol.run, case)
        return case
    write_case(protocol.run, _finished(case, protocol), page=protocol.every_page)
    return None


def _finished(case: ExplainedCase, protocol: Protocol) -> FinishedCase:
    decoded = case.decoded
    case = replace(case, heatmaps=tuple(scaled(h, protocol.scaling) for h in case.heatmaps))
    references = references_of(case, protocol)
    drawings = draw_contours(case, references.references, protocol)
    scores = score_case(case, drawings, references, protocol)
    of_network = {heatmap.method for heatmap in case.heatmaps}
    return FinishedCase(
        case_id=case.case_id,
        patient_id=decoded.case.patient_id,
        frame=decoded.case.source.frame,
        shape=decoded.shape,
        spacing_mm=decoded.spacing_mm,
        attributes=decoded.attributes,
        sha256=decoded.sha256,
        view=view(decoded.model_input.placement),
        labels={finding: case.labels.get(finding) for finding in case.findings},
        predictions=case.predictions,
        heatmaps=case.heatmaps,
        peaks=tuple(_peaks(case.heatmaps, drawings)),
        regions=tuple(_regions(drawings, of_network)),
        dropped=tuple(_dropped(drawings, of_network)),
        references=references.references,
        scores=scores.scores,
        candidates=scores.candidates,
        curves=scores.curves,
        look=decoded.look,
        fits=tuple(fits_of(case.heatmaps, references.references, decoded.shape)),
        skipped=(*references.skipped, *case.skipped),
        object_id=decoded.case.object_id,
        cautions=(*decoded.cautions, *sampling_cautions(references.references)),
        directions=decoded.directions,
        spacing_at=decoded.spacing_at,
    )


def _dropped(drawings: Drawings, methods: set[str]) -> Iterator[Dropped]:
    for (method, finding), drawing in drawings.items():
        if method in methods and drawing.dropped:
            yield Dropped(finding, method, drawing.dropped)


def _peaks(heatmaps: Sequence[Heatmap], drawings: Drawings) -> Iterator[Peak]:
    for heatmap in heatmaps:
        peak = drawings[heatmap.method, heatmap.finding].peak
        if peak is not None:
            row, column = peak
            highest = float(heatmap.relevance.max())
            yield Peak(heatmap.finding, heatmap.method, float(column), float(row), highest)


def _regions(drawings: Drawings, methods: set[str]) -> Iterator[Region]:
    for (method, _), drawing in drawings.items():
        if method in methods:
            yield from drawing.regions
