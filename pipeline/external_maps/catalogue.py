"""Catalogue: the image, finding and method of each map in a folder, without reading the maps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pipeline.annotations import find_annotations
from pipeline.annotations.seg_files import segmentations
from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import FIRST_ROW, Table, read_table
from pipeline.errors import CaseError, ConfigError
from pipeline.external_maps.formats import format_of, suffix_of
from pipeline.external_maps.formats.parametric_map import is_dicom, planes
from pipeline.guards.file_hashes import TOO_LARGE, file_hash, refuse_changed
from pipeline.records import HeatmapItem, MapPlane

TABLE = "heatmaps.csv"
METHOD = "heatmap"
"""Method name of maps that are not in a subfolder and have no `method` in the table."""
SEPARATOR = "__"
CONTOURS = "dicom_seg"
NAMING = "name the file <image>__<finding>.<ext>, or list it in heatmaps.csv"


@dataclass(frozen=True, slots=True)
class MapTarget:
    """What a map shows, according to the table or its file name; empty where unknown."""

    image: str = ""
    """SOP instance UID of the image, or its name without suffix, with folders if they were given."""
    finding: str = ""
    """The finding as named in the file."""
    method: str = METHOD
    """The attribution method."""
    probability: float | None = None
    """Predicted probability 0 … 1; None if unknown."""
    frame: int | None = None
    """Frame of the image, counted from 0; None: it is not stated."""


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


def find_maps(folder: Path) -> MapCatalogue:
    """All maps of a folder, from its `heatmaps.csv` or, without that table, from the file names.

    A bad file or row is listed in `problems`. Raises ConfigError if the folder has no usable map, or the
    table lacks a column.
    """
    if not folder.is_dir():
        raise ConfigError(f"heatmaps.path: {folder} is not a folder; give --heatmaps <folder>")
    table = folder / TABLE
    targets = _by_table(read_table(table)) if table.exists() else _by_names(folder)
    items: list[HeatmapItem] = []
    problems: list[tuple[str, CaseError]] = []
    for name, target in targets:
        try:
            items += _items_of_file(_existing_file(folder, name), target)
        except CaseError as error:
            problems.append((name, error))
    if not items:
        raise ConfigError(
            f"heatmaps.path: {folder} holds no usable map (unusable files: {len(problems)}); provide "
            f".npy, .npz, .nii, .nii.gz, .png, DICOM Parametric Map or SEG files, and {NAMING}"
        )
    has_probabilities = any(item.probability is not None for item in items)
    return MapCatalogue(tuple(items), tuple(problems), has_probabilities)


def _by_table(table: Table) -> Iterator[tuple[str, MapTarget]]:
    """File name and target of each row; incomplete rows are refused later, by `_items_of_file`."""
    table.column("file")
    table.column("finding")
    image = next((name for name in ("sop_instance_uid", "image") if name in table.columns), None)
    if image is None:
        raise ConfigError(f"{table.file}: has no column 'sop_instance_uid' or 'image'; {FIRST_ROW}")
    has_probabilities = any(row.get("probability") for row in table.rows)
    for row in table.rows:
        yield (
            row["file"],
            MapTarget(
                image=image_key(row[image]),
                finding=row["finding"],
                method=row.get("method") or METHOD,
                probability=_number(row["probability"]) if has_probabilities else None,
                frame=_frame(row.get("frame", "")),
            ),
        )


def _frame(text: str) -> int | None:
    """The number of a frame, counted from 0; None if the cell is empty, -1 (no frame) if it is malformed."""
    if not text:
        return None
    return int(text) if text.isdecimal() else -1


def _number(text: str) -> float:
    """The number; NaN if it is malformed, which `_items` refuses."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _by_names(folder: Path) -> Iterator[tuple[str, MapTarget]]:
    """File name and target of each file; the subfolder names the method."""
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        method = "/".join(name.parent.parts) or METHOD
        image, separator, finding = _stem(path).rpartition(SEPARATOR)
        complete = separator and image and finding
        target = MapTarget(image_key(image), finding, method) if complete else MapTarget(method=method)
        yield str(name), target


def _stem(path: Path) -> str:
    """The file name without its suffix, where a format's own suffix such as ".nii.gz" counts as one."""
    return path.name[: len(path.name) - len(suffix_of(path) or path.suffix)]


def _items_of_file(path: Path, target: MapTarget) -> list[HeatmapItem]:
    """The maps of one file with its hash, so that workers notice a change. Raises CaseError."""
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
    if target.probability is not None and not 0 <= target.probability <= 1:
        raise CaseError(
            "probability_missing",
            "The map's probability is missing or not a number from 0 to 1; correct heatmaps.csv.",
        )
    if is_dicom(path):
        return _contours(path, target) if segmentations(path) else _parametric_maps(path, target)
    name = format_of(path)
    if name is None:
        raise CaseError(
            "not_a_heatmap",
            "The file is not a map; save it as .npy, .npz, .nii, .nii.gz, .png or DICOM Parametric Map.",
        )
    return [_item(name, path, target)]


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
    return HeatmapItem(
        format=name,
        path=str(path),
        image=target.image,
        finding=target.finding,
        method=target.method,
        probability=target.probability,
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
    """The target, completed from the frame; with several frames, the image is always the frame's own."""
    finding = target.finding or plane.finding
    if alone and target.image:
        return replace(target, finding=finding)
    return replace(target, image=plane.image, frame=plane.frame, finding=finding)


def _contours(path: Path, target: MapTarget) -> list[HeatmapItem]:
    """One item per image and segment of a SEG; a segment's label is its finding, unless `target` has one."""
    found = find_annotations(path, [{"format": CONTOURS}])
    labels = {item.finding for item in found}
    if target.finding and target.finding in labels:
        found = [item for item in found if item.finding == target.finding]
    elif target.finding and len(labels) > 1:
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
                    target, image=item.image, frame=item.frame, finding=target.finding or item.finding or ""
                ),
            ),
            contours=item,
        )
        for item in found
    ]


def rename_findings(items: Iterable[HeatmapItem], names: Mapping[str, str | None]) -> Sequence[HeatmapItem]:
    """The items with findings renamed by `names`, without those that it maps to None."""
    renamed = ((item, names.get(item.finding, item.finding)) for item in items)
    return [replace(item, finding=finding) for item, finding in renamed if finding is not None]
