"""Annotations: what reviewers drew blind, and contours that they call right, as files to audit against."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from pipeline.errors import ConfigError
from pipeline.guards.csv_injection import escape_formulas
from pipeline.records import Mask, Reference, Shape, file_stem
from pipeline.reporting.pages import UNDECODABLE
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.review.decisions import Answer
from pipeline.review.formats import FORMATS, Images, Masks
from pipeline.review.merging import Reviewed
from pipeline.review.reading_scores import ByCase
from pipeline.review.readings import reference_of
from pipeline.review.truths import inside
from pipeline.run_files.damage import damaged
from pipeline.store.atomic import make_folder, write_bytes
from pipeline.store.tables import read_table

RIGHT: Answer = "agree"
"""Last answer that makes a contour an annotation."""
CONFIG = "annotations.yaml"
DEFAULT = "rle_json"
"""Format of the masks."""
CAVEAT = (
    "Lesions that the network did not outline are missing from these annotations, and outlines are the "
    "network's: scores of the same network against them are too good."
)
OWN = "Marks are what reviewers drew before they saw the network."
ONLY_WITHOUT = (
    "--as-annotations: {run} was scored against annotations, so its answers are about these, and nobody read "
    "it blind; give a run that was made without --annotations, or with review.blind"
)
TABLES: Mapping[str, tuple[str, ...]] = {"boxes": ("x", "y", "width", "height"), "points": ("x", "y")}
"""Annotation format, and name of the table, for marks that are no masks → its columns of numbers."""


@dataclass(slots=True)
class _Said:
    """What one reviewer says about images, by their names."""

    masks: dict[str, tuple[Shape, dict[str, list[Mask]]]] = field(default_factory=dict)
    rows: dict[str, list[tuple[str | float, ...]]] = field(default_factory=lambda: defaultdict(list))
    """Name in `TABLES` → rows of image, finding and numbers."""

    def lesions(self, image: str, shape: Shape, finding: str) -> list[Mask]:
        """The masks of a finding on an image, which mention it; empty: it is absent."""
        return self.masks.setdefault(image, (shape, {}))[1].setdefault(finding, [])


@dataclass(frozen=True, slots=True)
class Written:
    """The annotations of a review."""

    reviewers: tuple[str, ...]
    caveat: str
    """What a user of these annotations has to know."""


def write_annotations(
    run: RunFolder,
    reviewed: Iterable[Reviewed],
    folder: Path,
    *,
    readings: ByCase | None = None,
    mask_format: str = DEFAULT,
    images: Images | None = None,
) -> Written:
    """Write files of masks, tables of boxes and points, and the config that names them.

    Marks of blind readings are annotations of any run; contours called right only of one without annotations,
    and where the reviewer marked nothing. Images are called by their SOP instance UID, else by their file's
    name, as the run's crosswalk has them. Raises ConfigError for a scored run without blind readings, a run
    without crosswalk, images of several frames, an unknown format, or one that needs `images` without them.
    """
    written = FORMATS[mask_format]
    readings = readings or {}
    if run.is_scored and not readings:
        raise ConfigError(ONLY_WITHOUT.format(run=run.path))
    names = _names(run)
    said: dict[str, _Said] = defaultdict(_Said)
    _add_readings(said, run, readings, names)
    if not run.is_scored:
        _add_contours(said, run, reviewed, names)
    make_folder(folder)
    sources: list[Mapping[str, Any]] = []
    for number, reviewer in enumerate(sorted(said), start=1):
        masks: Masks = said[reviewer].masks
        if masks:
            needed = (images,) if written.needs_images else ()
            sources += written.write(folder, f"reviewer{number}", reviewer, masks, *needed)
    sources += [
        _write_rows(folder, name, said) for name in TABLES if any(s.rows[name] for s in said.values())
    ]
    caveat = " ".join([*([OWN] if readings else []), *([] if run.is_scored else [CAVEAT])])
    text = yaml.safe_dump({"annotations": {"sources": sources}}, sort_keys=False, allow_unicode=True)
    write_bytes(folder / CONFIG, f"# {caveat}\n{text}".encode("utf-8", UNDECODABLE))
    return Written(tuple(sorted(said)), caveat)


def _add_readings(said: dict[str, _Said], run: RunFolder, readings: ByCase, names: Mapping[str, str]) -> None:
    """What reviewers marked blind; `score_readings` has checked that it lies within its image."""
    for case_id, of_case in readings.items():
        case = run.case(case_id)
        shape = case["rows"], case["columns"]
        for reviewer, reading in of_case:
            _add(said[reviewer], names[case_id], reference_of(reading, reviewer, shape), shape)


def _add(said: _Said, image: str, marked: Reference, shape: Shape) -> None:
    boxes = [(box.x, box.y, box.width, box.height) for box in marked.boxes]
    points = [(point.x, point.y) for point in marked.points]
    for name, numbers in (("boxes", boxes), ("points", points)):
        said.rows[name] += [(image, marked.finding, *values) for values in numbers]
    if not (boxes or points):
        said.lesions(image, shape, marked.finding).extend(marked.masks)


def _add_contours(
    said: dict[str, _Said], run: RunFolder, reviewed: Iterable[Reviewed], names: Mapping[str, str]
) -> None:
    """The contours that reviewers call right, where they marked nothing themselves."""
    marked = {
        reviewer: {(row[0], row[1]) for rows in of.rows.values() for row in rows}
        | {(image, finding) for image, (_, found) in of.masks.items() for finding in found if found[finding]}
        for reviewer, of in said.items()
    }
    for entry in reviewed:
        right = [name for name, given in entry.by_reviewer.items() if given.last == RIGHT]
        if entry.subject.kind != "contour" or not right:
            continue
        case = run.case(entry.case_id)
        shape = case["rows"], case["columns"]
        image, finding = names[entry.case_id], entry.subject.finding
        mask = inside(_outlines(case, entry), shape)
        for reviewer in right:
            if (image, finding) not in marked.get(reviewer, ()):
                said[reviewer].lesions(image, shape, finding).append(mask)


def _outlines(case: Case, entry: Reviewed) -> list[list[list[float]]]:
    """The outlines of one contour: its border, and those of its holes."""
    key = entry.subject.finding, entry.subject.by
    contours = [region for region in case["regions"] if (region["finding"], region["method"]) == key]
    outlines: list[list[list[float]]] = contours[entry.subject.number - 1]["outlines"]
    return outlines


def _write_rows(folder: Path, name: str, said: Mapping[str, _Said]) -> Mapping[str, Any]:
    """Write the table of all reviewers' boxes or points; the source that reads it."""
    columns = ("image", "finding", "reader", *TABLES[name])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for reviewer in sorted(said):
        for image, finding, *numbers in said[reviewer].rows[name]:
            table.writerow([*map(escape_formulas, (str(image), str(finding), reviewer)), *numbers])
    write_bytes(folder / f"{name}.csv", text.getvalue().encode("utf-8", UNDECODABLE))
    return {
        "format": name,
        "file": f"{name}.csv",
        "origin": "centre",
        "columns": {column: column for column in columns},
    }


def _names(run: RunFolder) -> dict[str, str]:
    """Case id → the image's name in annotations."""
    rows = [row for row in read_table(run.path, "crosswalk.csv") if row["kind"] == "image"]
    names: dict[str, str] = {}
    for row in rows:
        if row["frame"] != "0":
            raise ConfigError(
                f"--as-annotations: {run.path} has images of several frames, which files of run lengths do "
                "not name; leave --as-annotations out"
            )
        names[row["pseudonym"]] = row["sop_instance_uid"] or _path_name(row["file"])
    if missing := [case_id for case_id in run.case_ids if case_id not in names]:
        raise damaged(run.path / "crosswalk.csv", f"has no row for the image {missing[0]}")
    return names


def _path_name(path: str) -> str:
    """The path below the study folder without suffix, which is unique."""
    folder = PurePosixPath(path).parent.as_posix()
    return file_stem(path) if folder == "." else f"{folder}/{file_stem(path)}"
