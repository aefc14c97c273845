"""Panels: image, reference and maps of one finding on one image, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import ConfigError
from pipeline.geometry import resample_to_image
from pipeline.records import Heatmap
from pipeline.reporting.figures.colour_maps import grey, overlaid
from pipeline.reporting.figures.margins import Split, split
from pipeline.reporting.figures.options import FigureOptions
from pipeline.reporting.figures.primitives import RGB
from pipeline.reporting.figures.stored import (
    Contours,
    Draw,
    Reading,
    contours_of,
    gate_is_open,
    readings,
    stored_map,
)
from pipeline.reporting.run_folder import Case, Method, RunFolder
from pipeline.run_files.damage import damaged
from pipeline.run_files.pixels import read_pixels

UNSTORED = "the run stores no map"
FLAT = "no positive relevance"
NO_OUTLINES = Split()
LABELS = {1: "present", 0: "absent"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a row."""

    title: str
    pixels: RGB
    """On the image's grid."""
    readings: tuple[Reading, ...] = ()
    outlines: Split = NO_OUTLINES
    """Of the map."""
    peak: tuple[float, float] | None = None
    """(x, y) of the map's highest point."""
    top: float = 0.0
    """Upper end of the scale of colours; 0: there is none."""
    unit: str = ""
    note: str = ""
    bar: bool = False
    """Whether a scale bar lies on it."""


@dataclass(frozen=True, slots=True)
class PanelRow:
    """The panels of one finding on one image."""

    label: str
    description: str
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None
    panels: tuple[Panel, ...]

    @property
    def width(self) -> float:
        """In the smaller side of a pixel, which need not be square; `height` likewise."""
        return self.columns * (self.spacing_mm[1] / min(self.spacing_mm) if self.spacing_mm else 1)

    @property
    def height(self) -> float:
        """See `width`."""
        return self.rows * (self.spacing_mm[0] / min(self.spacing_mm) if self.spacing_mm else 1)


@dataclass(frozen=True, slots=True)
class Source:
    """The run that all rows of a figure are of."""

    run: RunFolder
    methods: Sequence[Method]
    readers: tuple[str, ...]
    """All readers of the run, whose order decides colours."""
    tops: Mapping[tuple[str, str], float]
    """(method, finding) → upper end of the scale of colours that all images share."""
    options: FigureOptions
    draw: Draw
    with_reference: bool
    """Whether rows have a panel with the readers' annotations."""


def panel_row(source: Source, case: Case, finding: str) -> PanelRow:
    """The panels of one finding on one image. Raises ConfigError if the run does not hold its pixels."""
    image = picture_of(source.run, case)
    read = readings(case, finding, source.readers)
    panels = [Panel("Image", image, bar=source.options.scale_bar)]
    if source.with_reference:
        note = "" if read else "not annotated"
        absent = read and not any(reading.is_there for reading in read)
        panels.append(
            Panel("Reference", image, readings=read, note="absent, as annotated" if absent else note)
        )
    panels += [_map_panel(source, case, image, (finding, method), read) for method in source.methods]
    spacing = case["spacing_mm"]
    names = ", ".join(panel.title for panel in panels)
    return PanelRow(
        label=_label(case, finding),
        description=f"{_label(case, finding)}. Side by side: {names}.",
        rows=case["rows"],
        columns=case["columns"],
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        panels=tuple(panels),
    )


def picture_of(run: RunFolder, case: Case) -> RGB:
    """The image as the report first shows it, (rows, columns, 3). Raises ConfigError if the run has none."""
    path = run.case_folder(case["case_id"]) / "pixels.js"
    if not path.exists():
        where = "choose another case" if run.pages is None else "choose one that pages.csv lists"
        raise ConfigError(f"CASE: the run holds no image of {case['case_id']}; {where}")
    display = read_pixels(path)
    if display.values.shape != (case["rows"], case["columns"]):
        raise damaged(path, f"rows, columns: found {display.values.shape}, and other ones in case.json")
    return grey(display)


def _map_panel(
    source: Source, case: Case, image: RGB, where: tuple[str, Method], read: tuple[Reading, ...]
) -> Panel:
    finding, method = where
    run, options = source.run, source.options
    heatmap = stored_map(run, case, finding, method.name)
    drawn = Contours() if options.contours == "none" else contours_of(run, case, heatmap, where, source.draw)
    notes = [] if drawn.outlines or options.contours == "none" else [_why_none(run, case, finding)]
    panel = Panel(
        run.title_of(method.name),
        image,
        readings=read if options.contours == "both" else (),
        outlines=split(drawn.outlines, heatmap.placement if heatmap is not None else None),
        peak=drawn.peak,
    )
    top = top_of(source, heatmap) if heatmap is not None else 0.0
    if heatmap is None:
        notes = [UNSTORED]
    elif not top > 0:
        notes.insert(0, FLAT)
    elif options.shading.colours != "none":
        positive = np.maximum(heatmap.relevance, np.float32(0))
        placed = resample_to_image(positive, heatmap.placement)
        pixels = overlaid(image, placed, top=top, shading=options.shading)
        panel = replace(panel, pixels=pixels, top=top, unit=heatmap.unit)
    return replace(panel, note="; ".join(notes))


def top_of(source: Source, heatmap: Heatmap) -> float:
    """Upper end of a map's colours: shared by all images if the unit is logits, else the map's maximum."""
    shared = source.tops.get((heatmap.method, heatmap.finding))
    if heatmap.unit == "logit" and shared is not None and not source.options.own_scale:
        return shared
    return float(max(heatmap.relevance.max(), 0))


def _why_none(run: RunFolder, case: Case, finding: str) -> str:
    return "no contour" if gate_is_open(run, case, finding) else "no contour: the finding was not predicted"


def _label(case: Case, finding: str) -> str:
    """Case, finding, what was predicted, and the label."""
    entry = next((entry for entry in case["predictions"] if entry["finding"] == finding), None)
    parts = [f"{case['case_id']}, {finding}"]
    if entry:
        sign = "positive" if entry["probability"] >= entry["threshold"] else "negative"
        parts.append(
            f"probability {entry['probability']:.2f}, predicted {sign} (threshold {entry['threshold']:.2f})"
        )
    label = case["labels"].get(finding)
    if label in LABELS:
        parts.append(f"label {LABELS[label]}")
    return f"{parts[0]}: {', '.join(parts[1:])}" if len(parts) > 1 else parts[0]
