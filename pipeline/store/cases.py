"""Cases: one folder an image, complete as soon as its `case.json` or `skipped.json` is there."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.records import (
    Box,
    Candidates,
    Curve,
    FinishedCase,
    Heatmap,
    Outline,
    Reference,
    Region,
    Score,
    Skipped,
)
from pipeline.store.atomic import OWNER_ONLY, PASSING_PREFIX, write_bytes, writing
from pipeline.store.edges import mask_outlines
from pipeline.store.scripts import case_script

SHA256 = ".sha256"
CASE_PREFIX = "case-"
"""Of every case's pseudonym."""
SCORE_KEYS = tuple(field.name for field in fields(Score) if field.name != "case_id")
PASSING = frozenset(
    {"unreadable", "worker_died", "out_of_time", "out_of_memory", "file_changed", "text_not_looked_for"}
)
"""Reasons that may be gone at the next try."""
DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a file raises that is not what was written."""
WRITTEN = frozenset(
    {
        "case_id", "patient_id", "frame", "rows", "columns", "spacing_mm", "attributes", "labels",
        "predictions", "regions", "scores", "skipped", "candidates", "curves",
    }
)  # fmt: skip
"""What tables are made of."""
DECIMALS = 2
"""Of coordinates in pixels: finer than any outline is known."""


def case_folder(run: Path, case_id: str) -> Path:
    """Where everything of one image lies."""
    return run / "cases" / case_id


def is_finished(run: Path, case_id: str) -> bool:
    """Whether the image was audited, or set aside for a reason that another try would not change.

    What is damaged or incomplete, as a power failure may leave it, is not finished and is made anew.
    """
    skipped = why_skipped(run, case_id)
    if skipped is not None:
        return skipped.reason not in PASSING
    folder = case_folder(run, case_id)
    there = {path.name: path.stat().st_size for path in folder.glob("*")}
    whole = there.keys() >= {"case.js", "heatmaps.npz"} and all(there.values())
    return whole and _is_whole(folder / "case.json")


def why_skipped(run: Path, case_id: str) -> Skipped | None:
    """Why an image was set aside; None where it was not, or where what says so is damaged."""
    try:
        content = (case_folder(run, case_id) / "skipped.json").read_bytes()
        return Skipped(**json.loads(content))
    except (FileNotFoundError, *DAMAGE):
        return None


def _is_whole(path: Path) -> bool:
    """Whether a case.json has everything that tables are made of."""
    try:
        case: dict[str, Any] = json.loads(path.read_bytes())
        scores_of(case), candidates_of(case), curves_of(case), [Skipped(**skip) for skip in case["skipped"]]
        return case.keys() >= WRITTEN
    except (FileNotFoundError, *DAMAGE):
        return False


def write_case(run: Path, case: FinishedCase) -> None:
    """Put a finished case on disk, `case.json` last; `case.js` holds the same for its page.

    Of all its files that one alone is waited for, 2 to 4 ms; for all it would be 20. What a power failure
    took of the others is seen by `is_finished`.

    The hash of the input goes to a file of its own, for its owner alone: it tells whoever has the input which
    pseudonym it has. `crosswalk.csv` takes it up.
    """
    folder = case_folder(run, case.case_id)
    (folder / "skipped.json").unlink(missing_ok=True)
    write_bytes(folder / SHA256, case.sha256.encode(), mode=OWNER_ONLY)
    write_bytes(folder / "heatmaps.npz", _npz(case.heatmaps))
    shown = _plain(case)
    write_bytes(folder / "case.js", case_script(case, _json(shown)))
    write_bytes(folder / "case.json", _json(shown | _counted(case)), lasting=True)


def write_skipped(run: Path, skipped: Skipped) -> None:
    """Put on disk that an image was set aside."""
    write_bytes(case_folder(run, skipped.subject) / "skipped.json", _json(asdict(skipped)), lasting=True)


def read_case(run: Path, case_id: str) -> dict[str, Any] | Skipped:
    """A finished case as its JSON holds it, or why it was set aside."""
    skipped = why_skipped(run, case_id)
    if skipped is not None:
        return skipped
    content: dict[str, Any] = json.loads(
        (case_folder(run, case_id) / "case.json").read_text(encoding="utf-8")
    )
    return content


def hash_files(run: Path, case_ids: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Case id and the file with its input's sha256, of the cases whose hash is not yet in the crosswalk."""
    for case_id in case_ids:
        path = case_folder(run, case_id) / SHA256
        if path.exists():
            yield case_id, path


