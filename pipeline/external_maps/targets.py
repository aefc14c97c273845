"""Targets: what each file of maps shows, by a table or by the files' names, without opening the maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from sys import intern

from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import FIRST_ROW, read_table
from pipeline.errors import ConfigError
from pipeline.external_maps.formats import suffix_of
from pipeline.records import Placement

TABLE = "heatmaps.csv"
METHOD = "heatmap"
"""Method name of maps that are not in a subfolder and have no `method` in the table."""
SEPARATOR = "__"
NAMING = "name the file <image>__<finding>.<ext>, or list it in heatmaps.csv"
MOST_MAPS = 250_000
"""Maps of one run, which are all listed in memory."""
TOO_MANY = f"names more than {MOST_MAPS:,} maps; split them, and score each part in a run of its own"


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
    operating_point: float | None = None
    """Probability from which the finding counts as predicted; None: that of the config."""
    placement: Placement | None = None
    """Position of the map's grid on the image; None: it covers the whole image."""


def targets_by_table(file: Path) -> list[tuple[str, MapTarget]]:
    """File name and target of each row; incomplete rows are refused where the file is opened."""
    table = read_table(file)
    table.column("file")
    table.column("finding")
    image = next((name for name in ("sop_instance_uid", "image") if name in table.columns), None)
    if image is None:
        raise ConfigError(f"{file}: has no column 'sop_instance_uid' or 'image'; {FIRST_ROW}")
    others = [name for name in ("method", "probability", "frame") if name in table.columns]
    found: list[tuple[str, MapTarget]] = []
    for row in table.select(("file", "finding", image, *others)):
        if len(found) >= MOST_MAPS:
            raise ConfigError(f"{file}: {TOO_MANY}")
        target = MapTarget(
            image=image_key(row[image]),
            finding=intern(row["finding"]),
            method=intern(row.get("method") or METHOD),
            probability=_number(row["probability"]) if row.get("probability") else None,
            frame=_frame(row.get("frame", "")),
        )
        found.append((row["file"], target))
    if any(target.probability is not None for _, target in found):
        return [(name, _with_probability(target)) for name, target in found]
    return found


def _with_probability(target: MapTarget) -> MapTarget:
    """The target, NaN where it has no probability, which is refused where the file is opened."""
    return target if target.probability is not None else replace(target, probability=float("nan"))


def _frame(text: str) -> int | None:
    """The number of a frame, counted from 0; None if the cell is empty, -1 (no frame) if it is malformed."""
    if not text:
        return None
    return int(text) if text.isdecimal() else -1


def _number(text: str) -> float:
    """The number; NaN if it is malformed, which is refused where the file is opened."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def targets_by_names(folder: Path) -> Iterator[tuple[str, MapTarget]]:
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
