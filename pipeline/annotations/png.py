"""PNG: masks named by image, finding and reader; binary, or one grey value an instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.annotations.masks import Instances, check_size, split
from pipeline.annotations.patterns import find_files
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Reference, Shape

OPAQUE = 255


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = "{image}.png",
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "values",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`; of a list, the first pattern that has a file for an image counts.

    Without {finding} in the pattern and without `finding`, a mask is of the finding that the image's label
    says is present.
    """
    return find_files(
        path, pattern, format="png", finding=finding, reader=reader, payload={"instances": instances}
    )


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask that is 0 everywhere says that the finding is not there.

    Raises CaseError: "annotation_unreadable", "mask_size", "not_a_mask" (colour, too many values).
    """
    values = _grey(Path(str(item.payload["path"])), shape)
    masks = split(values, cast("Instances", item.payload["instances"]))
    return Reference(case_id, finding, item.reader, kind="mask", masks=masks)


def _grey(path: Path, shape: Shape) -> NDArray[np.generic]:
    """Grey values (rows, columns); of a coloured palette its indices. The size is checked before decoding."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            check_size((image.height, image.width), shape)
            image.load()
            return _one_channel(image)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise CaseError("annotation_unreadable", "The mask is not a readable PNG file.") from error


def _one_channel(image: Image.Image) -> NDArray[np.generic]:
    if image.mode == "P":
        colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
        # A grey palette is a smaller way to write grey; an index into colours numbers instances (PASCAL VOC).
        is_grey = (colours == colours[:, :1]).all()
        return np.asarray(image.convert("L") if is_grey else image)
    values = np.asarray(image)
    if image.mode in {"LA", "RGBA"}:
        if (values[..., -1] != OPAQUE).any():
            raise CaseError("not_a_mask", "The mask is partly transparent; save it as grey without alpha.")
        values = values[..., :-1]
    if values.ndim == 2:  # noqa: PLR2004  rows and columns
        return values
    if (values != values[..., :1]).any():
        raise CaseError("not_a_mask", "The mask is in colour; save one grey value for each instance.")
    first: NDArray[np.generic] = values[..., 0]
    return first


PNG = AnnotationFormat(find=find, read=read)
