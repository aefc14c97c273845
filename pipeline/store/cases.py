"""Cases: one folder per image, complete once it has its `case.json` or `skipped.json`."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.records import (
    Box,
    Candidates,
    Curve,
    FinishedCase,
    Fit,
    Heatmap,
    Intensity,
    Mask,
    Outline,
    Prediction,
    Reference,
    Region,
    Score,
    Skipped,
)
from pipeline.run_files.arrays import read_maps
from pipeline.run_files.objects import finished_case, packed, read_content, skipped_entry
from pipeline.run_files.scripts import incomplete, is_archive
from pipeline.store.atomic import OWNER_ONLY, TEMPORARY_PREFIX, write_bytes, writing
from pipeline.store.edges import mask_outlines
from pipeline.store.scripts import case_script, json_bytes, shown_findings

SHA256 = ".sha256"
CASE_PREFIX = "case-"
"""Prefix of every case's pseudonym."""
SCORE_KEYS = tuple(field.name for field in fields(Score) if field.name != "case_id")
TRANSIENT_REASONS = frozenset(
    {"unreadable", "worker_died", "out_of_time", "out_of_memory", "file_changed", "text_not_looked_for"}
)
"""Transient failures, retried on resume."""
TABLE_DATA = ("candidates", "curves", "fits", "look")
"""Keys of `case.json` for the tables over all cases; no page shows them."""
PACKING = 6
"""Compression level of gzip."""
DECIMALS = 2
"""Of coordinates in pixels; finer than the accuracy of any outline."""


def case_folder(run: Path, case_id: str) -> Path:
    """The folder with all files of one image."""
    return run / "cases" / case_id


def is_finished(run: Path, case_id: str) -> bool:
    """Whether the image was audited, or skipped for a permanent reason.

    A case that is damaged or incomplete, for example after a power failure, counts as unfinished.
    """
    skipped = why_skipped(run, case_id)
    if skipped is not None:
        return skipped.reason not in TRANSIENT_REASONS
    folder = case_folder(run, case_id)
    if incomplete(folder) is not None or not is_archive(folder / "heatmaps.npz"):
        return False
    content = finished_case(folder / "case.json")
    return content is not None and content["case_id"] == case_id


def why_skipped(run: Path, case_id: str) -> Skipped | None:
    """Why an image was skipped; None if it was not, or if skipped.json is damaged."""
    content = skipped_entry(case_folder(run, case_id) / "skipped.json")
    return Skipped(**content) if content is not None and content["subject"] == case_id else None


def write_case(run: Path, case: FinishedCase, *, page: bool = True) -> None:
    """Write a finished case, `case.json` last; `case.js` holds the same data for the case's page.

    Without `page`, there is no `case.js`, and maps and `case.json` are compressed (`case.json.gz`).

    Only `case.json` is synced to disk, which takes 2 to 4 ms (20 ms for all files). If a power failure
    damages the others, `is_finished` notices.

    The hash of the input is in a separate file that only its owner can read, because it links the input to
    its pseudonym. It is later moved to `crosswalk.csv`.
    """
    folder = case_folder(run, case.case_id)
    (folder / "skipped.json").unlink(missing_ok=True)
    write_bytes(folder / SHA256, case.sha256.encode(), mode=OWNER_ONLY)
    maps = {f"{heatmap.method}/{heatmap.finding}": heatmap.relevance for heatmap in case.heatmaps}
    write_bytes(folder / "heatmaps.npz", _npz(maps, np.savez if page else np.savez_compressed))
    content, path = case_content(case), folder / "case.json"
    shown, tables = json_bytes(content), json_bytes(_table_data(case))
    whole = shown[:-1] + b", " + tables[1:]
    for old in (path, packed(path)):
        old.unlink(missing_ok=True)
    if page:
        script = case_script(shown, shown_findings(content), case.heatmaps, case.references)
        write_bytes(folder / "case.js", script)
        write_bytes(path, whole, durable=True)
    else:
        write_bytes(packed(path), gzip.compress(whole, PACKING, mtime=0), durable=True)


def pack_case(run: Path, case_id: str) -> None:
    """Compress maps and `case.json` of a case without a page, as `write_case` does without `page`."""
    folder = case_folder(run, case_id)
    path, maps = folder / "case.json", folder / "heatmaps.npz"
    write_bytes(maps, _npz(read_maps(maps), np.savez_compressed))
    if path.exists():
        write_bytes(packed(path), gzip.compress(path.read_bytes(), PACKING, mtime=0), durable=True)
        path.unlink()


def write_page_data(
    run: Path, content: Mapping[str, Any], heatmaps: Sequence[Heatmap], references: Sequence[Reference]
) -> None:
    """Write `case.js` of a case whose JSON is `content`, as `write_case` does with `page`."""
    shown = {key: value for key, value in content.items() if key not in TABLE_DATA}
    script = case_script(json_bytes(shown), shown_findings(shown), heatmaps, references)
    write_bytes(case_folder(run, content["case_id"]) / "case.js", script)


def write_skipped(run: Path, skipped: Skipped) -> None:
    """Write the reason why an image was skipped."""
    write_bytes(case_folder(run, skipped.subject) / "skipped.json", json_bytes(asdict(skipped)), durable=True)


def read_case(run: Path, case_id: str) -> dict[str, Any] | Skipped:
    """The JSON of a finished case, or why the case was skipped. Raises ConfigError if there is none."""
    skipped = why_skipped(run, case_id)
    if skipped is not None:
        return skipped
    return read_content(case_folder(run, case_id) / "case.json")


