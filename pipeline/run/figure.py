"""Figure: write panels of some cases of a finished run, with contours that the run does not store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.records import Heatmap
from pipeline.reporting.figures.figure import Figure, ending_of, make_figure
from pipeline.reporting.figures.lettering import Lettering
from pipeline.reporting.figures.options import FigureOptions
from pipeline.reporting.figures.stored import Contours, Draw
from pipeline.reporting.run_folder import Case, RunFolder, read_run
from pipeline.run.redrawing import redrawn
from pipeline.store.atomic import make_folder, write_bytes


def write_figure(
    run: Path, cases: Sequence[str], out: Path, *, options: FigureOptions, font: Path | None = None
) -> Figure:
    """Write a figure to `out`, whose ending says in which format, and return what is in it.

    `font` is a TrueType file for PNG and PDF. Raises ConfigError for what the run lacks or for damaged files.
    """
    ending = ending_of(out)
    lettering = Lettering.read(font) if font else Lettering.bundled()
    folder = read_run(run)
    figure = make_figure(
        folder, cases, ending=ending, options=options, draw=_drawing_of(folder), lettering=lettering
    )
    make_folder(out.parent)
    write_bytes(out, figure.content)
    return figure


def _drawing_of(run: RunFolder) -> Draw:
    """A function that draws a map by the contour rule of its finding."""

    def drawn(heatmap: Heatmap, case: Case) -> Contours:
        found = redrawn(run, case, heatmap)
        return Contours(
            outlines=tuple(line.astype(np.float64) for region in found.regions for line in region.outlines),
            peak=(float(found.peak[1]), float(found.peak[0])) if found.peak else None,
        )

    return drawn
