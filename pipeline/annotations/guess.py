"""Guess: recognise the annotation formats in a folder or file if the config does not state them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

from pipeline.annotations.box_columns import POINT, box_columns, has_coordinates, has_points
from pipeline.annotations.dicom_kinds import kinds_below
from pipeline.annotations.json_kinds import json_format
from pipeline.annotations.label_tables import tables_in
from pipeline.annotations.published import named_finding, published_boxes, siim_columns, via_columns
from pipeline.annotations.source_files import files_with_suffix
from pipeline.annotations.spelling import plain
from pipeline.annotations.tables import Table
from pipeline.annotations.tool_kinds import ONE_PER_IMAGE, files_of, first_bytes, is_cvat
from pipeline.annotations.unread import what_is_there
from pipeline.errors import ConfigError

SUFFIXES: Mapping[str, str] = {
    ".png": "png", ".jpg": "jpg", ".jpeg": "jpg",
    ".dcm": "dicom_mask",
    ".nii.gz": "volume", ".nii": "volume", ".seg.nrrd": "volume", ".nrrd": "volume", ".mha": "volume",
}  # fmt: skip

MASK_FOLDER = re.compile(r"mask|segmentation|annotation|lesion", re.IGNORECASE)
"""Names of mask folders; PNG files in any other folder may be the images themselves."""

SUPPORTED = (
    "PNG, NIfTI, NRRD or MetaImage masks (in the folder itself, in subfolders named like the findings, or in "
    "one named like 'masks'), JPEG or DICOM masks in these, DICOM SEG, RTSTRUCT, SR and GSPS, a CSV with "
    "boxes (x, y, width, height or x_min, y_min, x_max, y_max), points (x, y) or run "
    "lengths of SIIM-ACR, "
    'run-length masks in JSON {image: {finding: {"size", "counts"}}}, COCO JSON, polygons as in '
    "CheXlocalize, grounded reports of PadChest-GR, or the files of LabelMe, Pascal VOC, YOLO, CVAT, Label "
    "Studio, Supervisely and VIA"
)


def guess_sources(
    path: Path, *, findings: Sequence[str], words: Mapping[str, str | None] = MappingProxyType({})
) -> tuple[Mapping[str, object], ...]:
    """Sources for `find_annotations`, with every option that is guessed: all that is recognised below `path`.

    Searches masks in up to two levels of subfolders, DICOM files at any depth, tables in the folder itself.
    `words` translates the annotators' words to findings; folders may be called like either. Raises
    ConfigError if nothing is found, or if a table of boxes does not say of what they are, or who drew them.
    """
    if not path.exists():
        raise ConfigError(f"{path}: no such annotations folder or file; check `annotations.path`")
    folders = [*findings, *(word for word, finding in words.items() if finding is not None)]
    dicom = kinds_below(path)
    tools = [*_tools(path)]
    masks = [
        source
        for source in _masks(path, folders, is_dicom=bool(dicom))
        if not (tools and _may_be_pictures(source))
    ]
    found = [*masks, *({"format": name} for name in dicom), *_tables(path, findings), *tools]
    if not found:
        what = what_is_there(path, findings)
        raise ConfigError(
            f"{path}: no annotations recognised{what and f'; found {what}'}; provide {SUPPORTED}, or "
            "describe the files in `annotations.sources`"
        )
    return tuple(found)


def _masks(path: Path, findings: Sequence[str], *, is_dicom: bool) -> Iterator[Mapping[str, object]]:
    """Sources of mask files in finding folders, else in mask folders, else in the folder itself.

    JPEG and DICOM files are masks only in folders of masks without others, because most of them are images;
    DICOM files only if none of them `is_dicom`, an object of annotations.
    """
    if path.is_file():
        whole = [(suffix, name) for suffix, name in SUFFIXES.items() if path.name.endswith(suffix)]
        whole = [] if is_dicom else whole
        yield from ({"format": name, "pattern": "{image}" + suffix} for suffix, name in whole[:1])
        return
    exact = [*_masks_of("png", path, findings), *_masks_of("volume", path, findings)]
    several = exact or [*_masks_of("jpg", path, findings, itself=False)]
    if not several and not is_dicom:
        several = [*_masks_of("dicom_mask", path, findings, itself=False)]
    yield from several


def _may_be_pictures(source: Mapping[str, object]) -> bool:
    """Whether only its place in the folder itself says that a file is a mask.

    Files of annotation tools often lie beside the pictures that they describe.
    """
    patterns = cast("Sequence[str] | str", source["pattern"])
    several = [patterns] if isinstance(patterns, str) else patterns
    return "finding" not in source and not any("/" in pattern for pattern in several)


def _masks_of(
    name: str, path: Path, findings: Sequence[str], *, itself: bool = True
) -> Iterator[Mapping[str, object]]:
    suffixes = [suffix for suffix, format_name in SUFFIXES.items() if format_name == name]
    by_name = {plain(finding): finding for finding in reversed(findings)}
    folders = [folder for folder in sorted([*path.glob("*/"), *path.glob("*/*/")]) if folder.is_dir()]
    by_finding: list[Mapping[str, object]] = [
        {"format": name, "pattern": patterns, "finding": by_name[plain(folder.name)]}
        for folder in folders
        if plain(folder.name) in by_name and (patterns := _patterns(path, folder, suffixes))
    ]
    yield from by_finding or _without_finding(path, name, suffixes, itself=itself)


def _without_finding(
    path: Path, name: str, suffixes: Sequence[str], *, itself: bool
) -> Iterator[Mapping[str, object]]:
    """The source of masks whose folders do not name a finding; folders of instances take precedence."""
    folders = [folder for folder in path.iterdir() if folder.is_dir() and MASK_FOLDER.search(folder.name)]
    ranked = sorted(folders, key=lambda folder: ("instance" not in folder.name.lower(), folder.name))
    for choice in (ranked, [path] if itself else []):
        patterns = [pattern for folder in choice for pattern in _patterns(path, folder, suffixes)]
        if patterns:
            yield {"format": name, "pattern": patterns}
            return


def _patterns(path: Path, folder: Path, suffixes: Sequence[str]) -> list[str]:
    """One pattern per suffix of the files directly in `folder`."""
    relative = folder.relative_to(path).as_posix().replace("{", "{{").replace("}", "}}")
    start = "" if folder == path else f"{relative}/"
    return [f"{start}{{image}}{s}" for s in suffixes if any(folder.glob(f"[!.]*{s}"))]


def _tables(path: Path, findings: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """The sources of tables of boxes, points and run lengths."""
    for table in tables_in(path):
        source = _table(table, findings)
        if source:
            yield {"format": source.pop("format")} | _file(path, table.file) | source


def _table(table: Table, findings: Sequence[str]) -> dict[str, object]:
    """The source of a table, without its file; empty if it holds none of these."""
    if via_columns(table):
        return {"format": "via", **_via_options(table.file)}
    if siim_columns(table):
        return {"format": "siim_acr", "finding": named_finding("Pneumothorax", findings)}
    known = published_boxes(table)
    points = has_points(table) and table.find_image_column() is not None
    if not (known or points or has_coordinates(table)) or not _is_whole(table):
        return {}
    if known:
        return {"format": "boxes", **known.source(table, findings)}
    if points:
        return {"format": "points", "columns": box_columns(table, {}, kinds=(POINT,)).by_key}
    # With a single finding, the table need not name it.
    only = findings[0] if len(findings) == 1 else None
    columns = box_columns(table, {}, only_finding=only)
    return {"format": "boxes", "columns": columns.by_key, **({} if columns.finding else {"finding": only})}


def _is_whole(table: Table) -> bool:
    """Whether all rows can be read; a table that is damaged further down is listed as not read."""
    try:
        for _ in table.select(()):
            pass
    except ConfigError:
        return False
    return True


def _tools(path: Path) -> Iterator[Mapping[str, object]]:
    for file in files_with_suffix(path, ".json"):
        name = json_format(file)
        if name:
            yield {"format": name} | _file(path, file) | (_via_options(file) if name == "via" else {})
    for file in files_with_suffix(path, ".xml"):
        if is_cvat(first_bytes(file)):
            yield {"format": "cvat"} | _file(path, file)
    for name in ONE_PER_IMAGE:
        if files_of(name, path, most=1):
            yield {"format": name}


def _via_options(file: Path) -> dict[str, object]:
    """What names the findings of a file of VIA. Raises ConfigError if several attributes may."""
    from pipeline.annotations.via import finding_attribute  # noqa: PLC0415  # slow import

    attribute = finding_attribute(file)
    return {} if attribute is None else {"attribute": attribute}


def _file(path: Path, file: Path) -> dict[str, object]:
    return {} if file == path else {"file": file.name}
