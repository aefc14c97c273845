"""RLE in JSON: {image: {finding: {"size": [rows, columns], "counts": …}}}, as CheXlocalize stores masks.

Run lengths follow COCO: column by column, starting with background. `counts` is a list of runs or COCO's
compressed text. They are decoded here because pycocotools 2.0.11 fills a mask that has too few runs with
uninitialised memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from pipeline.annotations.masks import check_size
from pipeline.annotations.source_files import error_position, image_key, refuse_large_file, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Mask, Reference, Shape

TEXT_START = 48
"""The character that means 0 in COCO's text."""
VALUE_BITS, SIGN, CONTINUED = 5, 0x10, 0x20
LONGEST_SHIFT = 35
"""Bits; runs are 32-bit numbers."""
SECOND_BEFORE = 2
"""From the fourth run on, COCO's text stores the difference to the second run before."""

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
            yield AnnotationItem(
                "rle_json",
                _printable(image_key(image)),
                _printable(finding),
                reader,
                payload={"masks": tuple(entries)},
            )


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The masks, one instance each, without empty ones.

    Raises CaseError: "mask_size", "not_a_mask" (keys missing, runs that do not fill the mask).
    """
    entries = cast("tuple[Any, ...]", item.payload["masks"])
    masks = tuple(mask for mask in (_decode(entry, shape) for entry in entries) if mask.any())
    return Reference(case_id, finding, item.reader, kind="mask", masks=masks)


def _printable(name: str) -> str:
    """The name with lone surrogates, which JSON allows but text files do not, written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _mapping(file: Path) -> Mapping[str, Any]:
    refuse_large_file(file)
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); check its permissions") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: is not JSON in UTF-8{error_position(error)}; correct the file") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: holds a {type(content).__name__}; write it as {SHAPE_WANTED}")
    if not any(content.values()):
        raise ConfigError(f"{file}: names no finding of an image; write it as {SHAPE_WANTED}")
    return content


def _decode(entry: Any, shape: Shape) -> Mask:
    """The mask of one {"size", "counts"}."""
    try:
        rows, columns = (int(length) for length in entry["size"])
        check_size((rows, columns), shape)
        counts = entry["counts"]
        runs = _runs(counts) if isinstance(counts, str) else [int(run) for run in counts]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CaseError(
            "not_a_mask", 'The mask is not run-length encoded; write it as {"size": …, "counts": …}.'
        ) from error
    if min(runs, default=0) < 0 or sum(runs) != rows * columns:
        raise CaseError(
            "not_a_mask",
            f'The mask\'s runs do not add up to its {rows} × {columns} pixels; correct "size" or "counts".',
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(columns, rows).T)


def _runs(text: str) -> list[int]:
    """Run lengths from COCO's text: 5 bits per character, lowest first, sign in the last one's top bit."""
    runs: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        bits = character - TEXT_START
        value |= (bits & (CONTINUED - 1)) << shift
        shift += VALUE_BITS
        if bits & CONTINUED:
            if shift > LONGEST_SHIFT:
                raise ValueError("a run has too many digits")
            continue
        if bits & SIGN:
            value -= 1 << shift
        runs.append(value + (runs[-SECOND_BEFORE] if len(runs) > SECOND_BEFORE else 0))
        value = shift = 0
    if shift:
        raise ValueError("the text ends within a number")
    return runs


RLE_JSON = AnnotationFormat(find=find, read=read, kind="mask")
