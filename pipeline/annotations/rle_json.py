"""RLE in JSON: {image: {finding: {"size": [rows, columns], "counts": …}}}, as CheXlocalize stores masks.

Run lengths follow COCO (`run_lengths`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pipeline.annotations.json_fields import content_of
from pipeline.annotations.run_lengths import Runs, compact_runs, decode_runs
from pipeline.annotations.source_files import image_key, printable, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Reference, Shape

SHAPE_WANTED = '{image: {finding: {"size": [rows, columns], "counts": ...}}}'


def find(path: Path, *, file: str | None = None, reader: str = "reader") -> Iterator[AnnotationItem]:
    """One item per image and finding; a list has one mask per instance, an empty list means absent."""
    chosen = source_file(path, file)
    for number, (image, findings) in enumerate(_mapping(chosen).items(), start=1):
        if not isinstance(findings, dict):
            kind = type(findings).__name__
            raise ConfigError(f"{chosen}: image {number} holds a {kind}; write it as {SHAPE_WANTED}")
        for finding, masks in findings.items():
            entries = masks if isinstance(masks, list) else [] if masks is None else [masks]
            findings[finding] = None  # so that the masks are not in memory twice
            yield AnnotationItem(
                "rle_json",
                printable(image_key(image)),
                printable(finding),
                reader,
                payload={"masks": tuple(map(compact_runs, entries))},
            )


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The masks, one instance each, without empty ones.

    Raises CaseError: "mask_size", "not_a_mask" (keys missing, runs that do not fill the mask).
    """
    entries = cast("tuple[Runs | None, ...]", item.payload["masks"])
    masks = tuple(mask for mask in (decode_runs(entry, shape) for entry in entries) if mask.any())
    return Reference(case_id, finding, item.reader, kind="mask", masks=masks)


def _mapping(file: Path) -> Mapping[str, Any]:
    content = content_of(file)
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: holds a {type(content).__name__}; write it as {SHAPE_WANTED}")
    if not any(content.values()):
        raise ConfigError(f"{file}: names no finding of an image; write it as {SHAPE_WANTED}")
    return content


RLE_JSON = AnnotationFormat(find=find, read=read, kind="mask")
