"""Heatmap files: which map of a folder is of which image, finding and method; nothing of a map is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pipeline.annotations import find_annotations
from pipeline.annotations.seg_files import segmentations
from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import FIRST_ROW, Table, read_table
from pipeline.contents import TOO_LARGE, contents, refuse_changed
from pipeline.errors import CaseError, ConfigError
from pipeline.heatmaps import SUFFIXES
from pipeline.heatmaps.parametric_map import is_dicom, planes
from pipeline.records import HeatmapItem, MapPlane

TABLE = "heatmaps.csv"
METHOD = "heatmap"
"""What maps are called that lie in no folder of their method, and have no `method` in the table."""
SEPARATOR = "__"
CONTOURS = "dicom_seg"
NAMING = "name it <image>__<finding>.<ext>, or list it in heatmaps.csv"


@dataclass(frozen=True, slots=True)
class Meant:
    """What the table or the name of a file says that it is; empty where neither does."""

    image: str = ""
    finding: str = ""
    method: str = METHOD
    probability: float | None = None
    frame: int = 0


@dataclass(frozen=True, slots=True)
class HeatmapFiles:
    """What a folder of maps holds."""

    items: tuple[HeatmapItem, ...]
    problems: tuple[tuple[str, CaseError], ...]
    """Path below the folder, or row of the table, and why it cannot be used."""
    has_probabilities: bool

    @property
    def findings(self) -> tuple[str, ...]:
        """In the words of the files, sorted."""
        return tuple(sorted({item.finding for item in self.items}))

    @property
    def methods(self) -> tuple[str, ...]:
        """Sorted by name."""
        return tuple(sorted({item.method for item in self.items}))

    @property
    def of_contours(self) -> frozenset[str]:
        """Methods of which there are contours alone."""
        maps = {item.method for item in self.items if item.contours is None}
        return frozenset(self.methods) - maps

    @property
    def sha256(self) -> str:
        """Over what every item is of and what its file holds, wherever it lies."""
        total = hashlib.sha256()
        for item in self.items:
            total.update(repr(replace(item, path="", contours=None)).encode())
        return total.hexdigest()


def find_heatmaps(folder: Path) -> HeatmapFiles:
    """Every map of a folder, by its `heatmaps.csv`, or else by the names of the files.

    A folder without any, and a table without its columns, are ConfigErrors; a single bad file or row is one
    of the problems.
    """
    if not folder.is_dir():
        raise ConfigError(f"heatmaps.path: {folder} is not a folder; give --heatmaps <folder>")
    table = folder / TABLE
    named = _by_table(read_table(table)) if table.exists() else _by_names(folder)
    items: list[HeatmapItem] = []
    problems: list[tuple[str, CaseError]] = []
    for name, meant in named:
        try:
            items += _held(_inside(folder, name), meant)
        except CaseError as error:
            problems.append((name, error))
    if not items:
        raise ConfigError(
            f"heatmaps.path: {folder} holds no map that can be used ({len(problems)} files cannot); wanted "
            f".npy, .npz, .nii, .nii.gz, .png, DICOM Parametric Map or SEG: {NAMING}"
        )
    has_probabilities = any(item.probability is not None for item in items)
    return HeatmapFiles(tuple(items), tuple(problems), has_probabilities)


def _by_table(table: Table) -> Iterator[tuple[str, Meant]]:
    """File and what its row says of it; a row that says too little fails when its items are asked for."""
    table.column("file")
    table.column("finding")
    image = next((name for name in ("sop_instance_uid", "image") if name in table.columns), None)
    if image is None:
        raise ConfigError(f"{table.file}: has no column 'sop_instance_uid' or 'image'; {FIRST_ROW}")
    asked = any(row.get("probability") for row in table.rows)
    for row in table.rows:
        yield (
            row["file"],
            Meant(
                image=image_key(row[image]),
                finding=row["finding"],
                method=row.get("method") or METHOD,
                probability=_number(row["probability"]) if asked else None,
                frame=int(row["frame"]) if row.get("frame", "").isdigit() else 0,
            ),
        )


def _number(text: str) -> float:
    """NaN where it is none, which the item is then refused for."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _by_names(folder: Path) -> Iterator[tuple[str, Meant]]:
    """File and what its name says; the folder it lies in names the method."""
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        method = "/".join(name.parent.parts) or METHOD
        image, separator, finding = _stem(path).rpartition(SEPARATOR)
        known = separator and image and finding
        yield str(name), Meant(image_key(image), finding, method) if known else Meant(method=method)


