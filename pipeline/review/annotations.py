"""Annotations: the contours of a run without annotations called right, as files to audit against."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml

from pipeline.annotations.outlined import filled
from pipeline.annotations.run_lengths import runs_of
from pipeline.errors import ConfigError
from pipeline.records import Mask, Shape, file_stem
from pipeline.reporting.pages import UNDECODABLE
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.review.decisions import Answer
from pipeline.review.merging import Reviewed
from pipeline.run_files.damage import damaged
from pipeline.store.atomic import make_folder, write_bytes
from pipeline.store.tables import read_table

RIGHT: Answer = "agree"
"""Answer that makes a contour an annotation."""
CONFIG = "annotations.yaml"
CAVEAT = (
    "Lesions that the network did not outline are missing from these annotations, and outlines are the "
    "network's: scores of the same network against them are too good."
)
ONLY_WITHOUT = (
    "--as-annotations: {run} was scored against annotations, so its answers are about these; give a run that "
    "was made without --annotations"
)

Masks = Mapping[str, Mapping[str, list[dict[str, Any]]]]
"""Image → finding → masks as run lengths."""


def write_annotations(run: RunFolder, reviewed: Iterable[Reviewed], folder: Path) -> list[Path]:
    """Write one file of masks per reviewer, and the config that names them; returns the files of masks.

    Images are called by their SOP instance UID, else by their file's name, as the run's crosswalk has them.
    Raises ConfigError for a run that was scored, without crosswalk, or with images of several frames.
    """
    if run.is_scored:
        raise ConfigError(ONLY_WITHOUT.format(run=run.path))
    found = _masks(run, reviewed, _names(run))
    make_folder(folder)
    files = {reviewer: folder / f"reviewer{number}.json" for number, reviewer in enumerate(sorted(found), 1)}
    for reviewer, file in files.items():
        write_bytes(file, json.dumps(found[reviewer], sort_keys=True).encode())
    sources = [
        {"format": "rle_json", "file": file.name, "reader": reviewer} for reviewer, file in files.items()
    ]
    text = yaml.safe_dump({"annotations": {"sources": sources}}, sort_keys=False, allow_unicode=True)
    write_bytes(folder / CONFIG, f"# {CAVEAT}\n{text}".encode("utf-8", UNDECODABLE))
    return list(files.values())


def _masks(run: RunFolder, reviewed: Iterable[Reviewed], names: Mapping[str, str]) -> dict[str, Masks]:
    """Reviewer → the masks of the contours that he calls right."""
    found: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for entry in reviewed:
        right = [name for name, given in entry.by_reviewer.items() if given.answer == RIGHT]
        if entry.subject.kind != "contour" or not right:
            continue
        case = run.case(entry.case_id)
        shape = case["rows"], case["columns"]
        mask = runs_of(_mask(_outlines(case, entry), shape))
        for reviewer in right:
            found[reviewer][names[entry.case_id]][entry.subject.finding].append(mask)
    return dict(found)


def _outlines(case: Case, entry: Reviewed) -> Sequence[Sequence[Sequence[float]]]:
    """The outlines of one contour: its border, and those of its holes."""
    key = entry.subject.finding, entry.subject.by
    contours = [region for region in case["regions"] if (region["finding"], region["method"]) == key]
    outlines: Sequence[Sequence[Sequence[float]]] = contours[entry.subject.number - 1]["outlines"]
    return outlines


def _mask(outlines: Sequence[Sequence[Sequence[float]]], shape: Shape) -> Mask:
    """The pixels inside an odd number of outlines."""
    inside = np.zeros(shape, np.bool_)
    for outline in outlines:
        inside ^= filled(np.asarray(outline, np.float64), shape)
    return inside


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
