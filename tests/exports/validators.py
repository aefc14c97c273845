"""Validators: what other people's programs say of a DICOM object."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.exports.objects import ExportedObject, encoded

DICIODVFY = Path(sys.executable).with_name("dciodvfy")
IGNORED = (
    "would be needed to build DICOMDIR",  # what the image itself lacks
    "Unrecognized defined term <99HEATPROOF>",  # a private coding scheme (PS3.16, 8) is what it is
)


def complaints(made: ExportedObject, folder: Path) -> list[str]:
    """Errors and warnings of dciodvfy (dicom3tools), without those in `IGNORED`."""
    path = folder / f"{made.uid}.dcm"
    path.write_bytes(encoded(made.dataset))
    ended = subprocess.run([DICIODVFY, path], capture_output=True, text=True, check=False)
    lines = [*ended.stdout.splitlines(), *ended.stderr.splitlines()]
    return [
        line
        for line in lines
        if line.startswith(("Error", "Warning")) and not any(text in line for text in IGNORED)
    ]
