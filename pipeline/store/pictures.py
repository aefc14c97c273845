"""Pictures: an image at full bit depth for the report's viewer, and a thumbnail for its lists."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from pipeline.records import Display, Image
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import case_folder

THUMBNAIL_EDGE = 288
"""Longer side of a thumbnail, in pixels, at most."""
LISTED_EDGE = 144
"""Of an image without a page, which is shown in lists alone, 96 pixels wide."""
THUMBNAIL_QUALITY = 82
NARROWEST = 1e-6
"""Smallest width of a window; prevents a division by zero."""
FASTEST = 1
"""Compression level; higher levels gain nothing on pixels."""


def write_pictures(run: Path, image: Image, *, page: bool = True) -> None:
    """Write `pixels.js` and `thumbnail.jpg` to the case's folder; without `page`, a small thumbnail alone."""
    if image.display is None:
        return
    folder = case_folder(run, image.case_id)
    if page:
        write_bytes(folder / "pixels.js", pixels_script(image.display))
    edge = THUMBNAIL_EDGE if page else LISTED_EDGE
    write_bytes(folder / "thumbnail.jpg", thumbnail(image.display, edge))


def pixels_script(display: Display) -> bytes:
    """A script that calls `heatproof.pixels` with the pixel values; local pages can load scripts, not data.

    16-bit values are stored as two planes, high bytes then low bytes. Each plane is filtered with PNG's "Up"
    (ISO/IEC 15948, 9.2: a byte minus the byte above it), and all planes are deflated and written as base64.
    """
    values = display.values
    rows, columns = values.shape
    content = {
        "rows": rows,
        "columns": columns,
        "bits": 8 * values.itemsize,
        "low": display.low,
        "high": display.high,
        "slope": display.slope,
        "intercept": display.intercept,
        "unit": display.unit,
    }
    deflated = isal_zlib.compress(_filtered(values).tobytes(), FASTEST)
    head = json.dumps(content, separators=(",", ":"))[:-1].encode()
    return b"heatproof.pixels(" + head + b',"data":"' + base64.b64encode(deflated) + b'"});\n'


def thumbnail(display: Display, edge: int = THUMBNAIL_EDGE) -> bytes:
    """A JPEG of the image in its initial window, its longer side at most `edge` pixels."""
    values = display.values
    shrink = max(1, -(-max(values.shape) // edge))
    rows, columns = (max(1, side // shrink) for side in values.shape)
    small = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    span = max(display.high - display.low, NARROWEST)
    shown = np.rint(np.clip((small - display.low) / span, 0, 1) * 255)
    return cv2.imencode(".jpg", shown.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[
        1
    ].tobytes()


def _filtered(values: NDArray[np.uint8 | np.uint16]) -> NDArray[np.uint8]:
    """The filtered byte planes, (planes, rows, columns)."""
    parts = [values] if values.dtype == np.uint8 else [values >> 8, values & 0xFF]
    planes = np.stack([part.astype(np.uint8) for part in parts])
    planes[:, 1:] -= planes[:, :-1].copy()
    return planes
