"""Annotations: which annotations and labels differ between two runs, by finding and reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.records.names import LABELS_READER
from pipeline.run_files import case_shapes
from pipeline.run_files.objects import is_stored, read_object

GEOMETRY = ("kind", "outlines", "boxes", "points")
"""What makes an annotation, in case.json."""
NAMED = 5
"""Most images that are named of a difference; more are counted."""

Annotations = dict[tuple[str, str], list[Any]]
"""(finding, reader) → what the reader drew; for reader "labels": the label."""


def differing_annotations(
    first: tuple[Path, Mapping[str, str]],
    second: tuple[Path, Mapping[str, str]],
    *,
    findings: Sequence[str],
) -> list[dict[str, Any]] | None:
    """What differs on the common images: {finding, reader, n, differing, images (the first ones, of A)}.

    `first` and `second`: the run's folder, and its images by what identifies them in both runs. `n` counts
    images that the reader annotated in either run. Each case is read once. None if a run lacks a case.json,
    as one does of which only the tables were kept.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    (run, images), (other_run, other_images) = first, second
    for identity, case_id in images.items():
        if identity not in other_images:
            continue
        paths = _path(run, case_id), _path(other_run, other_images[identity])
        if not all(is_stored(path) for path in paths):
            return None
        here, there = map(_annotations, paths)
        for key in sorted({key for key in here | there if key[0] in findings}):
            counts[key] += 1
            if here.get(key) != there.get(key):
                found[key].append(case_id)
    return [
        {
            "finding": finding,
            "reader": reader,
            "n": counts[finding, reader],
            "differing": len(found[finding, reader]),
            "images": found[finding, reader][:NAMED],
        }
        for finding, reader in sorted(found, key=lambda key: (findings.index(key[0]), key[1]))
    ]


def _path(run: Path, case_id: str) -> Path:
    return run / "cases" / case_id / "case.json"


def _annotations(path: Path) -> Annotations:
    """The annotations and labels of an image, in an order that does not depend on the files'."""
    case = read_object(path, case_shapes.Case)
    found: Annotations = defaultdict(list)
    for reference in case["references"]:
        drawn = {name: reference.get(name) or [] for name in GEOMETRY}
        found[reference["finding"], reference["reader"]].append(drawn)
    for finding, label in case["labels"].items():
        if label is not None:
            found[finding, LABELS_READER].append({"label": label})
    return {key: sorted(drawn, key=str) for key, drawn in found.items()}
