"""Pairing: two finished runs on the same images → paired differences, with the statistics of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import ConfigError
from pipeline.guards.symlinks import refuse_links
from pipeline.metrics import METRICS
from pipeline.records.names import LABELS_READER
from pipeline.registry import did_you_mean
from pipeline.reporting.comparison_page import NOT_STORED, OTHER_METHOD
from pipeline.reporting.first_screen import sentence_of
from pipeline.reporting.run_folder import methods_of, read_run
from pipeline.reporting.stored_verdicts import checked_verdicts, names_in_verdict
from pipeline.reporting.verdict import verdicts
from pipeline.run_files.damage import damaged
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.outputs import changed_results
from pipeline.run_files.tables import Known, read_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.classification import replicated_auroc
from pipeline.statistics.comparison import difference
from pipeline.statistics.dataframes import headline_scores, read_cases, read_predictions, read_scores
from pipeline.statistics.effects import Row, blocks, corrected, difference_row, paired
from pipeline.statistics.verdict import standing_of
from pipeline.store.tables import read_table

MANIFEST = ("statistics", "annotations_sha256")
"""Keys of manifest.json that a comparison needs, with those that every command needs."""

OF_REPORT = ("verdict.csv", "summary.csv", "skipped.csv", "cases.csv")
"""Tables without which a run has no report."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, and the method in it that is compared."""

    run: Path
    method: str
    findings: tuple[str, ...]
    annotations_sha256: str
    resampling: Resampling
    units: str
    """The units that the run's bootstrap resampled: patients or images."""
    images: pd.Series[str]
    """Case id → SOP instance UID and frame, or the case id itself without crosswalk.csv."""
    changed: Mapping[str, str]
    """Files that are not as the run wrote them → what is wrong with them."""
    verdicts: Mapping[str, str]
    """Finding → the run's verdict, or why it has none: NOT_STORED or OTHER_METHOD."""
    sentences: Mapping[str, str]
    """Finding → the verdict in the words of the run's report; empty without a report of this method."""

    @property
    def known(self) -> Known:
        """Column of the run's tables → the names that it may hold."""
        return {"finding": self.findings}

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"{self.run.name}: {self.method}"


def read_side(run: Path, method: str | None) -> Side:
    """A finished run with `method`, or else its first network method; ConfigError if either is missing."""
    refuse_links(run)
    if not (run / "manifest.json").exists():
        raise ConfigError(
            f"{run}: not the folder of a finished run, because manifest.json cannot be read; give a folder "
            "that heatproof audit or heatproof score wrote"
        )
    manifest = read_manifest(run, needed=MANIFEST)
    first, chosen = _chosen_method(run, manifest, method)
    cases = read_cases(run)
    known = _images(run)
    if known and not known.keys() >= set(cases.index):
        raise damaged(run / "crosswalk.csv", "has no row of an image that is in cases.csv")
    images = pd.Series([known.get(case) or case for case in cases.index], index=cases.index, dtype=str)
    if images.duplicated().any():
        raise damaged(run / "crosswalk.csv", "gives two images the same UID and frame")
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
        changed=changed_results(run, manifest),
        verdicts=_verdicts(run, manifest, is_first=chosen == first),
        sentences=_sentences(run) if chosen == first else {},
    )


def refuse_same(first: Side, second: Side) -> None:
    """Raise ConfigError if both sides are one method of one run."""
    if is_one_run(first, second) and first.method == second.method:
        raise ConfigError(
            f"{first.run}: A and B are this run with {first.method}, so nothing can differ; give another "
            "run, or two methods of this one by --methods"
        )


def is_one_run(first: Side, second: Side) -> bool:
    """Whether both sides are the same folder, so that their probabilities are the same, too."""
    return first.run.resolve() == second.run.resolve()


def _chosen_method(run: Path, manifest: Mapping[str, Any], method: str | None) -> tuple[str, str]:
    """The run's first method of the network, and the method that is compared."""
    methods = methods_of(manifest)
    names = [known.name for known in methods]
    first = next((known.name for known in methods if not known.is_baseline), "")
    chosen = method or first
    if not chosen:
        raise ConfigError(f"{run}: has no method of a network; name a baseline{did_you_mean(chosen, names)}")
    if chosen not in names:
        raise ConfigError(f"{run}: has no method '{chosen}'{did_you_mean(chosen, names)}")
    return first, chosen


def _verdicts(run: Path, manifest: Mapping[str, Any], *, is_first: bool) -> dict[str, str]:
    table = run / "verdict.csv"
    rows = list(read_rows(table, names_in_verdict(manifest))) if table.exists() else None
    stored = checked_verdicts(run, manifest, rows)
    if is_first:
        return dict.fromkeys(manifest["findings"], NOT_STORED) | stored
    return dict.fromkeys(manifest["findings"], OTHER_METHOD)


