"""Good: a small study set without problems; tests make one problem at a time in copies of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.study import uid, write_image

SHAPE = (72, 60)
FRAME = 8
"""Columns of padding on the left and on the right."""
READERS = ("anna", "bert", "cleo")
WITH_NODULE, WITH_EFFUSION, HEALTHY = range(1, 18), (2, 5, 9, 17), (18, 19, 20)
SETTINGS: Mapping[str, Any] = {
    "annotations.sources": [
        {"format": "png", "pattern": "masks/{reader}/{finding}/{image}.png"},
        {"format": "boxes", "file": "boxes.csv"},
    ],
    "annotations.labels": {"file": "labels.csv", "columns": {"nodule": "nodule", "effusion": "effusion"}},
}


def disc(row: float, column: float, radius: float = 7.0) -> NDArray[np.bool_]:
    rows, columns = np.indices(SHAPE)
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def centre(number: int) -> tuple[int, int]:
    """Row and column of the nodule of image `number`, off-centre so that a flip moves it."""
    return 16 + number % 6, 18 + number // 6


def body(number: int) -> NDArray[np.uint8]:
    """Pixels of one patient: individual coarse and fine structure between two strips of black padding."""
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(60, 180, (9, 6), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((SHAPE[1] - 2 * FRAME, SHAPE[0]), Image.Resampling.BICUBIC), np.float64)
    pixels = np.zeros(SHAPE, np.uint8)
    pixels[:, FRAME:-FRAME] = (smooth * 0.6 + random.normal(0, 6, smooth.shape)).clip(20, 140)
    return pixels


def pixels(number: int) -> NDArray[np.uint8]:
    found = body(number)
    if number in WITH_NODULE:
        found[disc(*centre(number))] += 100
    return found


def write_mask(folder: Path, reader: str, finding: str, number: int, mask: NDArray[np.bool_]) -> Path:
    path = folder / "masks" / reader / finding / f"image{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def drawn(reader: str, number: int) -> NDArray[np.bool_]:
    """The nodule of an image as a reader draws it; each reader draws a slightly different disc."""
    row, column = centre(number)
    return disc(row + 0.5 * READERS.index(reader), column, 7.0 + 0.25 * READERS.index(reader))


def boxes(**changed: str) -> str:
    """Text of boxes.csv; `changed` replaces the coordinates of an image ("image2") or removes it ("")."""
    rows = {f"image{number}": f"{20 + number},{40 + number},12,9" for number in WITH_EFFUSION} | changed
    lines = [f"{image},effusion,dora,{cells}" for image, cells in rows.items() if cells]
    return "\n".join(["image,finding,reader,x,y,width,height", *lines]) + "\n"


def labels(**changed: str) -> str:
    """Text of labels.csv; `changed` replaces the labels of an image ("image2") or adds one."""
    rows = {
        f"image{number}": f"{int(number in WITH_NODULE)},{int(number in WITH_EFFUSION)}"
        for number in (*WITH_NODULE, *HEALTHY)
    }
    return (
        "\n".join(["sop_instance_uid,nodule,effusion", *(f"{i},{c}" for i, c in (rows | changed).items())])
        + "\n"
    )


def write_good(folder: Path) -> Path:
    """Write twenty images: seventeen with a nodule drawn by three readers, four with a box, three healthy."""
    for number in (*WITH_NODULE, *HEALTHY):
        write_image(folder / "images", number, pixels(number))
    for number in WITH_NODULE:
        for reader in READERS:
            write_mask(folder, reader, "nodule", number, drawn(reader, number))
    (folder / "boxes.csv").write_text(boxes())
    (folder / "labels.csv").write_text(labels())
    return folder


def add_copy(folder: Path, number: int, of: NDArray[np.uint8], **attributes: str) -> None:
    """Add a healthy image with the given pixels."""
    write_image(folder / "images", number, of, **attributes)
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(f"{text}{uid(number)},0,0\n")