def _stem(path: Path) -> str:
    """The name without its suffix, of which ".nii.gz" is one."""
    length = next((len(s) for s in (".nii.gz", path.suffix) if path.name.lower().endswith(s.lower())), 0)
    return path.name[: len(path.name) - length]


def _held(path: Path, meant: Meant) -> list[HeatmapItem]:
    """The maps of one file with its hash, to which the workers hold what they read. Raises CaseError."""
    held = contents(path)
    if held == TOO_LARGE:
        refuse_changed(path, held)
    items = _items(path, meant)
    drawn = (replace(item.contours, held={item.path: held}) if item.contours else None for item in items)
    return [replace(item, held=held, contours=shape) for item, shape in zip(items, drawn, strict=True)]


def _items(path: Path, meant: Meant) -> list[HeatmapItem]:
    """The maps of one file. Raises CaseError."""
    if meant.probability is not None and not 0 <= meant.probability <= 1:
        raise CaseError("probability_missing", "The map's probability is no number from 0 to 1.")
    if is_dicom(path):
        return _contours(path, meant) if segmentations(path) else _of_frames(path, meant)
    suffix = next((known for known in SUFFIXES if path.name.lower().endswith(known)), None)
    if suffix is None:
        raise CaseError("not_a_heatmap", "The file is of no format of maps.")
    return [_item(SUFFIXES[suffix], path, meant)]


def _inside(folder: Path, name: str) -> Path:
    """The place of a file; a table must not lead out of its folder."""
    path = folder / name
    if not name or ".." in path.parts or not path.is_relative_to(folder) or not path.is_file():
        raise CaseError("heatmap_missing", "heatmaps.csv names a file that is not in the folder.")
    return path


def _item(name: str, path: Path, meant: Meant, plane: int = 0) -> HeatmapItem:
    if not meant.image or not meant.finding:
        raise CaseError(
            "heatmap_unnamed", f"It is not known which image and finding the map is of; {NAMING}."
        )
    return HeatmapItem(
        format=name,
        path=str(path),
        image=meant.image,
        finding=meant.finding,
        method=meant.method,
        probability=meant.probability,
        frame=meant.frame,
        plane=plane,
    )


def _of_frames(path: Path, meant: Meant) -> list[HeatmapItem]:
    """A map a frame; where the file holds several, each says itself which image it is of."""
    found = planes(path)
    return [
        _item("parametric_map", path, _completed(meant, plane, alone=len(found) == 1), number)
        for number, plane in enumerate(found)
    ]


def _completed(meant: Meant, plane: MapPlane, *, alone: bool) -> Meant:
    """The file's own word, where table and name leave it open, or cannot tell its frames apart."""
    finding = meant.finding or plane.finding
    if alone and meant.image:
        return replace(meant, finding=finding)
    return replace(meant, image=plane.image, frame=plane.frame, finding=finding)


def _contours(path: Path, meant: Meant) -> list[HeatmapItem]:
    """The segments of a SEG, which says itself which image each is of, and by its label, which finding."""
    found = find_annotations(path, [{"format": CONTOURS}])
    labels = {item.finding for item in found}
    if meant.finding and meant.finding in labels:
        found = [item for item in found if item.finding == meant.finding]
    elif meant.finding and len(labels) > 1:
        raise CaseError(
            "heatmap_unnamed", "The SEG has several segments, none of which has the finding's name."
        )
    return [
        replace(
            _item(
                CONTOURS,
                path,
                replace(
                    meant, image=item.image, frame=item.frame, finding=meant.finding or item.finding or ""
                ),
            ),
            contours=item,
        )
        for item in found
    ]


def in_our_words(items: Iterable[HeatmapItem], names: Mapping[str, str | None]) -> Sequence[HeatmapItem]:
    """The items with the config's words for findings; those that it leaves out are gone."""
    renamed = ((item, names.get(item.finding, item.finding)) for item in items)
    return [replace(item, finding=finding) for item, finding in renamed if finding is not None]
