"""Page: the worker's step on an image that is chosen for a page: its pixels, and its data for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.cases.burned_in_text import search_text
from pipeline.cases.protocol import Protocol
from pipeline.errors import CaseError
from pipeline.ground_truth.references import read_case_references
from pipeline.loaders import decode
from pipeline.records import AnnotationItem, Case, Skipped
from pipeline.reporting.figures.stored import heatmaps_of
from pipeline.run_files.arrays import read_maps
from pipeline.store.cases import case_folder, pack_case, read_case, write_page_data
from pipeline.store.pictures import write_pictures


@dataclass(frozen=True, slots=True)
class PagedCase:
    """An image that gets a page, with its annotations and labels."""

    case: Case
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]

    @property
    def case_id(self) -> str:
        """The image's pseudonym."""
        return self.case.case_id


def draw_pages(protocol: Protocol, findings: Sequence[str], window: Any = None) -> partial[None]:
    """`draw_page` with the settings of the run, to be called by workers."""
    return partial(draw_page, protocol=protocol, findings=tuple(findings), window=window)


def draw_page(found: PagedCase, *, protocol: Protocol, findings: Sequence[str], window: Any = None) -> None:
    """Write the files of a finished case that its page loads, as if every image had a page.

    `window`: of the preprocessing; None without a network. Raises CaseError if the image cannot be read.
    """
    case_id = found.case_id
    content = read_case(protocol.run, case_id)
    if isinstance(content, Skipped):
        return
    asked = {} if window is None else {"window": window}
    image, _ = search_text(decode(found.case.source, case_id=case_id, **asked), protocol.search)
    references = read_case_references(
        found.items,
        found.labels,
        case_id=case_id,
        shape=image.shape,
        findings=findings,
        negative=(protocol.negative_reader, protocol.kind or "mask"),
    ).references
    if [(one.finding, one.reader) for one in references] != [
        (one["finding"], one["reader"]) for one in content["references"]
    ]:
        raise CaseError(
            "annotations_changed", "the annotations can no longer be read as they were when they were scored"
        )
    maps = read_maps(case_folder(protocol.run, case_id) / "heatmaps.npz")
    write_pictures(protocol.run, image)
    write_page_data(protocol.run, content, heatmaps_of(content, maps), references)


def remove_pages(protocol: Protocol, window: Any = None) -> partial[None]:
    """`remove_page` with the settings of the run, to be called by workers."""
    return partial(remove_page, protocol=protocol, window=window)


def remove_page(case: Case, *, protocol: Protocol, window: Any = None) -> None:
    """Compress a finished case, and draw its thumbnail smaller, as of an image that never had a page.

    Raises CaseError if the image cannot be read, whose thumbnail stays as it is.
    """
    pack_case(protocol.run, case.case_id)
    asked = {} if window is None else {"window": window}
    image, _ = search_text(decode(case.source, case_id=case.case_id, **asked), protocol.search)
    write_pictures(protocol.run, image, page=False)
