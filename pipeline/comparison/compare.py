"""Compare: two finished runs on the same images, by the paired bootstrap over patients; needs no model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.comparison.annotations import differing_annotations
from pipeline.comparison.pairing import (
    Side,
    check_same_images,
    comparison_rows,
    findings_only_in,
    is_one_run,
    read_side,
    refuse_same,
    verdict_pairs,
)
from pipeline.guards.symlinks import refuse_link, refuse_links
from pipeline.reporting.comparison_page import write_comparison_page
from pipeline.store.atomic import write_bytes
from pipeline.store.tables import write_table


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of a comparison."""

    index: Path
    names: tuple[str, str]
    images: int
    same_annotations: bool
    differing: Sequence[Mapping[str, Any]] | None
    """Which annotations of the common images differ, as `differing_annotations` says; None if unknown."""
    rows: Sequence[dict[str, Any]]
    """Rows of comparison.csv."""
    verdicts: Sequence[dict[str, str]]
    """Finding of both runs, its verdict in the first and the second, and their sentences where stored."""
    only_in: Mapping[str, Sequence[str]]
    """"first" and "second" → findings that the other run lacks."""


def compare(
    runs: tuple[Path, Path],
    *,
    methods: tuple[str | None, str | None],
    out: Path,
    intersect: bool,
) -> Comparison:
    """Compare one method of each run and write a folder in `out`; the same input gives the same folder."""
    first, second = (read_side(run, method) for run, method in zip(runs, methods, strict=True))
    refuse_same(first, second)
    images = check_same_images(first, second, intersect=intersect)
    only_in = findings_only_in(first, second)
    rows = comparison_rows(first, second)
    same = first.annotations_sha256 == second.annotations_sha256
    differing = [] if same else _differing(first, second)
    facts = {
        "version": __version__,
        "names": [first.name, second.name],
        "one_run": is_one_run(first, second),
        "images": images,
        "same_annotations": same,
        "differing_annotations": differing,
        "resampling": asdict(first.resampling),
        "units": first.units,
        "verdicts": verdict_pairs(first, second),
        "findings_only_in": only_in,
        "changed": {"first": dict(first.changed), "second": dict(second.changed)},
    }
    digest = hashlib.sha256(json.dumps([facts, rows], sort_keys=True).encode()).hexdigest()[:8]
    folder = out / f"comparison-{digest}"
    refuse_link(folder)
    refuse_links(folder)
    write_bytes(folder / "comparison.json", (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())
    write_table(folder, "comparison.csv", rows)
    return Comparison(
        index=write_comparison_page(folder, write=write_bytes),
        names=(first.name, second.name),
        images=images,
        same_annotations=same,
        differing=differing,
        rows=rows,
        verdicts=verdict_pairs(first, second),
        only_in=only_in,
    )


def _differing(first: Side, second: Side) -> list[dict[str, Any]] | None:
    """Which annotations differ on the images and findings of both runs."""
    common = [finding for finding in first.findings if finding in second.findings]
    one, other = (
        (side.run, {str(identity): str(case_id) for case_id, identity in side.images.items()})
        for side in (first, second)
    )
    return differing_annotations(one, other, findings=common)
