"""dcmtk: brightness as its `dcm2pnm` shows it, an implementation that shares no code with the decoder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import UID, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from tests.patience import SECONDS

PROGRAMS = ("dcm2pnm", "dcmj2pnm", "dcml2pnm")
LUMA_WEIGHTS = [0.299, 0.587, 0.114]
_COMMENT = b"#"


def missing() -> str:
    """The programs that are not installed; empty if all are."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


def brightness(path: Path, *, frame: int = 0) -> NDArray[np.float64] | None:
    """Brightness 0 … 1 with the header's first VOI LUT or window; None if dcmtk does not read the file."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    options = ["--no-overlays", "--write-16-bit-pnm", "--frame", str(frame + 1)]
    if dataset.get("VOILUTSequence"):
        options += ["--use-voi-lut", "1"]
    elif "WindowWidth" in dataset:
        options += ["--use-window", "1"]
    completed = subprocess.run(
        [_program(UID(dataset.file_meta.get("TransferSyntaxUID", ""))), *options, path],
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )
    return _read(completed.stdout) if completed.returncode == 0 and completed.stdout else None


def _program(syntax: UID) -> str:
    if syntax in JPEGTransferSyntaxes:
        return "dcmj2pnm"
    return "dcml2pnm" if syntax in JPEGLSTransferSyntaxes else "dcm2pnm"


def _read(pnm: bytes) -> NDArray[np.float64]:
    """A plain PGM or PPM picture as brightness."""
    lines = [line for line in pnm.splitlines() if not line.startswith(_COMMENT)]
    kind, columns, rows, highest, *values = b" ".join(lines).split()
    found = np.array(values, np.float64) / float(highest)
    if kind == b"P2":
        return found.reshape(int(rows), int(columns))
    return found.reshape(int(rows), int(columns), 3) @ LUMA_WEIGHTS
