"""Catalogue: the image, finding and method of each map in a folder, without reading the maps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.annotations import find_annotations
from pipeline.annotations.seg_files import segmentations
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.executors.here import Here
from pipeline.executors.single import require
from pipeline.external_maps.formats import format_of
from pipeline.external_maps.formats.parametric_map import is_dicom, planes
from pipeline.external_maps.own_segments import own_segments
from pipeline.external_maps.targets import (
    METHOD,
    MOST_MAPS,
    NAMING,
    TABLE,
    TOO_MANY,
    MapTarget,
    targets_by_names,
    targets_by_table,
)
from pipeline.guards.file_hashes import TOO_LARGE, file_hash, refuse_changed
from pipeline.records import HeatmapItem, MapPlane

CONTOURS = "dicom_seg"


@dataclass(frozen=True, slots=True)
class MapCatalogue:
    """The maps in a folder."""

    items: tuple[HeatmapItem, ...]
    """One item per map."""
    problems: tuple[tuple[str, CaseError], ...]
    """Path below the folder, as found or as in the table, and why the file cannot be used."""
    has_probabilities: bool
    """Whether any map has a probability."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Sorted findings, as named in the files."""
        return tuple(sorted({item.finding for item in self.items}))

    @property
    def methods(self) -> tuple[str, ...]:
        """Sorted method names."""
        return tuple(sorted({item.method for item in self.items}))

    @property
    def of_contours(self) -> frozenset[str]:
        """Methods that have only contours and no maps."""
        maps = {item.method for item in self.items if item.contours is None}
        return frozenset(self.methods) - maps

    @property
    def sha256(self) -> str:
        """A hash over all items and the contents of their files, independent of paths."""
        total = hashlib.sha256()
        for item in self.items:
            total.update(repr(replace(item, path="", contours=None)).encode())
        return total.hexdigest()


def find_maps(folder: Path, *, executor: Executor | None = None) -> MapCatalogue:
    """All maps of a folder, from its `heatmaps.csv` or, without that table, from the file names.

    `executor` opens the files. A bad file or row is listed in `problems`. Raises ConfigError if the folder
    has no usable map, more than `MOST_MAPS`, or if the table cannot be read or lacks a column.
    """
    if not folder.is_dir():
        raise ConfigError(f"heatmaps.path: {folder} is not a folder; give --heatmaps <folder>")
    executor = executor or Here()
    table = folder / TABLE
    targets = (
        require(executor, targets_by_table, table, where=str(table))
        if table.exists()
        else [*targets_by_names(folder)]
    )
    items: list[HeatmapItem] = []
    problems: list[tuple[str, CaseError]] = []
    found = executor.stream(partial(_items_of_file, folder), targets, on_failure=_refused)
    for (name, _), of_file in zip(targets, found, strict=True):
        if isinstance(of_file, CaseError):
            problems.append((name, of_file))
        else:
            items += of_file
        if len(items) > MOST_MAPS:
            raise ConfigError(f"heatmaps.path: {folder}: {TOO_MANY}")
    if not items:
        raise ConfigError(
            f"heatmaps.path: {folder} holds no usable map (unusable files: {len(problems)}); provide "
            f".npy, .npz, .nii, .nii.gz, .png, DICOM Parametric Map or SEG files, and {NAMING}"
        )
    has_probabilities = any(item.probability is not None for item in items)
    return MapCatalogue(tuple(items), tuple(problems), has_probabilities)


def _refused(_target: object, error: CaseError) -> list[HeatmapItem] | CaseError:
    return error


def _items_of_file(folder: Path, named: tuple[str, MapTarget]) -> list[HeatmapItem] | CaseError:
    """The maps of one file with its hash, so that workers notice a change; runs in a worker.

    Raises CaseError.
    """
    name, target = named
    path = _existing_file(folder, name)
    sha256 = file_hash(path)
    if sha256 == TOO_LARGE:
        refuse_changed(path, sha256)
    items = _items(path, target)
    contours = (
        replace(item.contours, hashes={item.path: sha256}) if item.contours else None for item in items
    )
    return [
        replace(item, sha256=sha256, contours=outline) for item, outline in zip(items, contours, strict=True)
    ]