def hash_files(run: Path, case_ids: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Case id and hash file of each case whose input hash is not in the crosswalk yet."""
    for case_id in case_ids:
        path = case_folder(run, case_id) / SHA256
        if path.exists():
            yield case_id, path


def remove_leftovers(run: Path, case_ids: Iterable[str]) -> None:
    """Remove folders of cases that are not in this run, and temporary files of killed runs.

    Links are removed but not followed, and folders without a case's name are left alone.
    """
    known = set(case_ids)
    cases = run / "cases"
    with writing(run):
        for path in [] if cases.is_symlink() else cases.glob(f"{CASE_PREFIX}*"):
            if path.is_symlink():
                path.unlink()
            elif path.is_dir() and path.name not in known:
                shutil.rmtree(path)
        for temporary in run.rglob(f"{TEMPORARY_PREFIX}*"):
            temporary.unlink()


def candidates_of(case: Mapping[str, Any]) -> list[Candidates]:
    """The contours and lesions in a case's JSON, for matching."""
    return [Candidates(case_id=case["case_id"], **row) for row in case["candidates"]]


def curves_of(case: Mapping[str, Any]) -> list[Curve]:
    """The curves over thresholds in a case's JSON."""
    return [Curve(case_id=case["case_id"], **row) for row in case["curves"]]


def fits_of(case: Mapping[str, Any]) -> list[Fit]:
    """The fits of maps and annotations in a case's JSON."""
    return [Fit(case_id=case["case_id"], **row) for row in case["fits"]]


def case_content(case: FinishedCase) -> dict[str, Any]:
    """Content of `case.json`, which `reports/README.md` describes."""
    rows, columns = case.shape
    units = {(h.finding, h.method): h.unit for h in case.heatmaps}
    return {
        "case_id": case.case_id,
        "patient_id": case.patient_id,
        "object_id": case.object_id,
        "frame": case.frame,
        "rows": rows,
        "columns": columns,
        "spacing_mm": case.spacing_mm,
        "spacing_at": case.spacing_at,
        "directions": case.directions,
        "attributes": dict(case.attributes),
        "view": _box(case.view),
        "labels": dict(case.labels),
        "predictions": [_without_case(p) for p in case.predictions],
        "maps": [_map(h) for h in case.heatmaps],
        "peaks": [asdict(p) for p in case.peaks],
        "dropped": [asdict(d) for d in case.dropped],
        "regions": [_region(r, case.spacing_mm, units[r.finding, r.method]) for r in case.regions],
        "references": [_reference(r) for r in case.references],
        "scores": [{key: getattr(s, key) for key in SCORE_KEYS} for s in case.scores],
        "skipped": [asdict(s) for s in case.skipped],
        "cautions": [asdict(caution) for caution in case.cautions],
    }


def _table_data(case: FinishedCase) -> dict[str, Any]:
    """The values of `TABLE_DATA`."""
    return {
        "candidates": [_without_case(c) for c in case.candidates],
        "curves": [_without_case(c) for c in case.curves],
        "fits": [_without_case(f) for f in case.fits],
        "look": case.look,
    }


def _map(heatmap: Heatmap) -> dict[str, Any]:
    """Facts about a raw map, with its place on the image; its cells are in `heatmaps.npz`."""
    return {
        "finding": heatmap.finding,
        "method": heatmap.method,
        "grid": heatmap.relevance.shape,
        "scale": heatmap.placement.scale,
        "offset": heatmap.placement.offset,
        "overhang": heatmap.placement.overhang,
        "maximum": float(heatmap.relevance.max()),
    }


def _region(region: Region, spacing_mm: tuple[float, float] | None, unit: str) -> dict[str, Any]:
    return {
        "finding": region.finding,
        "method": region.method,
        "rule": region.rule,
        "level": region.level,
        "unit": unit,
        "area_px": region.area_px,
        "area_mm2": spacing_mm and round(region.area_px * spacing_mm[0] * spacing_mm[1], DECIMALS),
        "peak": region.peak,
        "outlines": [_points(outline) for outline in region.outlines],
    }


def _reference(reference: Reference) -> dict[str, Any]:
    return {
        "finding": reference.finding,
        "reader": reference.reader,
        "kind": reference.kind,
        "outlines": [_points(line) for line in reference.polygons or _mask_outlines(reference.masks)],
        "boxes": [_box(box) for box in reference.boxes],
        "points": [[round(point.x, DECIMALS), round(point.y, DECIMALS)] for point in reference.points],
    }


def _mask_outlines(masks: Iterable[Mask]) -> list[Outline]:
    return [line for mask in masks for line in mask_outlines(mask)]


def _points(outline: Outline) -> list[list[float]]:
    points: list[list[float]] = np.round(outline.astype(np.float64), DECIMALS).tolist()
    return points


def _box(box: Box) -> list[float]:
    return [round(value, DECIMALS) for value in (box.x, box.y, box.width, box.height)]


def _without_case(record: Candidates | Curve | Fit | Prediction) -> dict[str, Any]:
    """The fields of a record but `case_id`; `asdict` would copy each of their numbers."""
    return {key: getattr(record, key) for key in record.__slots__ if key != "case_id"}


def _npz(maps: Mapping[str, Intensity], save: Callable[..., None]) -> bytes:
    """The raw maps, "method/finding" → relevance, as .npz without pickles and timestamps."""
    buffer = io.BytesIO()
    save(buffer, **maps)
    return buffer.getvalue()
