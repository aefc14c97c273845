"""Figure: `heatproof figure`, which writes panels of cases of a finished run as SVG, PNG or PDF."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from pipeline.cli.terminal import changed_lines, open_console, visible
from pipeline.errors import ConfigError

COLOURS = ("inferno", "viridis", "jet", "none")
CONTOURS = ("both", "network", "none")


def add_figure(parser: ArgumentParser) -> None:
    """The arguments of `heatproof figure`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("cases", nargs="+", metavar="CASE", help="case id of cases.csv; one row each")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="file to write, ending in .svg, .png or .pdf"
    )
    parser.add_argument(
        "--findings",
        nargs="+",
        default=(),
        metavar="FINDING",
        help="one row per finding (default: each image's first that is annotated, else predicted)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        default=(),
        metavar="METHOD",
        help="one map per method or baseline (default: the first four methods of the network)",
    )
    _add_looks(parser)


def _add_looks(parser: ArgumentParser) -> None:
    parser.add_argument("--colours", choices=COLOURS, help="colours of the maps (default: inferno)")
    parser.add_argument("--opacity", type=float, help="opacity of the maps, 0 to 1 (default: 0.7)")
    parser.add_argument(
        "--classic",
        action="store_true",
        help="the overlay of most publications: jet at opacity 0.4 over the whole image, each map to its own "
        "maximum; other options change it",
    )
    parser.add_argument(
        "--own-scale",
        action="store_true",
        help="colours end at the maximum of each map, also of maps in logits, which otherwise share a scale",
    )
    parser.add_argument(
        "--contours",
        choices=CONTOURS,
        default="both",
        help="over maps: contours of the map and of the readers, of the map alone, or none (default: both)",
    )
    parser.add_argument("--no-scale-bar", action="store_true", help="no scale bar where the spacing is known")
    parser.add_argument(
        "--width", default="180mm", metavar="LENGTH", help="width, such as 85mm or 1600px (default: 180mm)"
    )
    parser.add_argument("--dpi", type=float, default=300, help="pixels per inch (default: 300)")
    parser.add_argument(
        "--font",
        type=Path,
        metavar="FILE.ttf",
        help="font for letters that DejaVu Sans lacks, in PNG and PDF",
    )


def figure(options: Namespace) -> int:
    """Write a figure and return the exit code."""
    from pipeline.reporting.figures.colour_maps import Shading  # noqa: PLC0415
    from pipeline.reporting.figures.options import (  # noqa: PLC0415  # loads numpy and the image libraries
        CLASSIC,
        FigureOptions,
        points_of,
    )
    from pipeline.run.figure import write_figure  # noqa: PLC0415

    shading = CLASSIC if options.classic else Shading()
    if options.colours:
        shading = replace(shading, colours=options.colours)
    if options.opacity is not None:
        if not 0 <= options.opacity <= 1:
            raise ConfigError(
                f"--opacity: found {options.opacity:g}, wanted 0 to 1; give a share such as 0.4"
            )
        shading = replace(shading, opacity=options.opacity)
    console = open_console()
    found = write_figure(
        options.run,
        options.cases,
        options.out,
        options=FigureOptions(
            findings=tuple(options.findings),
            methods=tuple(options.methods),
            shading=shading,
            own_scale=options.own_scale or options.classic,
            contours=options.contours,
            scale_bar=not options.no_scale_bar,
            width=points_of(options.width, dpi=options.dpi),
            dpi=options.dpi,
        ),
        font=options.font,
    )
    for case_id, finding in found.rows:
        console.print(visible(f"{case_id}: {finding}"))
    if found.left_out:
        console.print(visible(f"Not shown: {', '.join(found.left_out)}; choose maps with --methods"))
    if found.missing:
        console.print(
            visible(f"Warning: the font has no letter for {' '.join(found.missing)}; give --font FILE.ttf")
        )
    for line in changed_lines([options.run]):
        console.print(visible(line))
    console.print(f"Figure: {options.out} ({len(found.content) / 1e6:.1f} MB)")
    return 0
