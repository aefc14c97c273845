"""DICOM SEG: an object per reviewer and image, with a segment per lesion; without pixels: it is absent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.exports.answers import answers_object
from pipeline.exports.codes import LONGEST_MEANING
from pipeline.exports.objects import encoded
from pipeline.review.formats import Images, MaskFormat, Masks
from pipeline.store.atomic import OWNER_ONLY, make_folder, write_bytes

OTHER = "choose another --annotation-format"


def write(folder: Path, name: str, reader: str, masks: Masks, images: Images) -> Sequence[Mapping[str, Any]]:
    """See `MaskFormat.write`. Files are for their owner alone, because they hold patients' identifiers."""
    make_folder(folder / name)
    for image, (_, findings) in masks.items():
        header = images.header_of(image)
        for finding in findings:
            if len(finding) > LONGEST_MEANING or "\\" in finding:
                raise ConfigError(
                    f"--as-annotations: {finding!r} cannot be the label of a segment, which has at most "
                    f"{LONGEST_MEANING} characters and no backslash; {OTHER}"
                )
        content = encoded(answers_object(header, images.run, reader, findings).dataset)
        target = folder / name / f"{hashlib.sha256(content).hexdigest()[:12]}.dcm"
        write_bytes(target, content, mode=OWNER_ONLY)
    return [{"format": "dicom_seg", "folder": name, "reader": reader}]


DICOM_SEG = MaskFormat(write, needs_images=True)
