"""COCO: one JSON file per reviewer, with a mask in run lengths per lesion.

COCO cannot say that a finding is absent. Such a statement is an annotation of zero pixels, which Heatproof
reads as absent and other programs as an empty object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.annotations.run_lengths import runs_of
from pipeline.records import Mask
from pipeline.review.formats import MaskFormat, Masks
from pipeline.store.atomic import write_bytes


def write(folder: Path, name: str, reader: str, masks: Masks) -> Sequence[Mapping[str, Any]]:
    """See `MaskFormat.write`."""
    file = folder / f"{name}.coco.json"
    findings = sorted({finding for _, of_image in masks.values() for finding in of_image})
    categories = {finding: number for number, finding in enumerate(findings, 1)}
    annotations = [
        {"id": number, **entry} for number, entry in enumerate(_annotations(masks, categories), start=1)
    ]
    content = {
        "info": {"description": f"Drawn or confirmed by {reader} in a review of Heatproof"},
        "images": [
            {"id": number, "file_name": image, "height": rows, "width": columns}
            for number, (image, ((rows, columns), _)) in enumerate(masks.items(), start=1)
        ],
        "categories": [{"id": number, "name": finding} for finding, number in categories.items()],
        "annotations": annotations,
    }
    write_bytes(file, json.dumps(content).encode())
    return [{"format": "coco", "file": file.name, "reader": reader}]


def _annotations(masks: Masks, categories: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for image, (shape, findings) in enumerate(masks.values(), start=1):
        for finding, lesions in findings.items():
            for mask in lesions or [np.zeros(shape, np.bool_)]:
                yield {
                    "image_id": image,
                    "category_id": categories[finding],
                    "segmentation": runs_of(mask),
                    "area": int(mask.sum()),
                    "bbox": _box(mask),
                    "iscrowd": 0,
                }


def _box(mask: Mask) -> list[int]:
    """x, y, width and height in whole pixels, from the image's corner."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


COCO = MaskFormat(write)
