"""Work: what is done to one image, before and behind the network, in a worker process. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.attribution.priors import local_contrast
from pipeline.classifiers import Preprocessing, prepare
from pipeline.errors import CaseError
from pipeline.geometry import view
from pipeline.joints.burned_in import TextSearch, searched
from pipeline.joints.drawn import Drawn, Explained, Loaded, Protocol, drawings, said_of, scaled
from pipeline.joints.held import hold
from pipeline.joints.intake import Case
from pipeline.loaders import decode
from pipeline.records import (
    Dropped,
    FinishedCase,
    Heatmap,
    Peak,
    Region,
    Skipped,
)
from pipeline.store.cases import write_case, write_skipped
from pipeline.store.pictures import write_pictures


def load_case(
    case: Case,
    *,
    preprocessing: Preprocessing,
    run: Path | None,
    contrast: bool = False,
    search: TextSearch | None = None,
) -> Loaded | Skipped:
    """The decoded and prepared image, with its picture written for the report, if there is one."""
    try:
        image = decode(case.source, case_id=case.case_id, window=preprocessing.window)
        image, cautions = searched(image, search)
        model_input = prepare(image, preprocessing)
    except CaseError as error:
        return Skipped(case.case_id, "load", error.reason, error.message)
    if run is not None:
        write_pictures(run, image)
    return Loaded(
        case=case,
        model_input=model_input,
        shape=image.shape,
        spacing_mm=image.spacing_mm,
        attributes=image.attributes,
        sha256=image.sha256,
        contrast=local_contrast(image.pixels) if contrast else None,
        cautions=cautions,
    )


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
    work = replace(work, heatmaps=tuple(scaled(h, protocol.scaling) for h in work.heatmaps))
    said = said_of(work, protocol)
    drawn = drawings(work, said.references, protocol)
    held = hold(drawn, said, work, protocol)
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
        labels={finding: work.labels.get(finding) for finding in work.findings},
        predictions=work.predictions,
        heatmaps=work.heatmaps,
        peaks=tuple(_peaks(work.heatmaps, drawn)),
        regions=tuple(_regions(drawn, of_network)),
        dropped=tuple(_dropped(drawn, of_network)),
        references=said.references,
        scores=held.scores,
        candidates=held.candidates,
        curves=held.curves,
        skipped=(*said.skipped, *work.skipped),
        object_id=loaded.case.object_id,
        cautions=loaded.cautions,
    )


def _dropped(drawn: Drawn, methods: set[str]) -> Iterator[Dropped]:
    for (method, finding), drawing in drawn.items():
        if method in methods and drawing.dropped:
            yield Dropped(finding, method, drawing.dropped)


def _peaks(heatmaps: Sequence[Heatmap], drawn: Drawn) -> Iterator[Peak]:
    for heatmap in heatmaps:
        peak = drawn[heatmap.method, heatmap.finding].peak
        if peak is not None:
            row, column = peak
            highest = float(heatmap.relevance.max())
            yield Peak(heatmap.finding, heatmap.method, float(column), float(row), highest)


def _regions(drawn: Drawn, methods: set[str]) -> Iterator[Region]:
    for (method, _), drawing in drawn.items():
        if method in methods:
            yield from drawing.regions
