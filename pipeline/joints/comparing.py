"""Comparing: two finished runs on the same images → paired differences, by the statistics of an audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from pipeline.errors import AuditError, ConfigError
from pipeline.joints.frames import read_cases, read_predictions, read_scores
from pipeline.joints.headlines import Row, blocks, corrected, difference_row, paired
from pipeline.links import refuse_links
from pipeline.metrics import METRICS
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.classification import replicated_auroc
from pipeline.metrics.comparison import difference
from pipeline.registry import did_you_mean
from pipeline.reporting.run_folder import json_of
from pipeline.store.tables import read_table

MANIFEST = MappingProxyType(
    {"findings": list, "methods": list, "statistics": dict, "annotations_sha256": str}
)
"""What no comparison can do without in manifest.json."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, and the method in it that is compared."""

    run: Path
    method: str
    findings: tuple[str, ...]
    annotations_sha256: str
    resampling: Resampling
    units: str
    """What was resampled in the run: patients or images."""
    images: pd.Series[str]
    """Case id → SOP instance UID and frame, or the case id itself where the crosswalk is not at hand."""

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.run.name}: {self.method}"


def read_side(run: Path, method: str | None) -> Side:
    """A finished run; without `method`, the first of its network's. What is not there is a ConfigError."""
    refuse_links(run)
    try:
        manifest = json_of(run / "manifest.json", MANIFEST)
    except AuditError as error:
        message = f"{run}: is no folder of a finished run: manifest.json cannot be read"
        raise ConfigError(message) from error
    names = [entry["name"] for entry in manifest["methods"]]
    chosen = method or next(e["name"] for e in manifest["methods"] if e["kind"] == "network")
    if chosen not in names:
        raise ConfigError(f"{run}: has no method '{chosen}'{did_you_mean(chosen, names)}")
    cases = read_cases(run)
    known = {
        row["pseudonym"]: f"{row['sop_instance_uid']} {row['frame']}"
        for row in _crosswalk(run)
        if row["sop_instance_uid"]
    }
    images = pd.Series([known.get(case, case) for case in cases.index], index=cases.index, dtype=str)
    statistics = dict(manifest["statistics"])
    units = statistics.pop("units", "patients")
    return Side(
        run=run,
        method=chosen,
        findings=tuple(manifest["findings"]),
        annotations_sha256=manifest["annotations_sha256"],
        resampling=Resampling(**statistics),
        units=units,
        images=images,
    )


def check_same_images(first: Side, second: Side, *, intersect: bool) -> int:
    """How many images both audited; a ConfigError where there is none, or others that nobody agreed to."""
    ours, theirs = set(first.images), set(second.images)
    both = len(ours & theirs)
    if both and (intersect or ours == theirs):
        return both
    if both:
        raise ConfigError(
            f"the runs audited different images: {len(ours - theirs):,} are only in {first.run.name}, "
            f"{len(theirs - ours):,} only in {second.run.name}; --intersect compares the {both:,} of both"
        )
    raise ConfigError(
        f"{first.run.name} and {second.run.name} have no image in common; runs without their crosswalk.csv "
        "can be compared only if they lie in the same output folder, where pseudonyms are made alike"
    )


def comparison_rows(first: Side, second: Side) -> list[Row]:
    """Rows of comparison.csv: headline scores of both on the same images, then AUROC; corrected by Holm.

    Draws are made as the first run made them.
    """
    resampling = first.resampling
    both = _side_by_side(first, second)
    rows = [
        {
            "finding": block.finding,
            "reader": block.reader,
            "metric": block.metric,
            **difference_row(
                paired(block.by_method["first"], block.by_method["second"], block.patients),
                resampling,
                binary=METRICS[block.metric].binary,
            ),
        }
        for block in blocks(both, first.findings)
        if {"first", "second"} <= set(block.by_method)
    ]
    rows += _aurocs(first, second, resampling)
    return list(corrected(rows, by=("reader", "metric")))


def _crosswalk(run: Path) -> list[dict[str, str]]:
    return [row for row in read_table(run, "crosswalk.csv") if row["kind"] == "image"]


def _side_by_side(first: Side, second: Side) -> pd.DataFrame:
    """Scores of both as if they were two methods of one run; patients are those of the first."""
    parts = []
    for side, name in ((first, "first"), (second, "second")):
        scores = read_scores(side.run)
        chosen = scores[scores["method"] == side.method]
        parts.append(chosen.assign(case_id=chosen["case_id"].map(side.images), method=name))
    patients = dict(zip(parts[0]["case_id"], parts[0]["patient"], strict=True))
    both = pd.concat(parts, ignore_index=True)
    of = both["case_id"] if first.units == "images" else both["case_id"].map(patients)
    return both.assign(patient=of).dropna(subset="patient")


def _aurocs(first: Side, second: Side, resampling: Resampling) -> Iterator[Row]:
    one, other = (_predictions(side) for side in (first, second))
    for finding in first.findings:
        theirs = other[other["finding"] == finding][["probability", "label"]].add_suffix("_other")
        both = one[one["finding"] == finding].join(theirs, how="inner")
        both = both[both["label"].notna() & (both["label"] == both["label_other"])]
        if set(both["label"]) == {0, 1}:
            yield _auroc(finding, both, resampling, first.units)


def _predictions(side: Side) -> pd.DataFrame:
    predictions = read_predictions(side.run)
    return predictions.set_index(predictions["case_id"].map(side.images).rename("image"))


def _auroc(finding: str, both: pd.DataFrame, resampling: Resampling, units: str) -> Row:
    label = both["label"].to_numpy()
    patients = (both.index if units == "images" else both["patient"]).tolist()
    one, other = (
        replicated_auroc(both[column].to_numpy(), label, patients, resampling)
        for column in ("probability", "probability_other")
    )
    (found,) = difference(one, other, resampling)
    return {
        "finding": finding,
        "reader": "labels",
        "metric": "auroc",
        "n": len(both),
        "patients": len(set(patients)),
        "first_estimate": float(one.estimate[0]),
        "second_estimate": float(other.estimate[0]),
        "difference": found.estimate,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": found.p,
    }