def _items(path: Path, target: MapTarget) -> list[HeatmapItem]:
    """The maps of one file. Raises CaseError."""
    if is_dicom(path):
        return _contours(path, target) if segmentations(path) else _parametric_maps(path, target)
    format_name = format_of(path)
    if format_name is None:
        raise CaseError(
            "not_a_heatmap",
            "The file is not a map; save it as .npy, .npz, .nii, .nii.gz, .png or DICOM Parametric Map.",
        )
    return [_item(format_name, path, target)]


def _existing_file(folder: Path, name: str) -> Path:
    """The path of a file in the folder. Raises CaseError if it is missing or outside the folder."""
    path = folder / name
    if not name or ".." in path.parts or not path.is_relative_to(folder) or not path.is_file():
        message = "heatmaps.csv names a file that is not in the folder; add the file, or correct the table."
        raise CaseError("heatmap_missing", message)
    return path


def _item(name: str, path: Path, target: MapTarget, plane: int = 0) -> HeatmapItem:
    if not target.image or not target.finding:
        raise CaseError("heatmap_unnamed", f"The image or finding of the map is unknown; {NAMING}.")
    if not all(0 <= share <= 1 for share in (target.probability or 0, target.operating_point or 0)):
        raise CaseError(
            "probability_missing",
            "The map's probability is missing or not a number from 0 to 1; correct heatmaps.csv or the file.",
        )
    return HeatmapItem(
        format=name,
        path=str(path),
        image=target.image,
        finding=target.finding,
        method=target.method,
        probability=target.probability,
        operating_point=target.operating_point,
        placement=target.placement,
        frame=target.frame,
        plane=plane,
    )


def _parametric_maps(path: Path, target: MapTarget) -> list[HeatmapItem]:
    """One map per frame of a Parametric Map; with several frames, each refers to its own image."""
    found = planes(path)
    return [
        _item("parametric_map", path, _completed(target, plane, alone=len(found) == 1), number)
        for number, plane in enumerate(found)
    ]


def _completed(target: MapTarget, plane: MapPlane, *, alone: bool) -> MapTarget:
    """The target, completed from the frame; with several frames, the image is always the frame's own.

    What a table or a folder says counts more than the frame.
    """
    target = replace(
        target,
        finding=target.finding or plane.finding,
        method=(plane.method or METHOD) if target.method == METHOD else target.method,
        probability=plane.probability if target.probability is None else target.probability,
        operating_point=plane.operating_point,
        placement=plane.placement,
    )
    if alone and target.image:
        return target
    return replace(target, image=plane.image, frame=plane.frame)


def _contours(path: Path, target: MapTarget) -> list[HeatmapItem]:
    """One item per image and segment of a SEG; a segment's label is its finding, unless `target` has one.

    Segments of `heatproof export` say their finding and method in full.
    """
    named = own_segments(path)
    try:
        found = find_annotations(path, [{"format": CONTOURS}])
    except ConfigError as error:
        raise CaseError(
            "too_large", "The SEG holds too many segments; split it into several files."
        ) from error
    names = [named.get(item.finding or "", (item.finding or "", METHOD)) for item in found]
    entries = list(zip(found, names, strict=True))
    if target.finding and any(finding == target.finding for _, (finding, _) in entries):
        entries = [entry for entry in entries if entry[1][0] == target.finding]
    elif target.finding and len({item.finding for item in found}) > 1:
        raise CaseError(
            "heatmap_unnamed",
            "The SEG has several segments, but none with the finding's name; give a segment that label.",
        )
    return [
        replace(
            _item(
                CONTOURS,
                path,
                replace(
                    target,
                    image=item.image,
                    frame=item.frame,
                    finding=target.finding or finding,
                    method=method if target.method == METHOD else target.method,
                ),
            ),
            contours=item,
        )
        for item, (finding, method) in entries
    ]


def rename_findings(items: Iterable[HeatmapItem], names: Mapping[str, str | None]) -> Sequence[HeatmapItem]:
    """The items with findings renamed by `names`, without those that it maps to None."""
    renamed = ((item, names.get(item.finding, item.finding)) for item in items)
    return [replace(item, finding=finding) for item, finding in renamed if finding is not None]
