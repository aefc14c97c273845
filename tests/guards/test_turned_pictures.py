"""Turned pictures: masks and maps whose EXIF data, before or behind their pixels, turn them are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations import jpg, png
from pipeline.errors import CaseError
from pipeline.external_maps.formats.png import read as read_map
from tests.loaders.pictures import GREY, chunk
from tests.loaders.pictures import png as png_of

MASK = np.where(GREY > 100, 255, 0).astype(np.uint8)


def mask(path: Path, module: object) -> object:
    (item,) = module.find(path)  # type: ignore[attr-defined]
    return module.read(item, case_id="case", finding="mass", shape=MASK.shape)  # type: ignore[attr-defined]


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "mask in PNG": (".png", lambda path: mask(path, png)),
    "mask in JPEG": (".jpg", lambda path: mask(path, jpg)),
    "map in PNG": (".png", lambda path: read_map(path, 0)),
}


def written(path: Path, orientation: int, *, behind: bool) -> Path:
    exif = Image.Exif()
    exif[274] = orientation
    if not behind:
        Image.fromarray(MASK).save(path, exif=exif.tobytes())
        return path
    end = chunk(b"IEND", b"")
    content = png_of(MASK, colour=0).removesuffix(end)
    path.write_bytes(content + chunk(b"eXIf", exif.tobytes()[6:]) + end)
    return path


@pytest.mark.parametrize("name", READERS)
def test_a_turned_picture_is_refused(name: str, tmp_path: Path) -> None:
    suffix, read = READERS[name]
    path = tmp_path / f"a{suffix}"
    for behind in (False, True)[: 1 + (suffix == ".png")]:  # JPEG keeps EXIF data before its pixels
        read(written(path, 1, behind=behind))
        with pytest.raises(CaseError, match="EXIF data turn it; save it as it is to be read") as refusal:
            read(written(path, 6, behind=behind))
        assert refusal.value.reason in {"annotation_unreadable", "heatmap_unreadable"}
