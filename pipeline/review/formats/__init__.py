"""Formats in which reviewers' masks are written as annotations, to be read again by `pipeline.annotations`.

To add one, write its file and a line here; `tests/review/test_formats.py` reads back what every one writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pipeline.records import Mask
from pipeline.registry import Registry

Findings: TypeAlias = Mapping[str, Sequence[Mask]]
"""Finding → masks, one per lesion; none: the finding is absent."""
Masks: TypeAlias = Mapping[str, tuple[tuple[int, int], Findings]]
"""Image → its rows and columns, and the findings about which the reviewer says something."""


class Images(Protocol):
    """The images of the run, for formats whose files refer to them."""

    @property
    def run(self) -> Any:
        """The run's `ExportedRun`."""

    def header_of(self, image: str) -> Any:
        """The DICOM header of the image that `Masks` call so. Raises ConfigError if there is none."""


@dataclass(frozen=True, slots=True)
class MaskFormat:
    """A format that holds masks, and images on which a finding is absent."""

    write: Callable[..., Sequence[Mapping[str, Any]]]
    """write(folder, name, reader, masks): write files whose names begin with `name` below `folder`.

    Returns the entries of `annotations.sources` that read them. Raises ConfigError for images whose names no
    file of the format can have. One that `needs_images` gets them as a further argument, of type `Images`.
    """
    needs_images: bool = False
    """Whether files of the format refer to the images, as DICOM objects do."""


FORMATS: Registry[MaskFormat] = Registry(
    "format of masks",
    {
        "rle_json": "pipeline.review.formats.rle_json:RLE_JSON",
        "coco": "pipeline.review.formats.coco:COCO",
        "png": "pipeline.review.formats.png:PNG",
        "dicom_seg": "pipeline.review.formats.dicom_seg:DICOM_SEG",
    },
    group="heatproof.review_formats",
    wanted=MaskFormat,
)
