"""Figure: panels of some cases of a finished run, as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigError
from pipeline.reporting.figures.caption import caption, spacing_of
from pipeline.reporting.figures.layout import Page, lay_out
from pipeline.reporting.figures.lettering import Lettering
from pipeline.reporting.figures.options import (
    FigureOptions,
    chosen_cases,
    chosen_findings,
    chosen_methods,
)
from pipeline.reporting.figures.panels import Source, panel_row
from pipeline.reporting.figures.pdf import as_pdf
from pipeline.reporting.figures.png import as_png
from pipeline.reporting.figures.primitives import MM_PER_INCH, POINTS_PER_INCH, Drawing
from pipeline.reporting.figures.stored import Draw, first_finding, is_annotated
from pipeline.reporting.figures.svg import as_svg
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.survey import survey

LARGEST_PIXELS = 100_000_000
"""Of a figure, on all of its page."""
NARROWEST_PANEL_MM = 12
ENDINGS: Final[dict[str, Callable[[Drawing, float, Lettering], bytes]]] = {
    ".svg": lambda drawing, _dpi, _lettering: as_svg(drawing),
    ".png": lambda drawing, dpi, lettering: as_png(drawing, dpi=dpi, lettering=lettering),
    ".pdf": lambda drawing, _dpi, lettering: as_pdf(drawing, lettering=lettering),
}
"""Ending of the file → function that writes its content."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A finished figure."""

    content: bytes
    rows: tuple[tuple[str, str], ...]
    """Case and finding of each row."""
    left_out: tuple[str, ...]
    """Methods of the network that are not shown, because nobody chose any."""
    missing: str
    """Characters that the font lacks; SVG leaves them to the viewer's font."""


def ending_of(out: Path) -> str:
    """The ending of a file that a figure can have. Raises ConfigError for others."""
    ending = out.suffix.lower()
    if ending not in ENDINGS:
        raise ConfigError(f"--out: {out.name} ends in '{out.suffix}', wanted {', '.join(ENDINGS)}; rename it")
    return ending


def make_figure(
    run: RunFolder,
    cases: Sequence[str],
    *,
    ending: str,
    options: FigureOptions,
    draw: Draw,
    lettering: Lettering,
) -> Figure:
    """A figure with one row per case and finding; `ending` is one of `ENDINGS`.

    `draw` draws what the run does not store: contours of baselines. Raises ConfigError for a case, finding or
    method that the run lacks, and for a figure that is too large or too narrow.
    """
    case_ids, methods = chosen_cases(run, cases), chosen_methods(run, options)
    findings = chosen_findings(run, options)
    rows = list(_rows(run, case_ids, findings))
    surveyed = survey(run)
    source = Source(
        run=run,
        methods=methods,
        readers=surveyed.readers,
        tops=surveyed.tops,
        options=options,
        draw=draw,
        with_reference=any(is_annotated(case, finding) for case, finding in rows),
    )
    page = Page(
        width=options.width,
        dpi=options.dpi,
        columns=1 + source.with_reference + len(methods),
        shading=options.shading,
        lettering=lettering,
    )
    _check_size(page, len(rows))
    text = caption(
        run,
        methods,
        tuple(dict.fromkeys(finding for _, finding in rows)),
        options,
        shared=not options.own_scale and any(method.unit == "logit" for method in methods),
        spacings=[spacing_of(case) for case, _ in rows],
    )
    drawing = lay_out(
        (panel_row(source, case, finding) for case, finding in rows),
        page,
        title=f"{', '.join(case_ids)}: {run.manifest.get('title') or run.manifest['run_id']}",
        caption=text,
    )
    network = [method.name for method in run.methods if not method.is_baseline]
    return Figure(
        content=ENDINGS[ending](drawing, options.dpi, lettering),
        rows=tuple((case["case_id"], finding) for case, finding in rows),
        left_out=() if options.methods else tuple(network[len(methods) :]),
        missing=lettering.missing(drawing.texts()) if ending != ".svg" else "",
    )


def _rows(run: RunFolder, case_ids: Sequence[str], findings: Sequence[str]) -> Iterator[tuple[Case, str]]:
    for case_id in case_ids:
        case = run.case(case_id)
        for finding in findings or (first_finding(run, case),):
            yield case, finding


def _check_size(page: Page, rows: int) -> None:
    """Raise ConfigError if panels are too narrow to be seen, or the figure has too many pixels."""
    narrow = page.panel_width / POINTS_PER_INCH * MM_PER_INCH
    if narrow < NARROWEST_PANEL_MM:
        raise ConfigError(
            f"--width: {page.columns} panels side by side are {narrow:.0f} mm wide each, wanted "
            f"{NARROWEST_PANEL_MM} mm or more; give a larger --width or fewer --methods"
        )
    scale = page.dpi / POINTS_PER_INCH
    pixels = page.width * scale * page.panel_width * scale * rows
    if pixels > LARGEST_PIXELS:
        raise ConfigError(
            f"--width, --dpi: a figure of some {pixels / 1e6:,.0f} million pixels, wanted at most "
            f"{LARGEST_PIXELS // 1_000_000}; give a smaller --width or --dpi, or fewer cases"
        )
