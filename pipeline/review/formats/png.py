"""PNG: a picture per image and lesion, 255 inside and 0 outside; all 0: the finding is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.guards.inside_folder import is_inside
from pipeline.records import Mask
from pipeline.review.formats import MaskFormat, Masks
from pipeline.store.atomic import make_folder, write_bytes


def write(folder: Path, name: str, reader: str, masks: Masks) -> Sequence[Mapping[str, Any]]:
    """See `MaskFormat.write`. A folder per finding holds one of the first, second … lesion of each image."""
    findings = dict.fromkeys(finding for _, of_image in masks.values() for finding in of_image)
    return [
        source
        for number, finding in enumerate(findings, start=1)
        for source in _write_finding(folder, f"{name}/finding{number}", reader, finding, masks)
    ]


def _write_finding(
    folder: Path, place: str, reader: str, finding: str, masks: Masks
) -> Iterator[Mapping[str, Any]]:
    deep = False
    for image, (shape, findings) in masks.items():
        for number, mask in enumerate(_pictures(findings.get(finding), shape), start=1):
            file = folder / place / f"lesion{number}" / f"{image}.png"
            if not _is_safe(image) or not is_inside(file, folder):
                raise ConfigError(
                    f"--as-annotations: the image {image!r} has a name that no file below {folder} can have; "
                    "choose another --annotation-format"
                )
            deep |= "/" in image
            make_folder(file.parent)
            write_bytes(file, _png(mask))
    images = ("{image}", "{folders}/{image}") if deep else ("{image}",)
    yield {
        "format": "png",
        "pattern": [f"{place}/{{lesion}}/{image}.png" for image in images],
        "finding": finding,
        "reader": reader,
        "instances": "whole",
        "background": [0],
    }


def _pictures(lesions: Sequence[Mask] | None, shape: tuple[int, int]) -> Sequence[Mask]:
    """The lesions' masks; an empty one where the finding is absent; none where nothing is said of it."""
    if lesions is None:
        return []
    return lesions or [np.zeros(shape, np.bool_)]


def _is_safe(image: str) -> bool:
    parts = PurePosixPath(image).parts
    return image.isprintable() and "\\" not in image and ".." not in parts and not image.startswith("/")


def _png(mask: Mask) -> bytes:
    data = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(data, "PNG", optimize=True)
    return data.getvalue()


PNG = MaskFormat(write)