def _sentences(run: Path) -> dict[str, str]:
    """The sentences of the run's first screen; none if it lacks the tables of a report."""
    if not all((run / name).exists() for name in OF_REPORT):
        return {}
    folder = read_run(run)
    return {one.finding: sentence_of(folder, one) for one in verdicts(folder)}


def findings_only_in(first: Side, second: Side) -> dict[str, list[str]]:
    """For "first" and "second": findings that the other run lacks; ConfigError if they share none."""
    if not set(first.findings) & set(second.findings):
        raise ConfigError(
            f"no finding is in both runs: {first.run.name} has {', '.join(first.findings)}, "
            f"{second.run.name} has {', '.join(second.findings)}; choose two runs with a common finding"
        )
    return {
        "first": [finding for finding in first.findings if finding not in second.findings],
        "second": [finding for finding in second.findings if finding not in first.findings],
    }


def check_same_images(first: Side, second: Side, *, intersect: bool) -> int:
    """Number of common images; ConfigError if there are none, or if the images differ without `intersect`."""
    first_images, second_images = set(first.images), set(second.images)
    common = len(first_images & second_images)
    if common and (intersect or first_images == second_images):
        return common
    if common:
        raise ConfigError(
            f"the runs audited different images: {len(first_images - second_images):,} are only in "
            f"{first.run.name}, {len(second_images - first_images):,} only in {second.run.name}; "
            f"use --intersect to compare the {common:,} in both"
        )
    raise ConfigError(
        f"{first.run.name} and {second.run.name} have no image in common; choose two runs on the same "
        "images. Without crosswalk.csv, runs can only be compared if they are in the same output folder and "
        "so share their pseudonyms"
    )


def comparison_rows(first: Side, second: Side) -> list[Row]:
    """Rows of comparison.csv: headline scores of both runs, then AUROC, with Holm-corrected p-values.

    Two methods of one run have one AUROC, so there is no row of it.
    The bootstrap settings are those of the first run.
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
    if not is_one_run(first, second):
        rows += _aurocs(first, second, resampling)
    return [row | {"standing": _standing(row)} for row in corrected(rows, by=("reader", "metric"))]


def verdict_pairs(first: Side, second: Side) -> list[dict[str, str]]:
    """The verdict in both runs on each finding that both have, or why a run has none."""
    return [
        {
            "finding": finding,
            "first": first.verdicts[finding],
            "second": second.verdicts[finding],
            **{
                f"{name}_sentence": side.sentences[finding]
                for name, side in (("first", first), ("second", second))
                if finding in side.sentences
            },
        }
        for finding in first.findings
        if finding in second.findings
    ]


def _standing(row: Row) -> str:
    """Standing of the first run relative to the second; `identical` if all scores are equal."""
    same = row["difference"] == 0 and row["difference_low"] is None
    return "identical" if same else standing_of(row)


def _images(run: Path) -> dict[str, str]:
    """Case id → SOP instance UID and frame, empty if unknown; nothing without crosswalk.csv."""
    return {
        row["pseudonym"]: row["sop_instance_uid"] and f"{row['sop_instance_uid']} {row['frame']}"
        for row in read_table(run, "crosswalk.csv")
        if row["kind"] == "image"
    }


def _side_by_side(first: Side, second: Side) -> pd.DataFrame:
    """Scores of both runs as two methods, "first" and "second"; patients are those of the first run."""
    parts = []
    for side, name in ((first, "first"), (second, "second")):
        scores = read_scores(side.run, known=side.known)
        chosen = headline_scores(scores[scores["method"] == side.method])
        parts.append(chosen.assign(case_id=chosen["case_id"].map(side.images), method=name))
    patients = dict(zip(parts[0]["case_id"], parts[0]["patient"], strict=True))
    both = pd.concat(parts, ignore_index=True)
    units = both["case_id"] if first.units == "images" else both["case_id"].map(patients)
    return both.assign(patient=units).dropna(subset="patient")


def _aurocs(first: Side, second: Side, resampling: Resampling) -> Iterator[Row]:
    one, other = (_predictions(side) for side in (first, second))
    for finding in first.findings:
        other_columns = other[other["finding"] == finding][["probability", "label"]].add_suffix("_other")
        both = one[one["finding"] == finding].join(other_columns, how="inner")
        both = both[both["label"].notna() & (both["label"] == both["label_other"])]
        if set(both["label"]) == {0, 1}:
            yield _auroc(finding, both, resampling, first.units)


def _predictions(side: Side) -> pd.DataFrame:
    predictions = read_predictions(side.run, known=side.known)
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
        "reader": LABELS_READER,
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
