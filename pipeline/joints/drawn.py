"""Drawn: what the network's maps and the baselines draw on one image. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from pipeline.attribution.priors import uniform_random
from pipeline.contours.drawing import closed_gate, draw
from pipeline.contracts import Drawing, Tolerances
from pipeline.geometry import resized, whole
from pipeline.joints.baselines import CONTRAST, RANDOM
from pipeline.joints.burned_in import TextSearch
from pipeline.joints.intake import Case
from pipeline.joints.references import Said, read_references
from pipeline.metrics import DEFAULT
from pipeline.metrics.consensus import Agreement
from pipeline.records import (
    AnnotationItem,
    Caution,
    Heatmap,
    Intensity,
    ModelInput,
    Prediction,
    Reference,
    Shape,
    Skipped,
)

INSIDE = 0.5
"""Level of maps that are 1 inside contours and 0 outside."""
Drawn: TypeAlias = Mapping[tuple[str, str], Drawing]
"""(method, finding) → what was drawn."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image as far as it is needed behind the network, with what the network takes."""

    case: Case
    model_input: ModelInput
    """Behind the network its tensor is empty: only the placement is needed there."""
    shape: Shape
    spacing_mm: tuple[float, float] | None
    attributes: Mapping[str, str]
    sha256: str
    contrast: Intensity | None = None
    """The baseline of that name, made where the pixels are at hand; None where it is not asked for."""
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """How the map of a finding becomes contours."""

    rule: str
    threshold: float
    gate: Literal["predicted", "all", "annotated"]
    """For which images: "annotated" opens for annotated and for predicted findings."""
    probability: float | None = None
    """From which on the gate takes a finding for predicted; None: the network's operating point."""
    filled: bool = False
    """Whether the holes of a contour belong to it."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How heatmaps become contours, and against what they are held."""

    run: Path
    cut: Cut
    """Of every finding that is not in `cuts`."""
    minimum_area_px: int
    minimum_area_mm2: float
    kind: Literal["mask", "box"] | None
    """What the study set's annotations are; None where there are both or none."""
    negative_reader: str
    """Who says that a finding is absent where only the label says so."""
    cuts: tuple[tuple[str, Cut], ...] = ()
    """Finding → its own."""
    baselines: tuple[str, ...] = ()
    """Methods whose maps are in the run's `baselines.npz`, or are made of each image."""
    metrics: tuple[str, ...] = DEFAULT
    tolerances: Tolerances = Tolerances()  # noqa: RUF009  frozen
    scaling: Literal["positive", "minmax"] = "positive"
    """What of a map is drawn: its positive part, or all of it between its minimum, 0, and maximum, 1."""
    consensus: Agreement | None = "majority"
    """How several readers of one finding become one more reader."""
    search: TextSearch | None = None
    """For text that is burned into pictures."""

    def cut_of(self, finding: str) -> Cut:
        """How maps of a finding become contours."""
        return dict(self.cuts).get(finding, self.cut)


@dataclass(frozen=True, slots=True)
class Explained:
    """An image with all that the network and the annotators say of it."""

    loaded: Loaded
    predictions: tuple[Prediction, ...]
    """Of the findings whose probability is known."""
    heatmaps: tuple[Heatmap, ...]
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]
    findings: tuple[str, ...]
    """All, in the order of tables."""
    expected: frozenset[tuple[str, str]] = frozenset()
    """(method, finding) of maps that ought to be there; of those that are not, every score is undefined."""
    skipped: tuple[Skipped, ...] = ()
    """Maps of this image that could not be used."""


def said_of(work: Explained, protocol: Protocol) -> Said:
    """What the annotators said of an image, read."""
    return read_references(
        work.items,
        work.labels,
        case_id=work.loaded.case.case_id,
        shape=work.loaded.shape,
        findings=work.findings,
        negative=(protocol.negative_reader, protocol.kind or "mask"),
    )


def drawings(work: Explained, references: Sequence[Reference], protocol: Protocol) -> Drawn:
    """What is drawn for every method and finding, the network's first, then the baselines'."""
    said = {p.finding: p for p in work.predictions}
    opened = {f: _gate_is_open(f, said.get(f), references, protocol) for f in work.findings}
    drawn: dict[tuple[str, str], Drawing] = {}
    for heatmap in work.heatmaps:
        drawing = (
            _draw(heatmap, protocol, protocol.cut_of(heatmap.finding), work.loaded.spacing_mm)
            if opened[heatmap.finding]
            else closed_gate(heatmap)
        )
        if heatmap.unit == "contour":
            drawing = replace(drawing, heatmap=None, peak=None)
        drawn[heatmap.method, heatmap.finding] = drawing
    return drawn | dict(_baselines(work.loaded, opened, protocol))


