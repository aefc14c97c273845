"""Annotations: radiologists' annotation files in any format → a Reference on the image's own grid.

To add a format, write its file, add a line to `FORMATS` and a writer to
tests/contracts/test_annotation_laws.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from pipeline.annotations.outlined import checked_outlines
from pipeline.annotations.source_files import MOST_SHAPES, TOO_MANY
from pipeline.annotations.unmarked import with_words
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.file_hashes import refuse_changed
from pipeline.guards.plugin_options import options_of
from pipeline.records import AnnotationItem, Kind, Reference, Shape
from pipeline.registry import Registry, did_you_mean

FORMATS: Registry[AnnotationFormat] = Registry(
    "annotation format",
    {
        "png": "pipeline.annotations.png:PNG",
        "jpg": "pipeline.annotations.jpg:JPG",
        "dicom_seg": "pipeline.annotations.dicom_seg:DICOM_SEG",
        "dicom_mask": "pipeline.annotations.dicom_mask:DICOM_MASK",
        "rtstruct": "pipeline.annotations.rtstruct:RTSTRUCT",
        "dicom_sr": "pipeline.annotations.dicom_sr:DICOM_SR",
        "overlay": "pipeline.annotations.overlay:OVERLAY",
        "gsps": "pipeline.annotations.gsps:GSPS",
        "boxes": "pipeline.annotations.boxes:BOXES",
        "points": "pipeline.annotations.points:POINTS",
        "rle_json": "pipeline.annotations.rle_json:RLE_JSON",
        "coco": "pipeline.annotations.coco:COCO",
        "chexlocalize": "pipeline.annotations.chexlocalize:CHEXLOCALIZE",
        "labelme": "pipeline.annotations.labelme:LABELME",
        "pascal_voc": "pipeline.annotations.pascal_voc:PASCAL_VOC",
        "yolo": "pipeline.annotations.yolo:YOLO",
        "cvat": "pipeline.annotations.cvat:CVAT",
        "label_studio": "pipeline.annotations.label_studio:LABEL_STUDIO",
        "padchest_gr": "pipeline.annotations.padchest_gr:PADCHEST_GR",
        "via": "pipeline.annotations.via:VIA",
        "siim_acr": "pipeline.annotations.siim_acr:SIIM_ACR",
        "supervisely": "pipeline.annotations.supervisely:SUPERVISELY",
        "volume": "pipeline.annotations.volume:VOLUME",
    },
    group="heatproof.annotations",
    wanted=AnnotationFormat,
)
SHAPES = ("boxes", "shares", "outlines", "points", "masks", "planes", "in_patient")
"""Keys of payloads that hold several shapes."""


def find_annotations(
    path: Path, sources: Sequence[Mapping[str, Any]], *, executor: Executor | None = None, first: int = 0
) -> list[AnnotationItem]:
    """All annotations below `path`, in the order of the sources, without reading their geometry.

    A source is a mapping {"format": name, **options of that format's `find` and of `with_words`}. `executor`
    opens files where a format needs it; all else is read in this process. `first` is the number of the first
    source in the config. Raises ConfigError that names `annotations.sources[i]` for an unknown format or
    option, a value of the wrong type, an unusable source, or more than `MOST_SHAPES` annotations.
    """
    return [
        item
        for number, source in enumerate(sources, start=first)
        for item in _find(path, dict(source), executor, where=f"annotations.sources[{number}]")
    ]


def opens_files(source: Mapping[str, Any]) -> bool:
    """Whether the source's format takes an executor that opens its files one by one."""
    name = str(source.get("format"))
    return name in FORMATS and FORMATS[name].opens_files


def read_annotation(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The annotation on the grid of an image of `shape`.

    Raises CaseError if it cannot be read or does not fit the image, "file_changed" if the file has changed
    since `item.hashes` was computed. An item that holds no shapes gives the reference of an absent finding.
    """
    if item.says != "shapes":
        return Reference(case_id, finding, item.reader, kind_of(item))
    for path, known in item.hashes.items():
        refuse_changed(path, known)
    plugin = FORMATS[item.format]
    reference = plugin.read(item, case_id=case_id, finding=finding, shape=shape)
    if reference.kind != kind_of(item):
        raise CaseError(
            "annotation_kind",
            f"The format '{item.format}' declares a {kind_of(item)} but read a {reference.kind}; "
            "correct the format.",
        )
    return checked_outlines(reference, shape)


def kind_of(item: AnnotationItem) -> Kind:
    """The kind of reference that the item gives: its own, else its format's."""
    return item.kind or FORMATS[item.format].kind or "mask"


def _find(
    path: Path, options: dict[str, Any], executor: Executor | None, *, where: str
) -> list[AnnotationItem]:
    if "format" not in options:
        raise ConfigError(f"{where}.format: is missing; choose one of: {', '.join(sorted(FORMATS))}")
    name = str(options.pop("format"))
    if name not in FORMATS:
        raise ConfigError(f"{where}.format: unknown annotation format '{name}'{did_you_mean(name, FORMATS)}")
    find = FORMATS[name].find
    of_all = {"unmarked"} - signature(find).parameters.keys()
    shared = {key: options.pop(key) for key in of_all & options.keys()}
    opener = (executor,) if FORMATS[name].opens_files else ()
    checked, checked_shared = (
        options_of(function, given, where=lambda option: f"{where}.{option}", plugin=name)
        for function, given in ((find, options), (with_words, shared))
    )
    if not path.exists():
        raise ConfigError(f"{path}: no such annotations folder or file; check `annotations.path`")
    try:
        return with_words(_up_to_most(find(path, *opener, **checked)), **checked_shared)
    except ConfigError as error:
        raise ConfigError(f"{where} ({name}): {error}") from error


def _up_to_most(items: Iterable[AnnotationItem]) -> Iterator[AnnotationItem]:
    shapes = 0
    for item in items:
        shapes += shapes_of(item)
        if shapes > MOST_SHAPES:
            raise ConfigError(TOO_MANY)
        yield item


def shapes_of(item: AnnotationItem) -> int:
    """An annotation counts towards `MOST_SHAPES` as one, plus one per shape or file of planes; a word, 0."""
    if item.says == "word":
        return 0
    shapes = (item.payload.get(key) for key in SHAPES)
    return 1 + sum(len(several) for several in shapes if isinstance(several, tuple))
