"""View: `heatproof view`, which shows a run's images and results in Orthanc and OHIF on this machine."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from pipeline.cli.interruption import own_time
from pipeline.cli.terminal import open_console, visible
from pipeline.reporting.words import plural

SHOWN = 5
"""Most studies whose addresses are printed."""


def add_view(parser: ArgumentParser) -> None:
    """Add the options of `heatproof view`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "--studies", type=Path, required=True, metavar="FOLDER", help="the study folder that was audited"
    )
    parser.add_argument(
        "--ohif",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder dist of the npm package @ohif/app, unpacked",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")


def view(options: Namespace) -> int:
    """Serve until it is interrupted, and return the exit code."""
    from pipeline.cli.export import exporting  # noqa: PLC0415

    with exporting():
        from pipeline.delivery.export import ExportOptions  # noqa: PLC0415  # loads highdicom
        from pipeline.exports import EXPORTS  # noqa: PLC0415
        from pipeline.exports.objects import NO_CONTOUR  # noqa: PLC0415
        from pipeline.viewer.view import view as shown  # noqa: PLC0415

    console = open_console()
    console.print("Starting Orthanc and exporting the run …")
    with shown(
        options.run, options.studies, options.ohif, ExportOptions(EXPORTS.own), port=options.port
    ) as found:
        left_out = sum(one.reason != NO_CONTOUR for one in found.exported.left_out)
        if left_out:
            console.print(f"Not exported: {left_out:,}; heatproof export lists them")
        if found.oblong:
            console.print(
                f"Warning: {plural(found.oblong, 'image')} with pixels that are not square: OHIF 3.13 draws "
                "outlines of reports at a wrong place there; segmentations are right"
            )
        for page in found.studies[:SHOWN]:
            console.print(visible(page), soft_wrap=True)
        console.print(visible(f"All studies: {found.address}"), soft_wrap=True)
        console.print("Only this machine can reach it. Ctrl-C ends it and removes its files.")
        with suppress(KeyboardInterrupt), own_time():
            while True:
                time.sleep(1)
    console.print("Ended; Orthanc's files are removed.")
    return 0
