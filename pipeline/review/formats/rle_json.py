"""RLE in JSON: one file per reviewer with run lengths by image and finding; an empty list means absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.annotations.run_lengths import runs_of
from pipeline.review.formats import MaskFormat, Masks
from pipeline.store.atomic import write_bytes


def write(folder: Path, name: str, reader: str, masks: Masks) -> Sequence[Mapping[str, Any]]:
    """See `MaskFormat.write`."""
    file = folder / f"{name}.json"
    content = {
        image: {finding: [runs_of(mask) for mask in lesions] for finding, lesions in findings.items()}
        for image, (_, findings) in masks.items()
    }
    write_bytes(file, json.dumps(content, sort_keys=True).encode())
    return [{"format": "rle_json", "file": file.name, "reader": reader}]


RLE_JSON = MaskFormat(write)