def scaled(heatmap: Heatmap, scaling: Literal["positive", "minmax"]) -> Heatmap:
    """The map as contours are drawn of it; a flat one becomes 0 where it is scaled."""
    if scaling == "positive" or heatmap.unit == "contour":
        return heatmap
    return replace(heatmap, relevance=between_extremes(heatmap.relevance), unit="relative")


def between_extremes(relevance: Intensity) -> Intensity:
    """By the extremes of the cells; interpolation and minimum–maximum scaling change places freely."""
    lowest, highest = relevance.min(), relevance.max()
    if not highest > lowest:
        return np.zeros_like(relevance)
    return np.asarray((relevance - lowest) / (highest - lowest), np.float32)


def _gate_is_open(
    finding: str, prediction: Prediction | None, references: Sequence[Reference], protocol: Protocol
) -> bool:
    cut = protocol.cut_of(finding)
    if cut.gate == "all":
        return True
    positive = prediction is not None and (
        prediction.positive if cut.probability is None else prediction.probability >= cut.probability
    )
    if cut.gate == "predicted":
        return positive
    return positive or any((r.masks or r.boxes) for r in references if r.finding == finding)


def _draw(
    heatmap: Heatmap,
    protocol: Protocol,
    cut: Cut,
    spacing_mm: tuple[float, float] | None,
    *,
    outlined: bool = True,
) -> Drawing:
    as_it_is = heatmap.unit == "contour"
    return draw(
        heatmap,
        rule="absolute" if as_it_is else cut.rule,
        threshold=INSIDE if as_it_is else cut.threshold,
        filled=cut.filled,
        minimum_area_px=protocol.minimum_area_px,
        minimum_area_mm2=protocol.minimum_area_mm2,
        spacing_mm=spacing_mm,
        outlined=outlined,
    )


def _baselines(
    loaded: Loaded, opened: Mapping[str, bool], protocol: Protocol
) -> Iterator[tuple[tuple[str, str], Drawing]]:
    """What the baselines draw, laid over the whole image; nothing where the network's gate is closed."""
    contrast = cache(partial(_contrast, loaded, protocol))
    for method, (finding, is_open) in product(protocol.baselines, opened.items()):
        cut = protocol.cut_of(finding) if is_open else None
        drawing = contrast(cut) if method == CONTRAST else _of(method, finding, loaded, protocol, cut)
        if drawing is not None:
            yield (method, finding), drawing


def _contrast(loaded: Loaded, protocol: Protocol, cut: Cut | None) -> Drawing:
    """The same for every finding that is cut alike."""
    assert loaded.contrast is not None
    return _laid_over(loaded.contrast, loaded.shape, loaded.spacing_mm, protocol, cut)


def _of(method: str, finding: str, loaded: Loaded, protocol: Protocol, cut: Cut | None) -> Drawing | None:
    """None where nobody annotated the finding, so that it has no prior."""
    if method == RANDOM:  # by the input's hash: by the pseudonym, another key would give other numbers
        numbers = uniform_random(loaded.sha256, loaded.case.source.frame, finding)
        return _laid_over(numbers, loaded.shape, loaded.spacing_mm, protocol, cut)
    maps = _baseline_maps(protocol.run / "baselines.npz")
    key = next((key for key in (f"{method}/{finding}", method) if key in maps), None)
    return None if key is None else _fixed(key, loaded.shape, loaded.spacing_mm, protocol, cut)


@lru_cache(maxsize=16)
def _fixed(
    key: str, shape: Shape, spacing_mm: tuple[float, float] | None, protocol: Protocol, cut: Cut | None
) -> Drawing:
    """The drawing of a baseline that is the same for every image of one size."""
    relevance = _baseline_maps(protocol.run / "baselines.npz")[key]
    return _laid_over(relevance, shape, spacing_mm, protocol, cut)


def _laid_over(
    relevance: Intensity,
    shape: Shape,
    spacing_mm: tuple[float, float] | None,
    protocol: Protocol,
    cut: Cut | None,
) -> Drawing:
    """`cut` is None where the gate is closed."""
    rows, columns = relevance.shape
    heatmap = Heatmap("", "", "", relevance, "relative", resized(whole(shape), (rows, columns)))
    heatmap = scaled(heatmap, protocol.scaling)
    if cut is None:
        return closed_gate(heatmap)
    return _draw(heatmap, protocol, cut, spacing_mm, outlined=False)  # baselines are scored, never shown


@lru_cache(maxsize=1)
def _baseline_maps(path: Path) -> dict[str, Intensity]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