def sweep(run: Path, case_ids: Iterable[str]) -> None:
    """Remove what is not of this run: folders of other cases, and files that a killed run was writing.

    Of links nothing but the link itself, and of folders none that is called otherwise than a case's.
    """
    known = set(case_ids)
    cases = run / "cases"
    with writing(run):
        for path in [] if cases.is_symlink() else cases.glob(f"{CASE_PREFIX}*"):
            if path.is_symlink():
                path.unlink()
            elif path.is_dir() and path.name not in known:
                shutil.rmtree(path)
        for passing in run.rglob(f"{PASSING_PREFIX}*"):
            passing.unlink()


def scores_of(case: Mapping[str, Any]) -> list[Score]:
    """The scores in a case's JSON."""
    return [Score(case_id=case["case_id"], **score) for score in case["scores"]]


def candidates_of(case: Mapping[str, Any]) -> list[Candidates]:
    """The contours and lesions in a case's JSON, to be matched."""
    return [Candidates(case_id=case["case_id"], **row) for row in case["candidates"]]


def curves_of(case: Mapping[str, Any]) -> list[Curve]:
    """The curves over thresholds in a case's JSON."""
    return [Curve(case_id=case["case_id"], **row) for row in case["curves"]]


def _plain(case: FinishedCase) -> dict[str, Any]:
    """What `case.json` holds; `reports/README.md` describes it."""
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
        "attributes": dict(case.attributes),
        "view": _box(case.view),
        "labels": dict(case.labels),
        "predictions": [_without_case(asdict(p)) for p in case.predictions],
        "maps": [_map(h) for h in case.heatmaps],
        "peaks": [asdict(p) for p in case.peaks],
        "dropped": [asdict(d) for d in case.dropped],
        "regions": [_region(r, case.spacing_mm, units[r.finding, r.method]) for r in case.regions],
        "references": [_reference(r) for r in case.references],
        "scores": [{key: getattr(s, key) for key in SCORE_KEYS} for s in case.scores],
        "skipped": [asdict(s) for s in case.skipped],
        "cautions": [asdict(caution) for caution in case.cautions],
    }


def _counted(case: FinishedCase) -> dict[str, Any]:
    """What tables over all cases are made of, and no page shows."""
    return {
        "candidates": [_without_case(asdict(c)) for c in case.candidates],
        "curves": [_without_case(asdict(c)) for c in case.curves],
    }


def _map(heatmap: Heatmap) -> dict[str, Any]:
    """What the report's overview must know of a raw map; its cells are in `heatmaps.npz`."""
    return {
        "finding": heatmap.finding,
        "method": heatmap.method,
        "grid": heatmap.relevance.shape,
        "maximum": float(heatmap.relevance.max()),
    }


def _region(region: Region, spacing_mm: tuple[float, float] | None, unit: str) -> dict[str, Any]:
    return {
        "finding": region.finding,
        "method": region.method,
        "rule": region.rule,
        "threshold": region.threshold,
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
        "outlines": [_points(line) for mask in reference.masks for line in mask_outlines(mask)],
        "boxes": [_box(box) for box in reference.boxes],
    }


def _points(outline: Outline) -> list[list[float]]:
    points: list[list[float]] = np.round(outline.astype(np.float64), DECIMALS).tolist()
    return points


def _box(box: Box) -> list[float]:
    return [round(value, DECIMALS) for value in (box.x, box.y, box.width, box.height)]


def _without_case(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "case_id"}


def _npz(heatmaps: tuple[Heatmap, ...]) -> bytes:
    """The raw maps as .npz (no pickle, no clock in it), one array a "method/finding"."""
    buffer = io.BytesIO()
    np.savez(buffer, **{f"{h.method}/{h.finding}": h.relevance for h in heatmaps})  # type: ignore[arg-type]
    return buffer.getvalue()


def _json(content: object) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return text.encode(
        "utf-8", "backslashreplace"
    )  # a stray byte of a file name becomes JSON's own \u escape
