"""Columns: every table of a run, its columns in the order in which they are written, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, get_args

from pipeline.records import Kind, Strength, Suspect
from pipeline.records.names import AreaUnit, Conclusion, Limit, Question, Standing, Third
from pipeline.records.probes import Answer, Because, Measure
from pipeline.run_files.cells import (
    COUNT,
    FLAG,
    HASH,
    NAME,
    NUMBER,
    SHARE,
    TEXT,
    Column,
    one_of,
    or_empty,
    secret,
    spare,
)

Columns = Mapping[str, Column]

ATTRIBUTES = (
    "modality", "view", "laterality", "sex", "age", "series", "manufacturer", "model", "body_part",
    "photometric", "transfer_syntax", "bits_stored", "shifted_study_date", "file_format",
)  # fmt: skip
BOUNDS = ("estimate", "low", "high")
STANDINGS: tuple[str, ...] = get_args(Standing)
QUESTIONS: tuple[str, ...] = get_args(Question)
SOME_COUNT, SOME_NUMBER, SOME_SHARE = or_empty(COUNT), or_empty(NUMBER), or_empty(SHARE)
CASE: Columns = {"case_id": NAME, "patient_id": NAME}
KEY: Columns = {"finding": NAME, "reader": NAME}
OF_METHOD: Columns = {**KEY, "method": NAME, "metric": NAME}
INTERVAL: Columns = dict.fromkeys(BOUNDS, SOME_NUMBER)
DIFFERENCE: Columns = {
    **dict.fromkeys(("difference", "difference_low", "difference_high"), SOME_NUMBER),
    **dict.fromkeys(("p", "corrected_p"), SOME_SHARE),
}
STANDING = spare(one_of(*STANDINGS, "identical", ""))
"""Of the first method or run compared with the second; older versions stored none."""
WRITTEN_FLAG = one_of("0", "1", "True", "False")
"""Version 0.6 wrote words where the README says 0 and 1."""
ESTIMATES: Columns = {"first_estimate": SOME_NUMBER, "second_estimate": SOME_NUMBER}

TABLES: Mapping[str, Columns] = MappingProxyType(
    {
        "cases.csv": {
            **CASE,
            **dict.fromkeys(("frame", "rows", "columns"), spare(SOME_COUNT)),
            **dict.fromkeys(("spacing_row_mm", "spacing_column_mm"), spare(SOME_NUMBER)),
            **dict.fromkeys(ATTRIBUTES, spare(TEXT)),
        },
        "predictions.csv": {
            **CASE,
            "finding": NAME,
            "logit": spare(SOME_NUMBER),
            "probability": SHARE,
            "threshold": spare(SOME_NUMBER),
            "predicted": spare(or_empty(FLAG)),
            "label": or_empty(FLAG),
        },
        "scores.csv": {
            **CASE, **OF_METHOD, "value": SOME_NUMBER, "undefined_because": TEXT, "lesion": SOME_COUNT,
        },
        "summary.csv": {
            **OF_METHOD, "n": COUNT, "undefined": COUNT, "reasons": TEXT, "patients": COUNT, **INTERVAL,
            "better": spare(one_of("higher", "lower", "")), "unit": spare(TEXT),
        },
        "skill.csv": {
            **OF_METHOD, "measure": NAME, "prior": TEXT, "ceiling": TEXT, "n": COUNT,
            "patients": spare(COUNT), **INTERVAL,
        },
        "comparisons.csv": {
            **KEY, "metric": NAME, "first": NAME, "second": NAME, "n": COUNT, "patients": spare(COUNT),
            **ESTIMATES, **DIFFERENCE, "standing": STANDING,
        },
        "subgroups.csv": {
            **OF_METHOD, "attribute": NAME, "group": TEXT, "n": COUNT, "patients": COUNT,
            "too_few": spare(FLAG), **INTERVAL, **DIFFERENCE, "differs": spare(or_empty(FLAG)),
        },
        "verdict.csv": {
            "finding": NAME, "verdict": one_of(*STANDINGS), "question": one_of(*QUESTIONS),
            "standing": one_of(*STANDINGS, ""), "reader": TEXT,
            "readers": SOME_COUNT, "method": TEXT, "metric": TEXT, "n": SOME_COUNT, "patients": SOME_COUNT,
            **INTERVAL, "baseline": TEXT, "baseline_n": SOME_COUNT,
            **dict.fromkeys((f"baseline_{bound}" for bound in BOUNDS), SOME_NUMBER),
            **{name: column for name, column in DIFFERENCE.items() if name != "p"},
            "readers_estimate": SOME_NUMBER, "because": spare(one_of(*get_args(Limit))),
            "conclusion": spare(one_of(*get_args(Conclusion), "")), "against": spare(TEXT),
        },
        "look_alikes.csv": {"group": COUNT, **CASE},
        "cross.csv": {
            "finding": NAME, "output": NAME, "measure": one_of("auroc", "hit"), "n": COUNT, "patients": COUNT,
            **INTERVAL, **DIFFERENCE,
        },
        "alignment.csv": {
            "finding": NAME, "transform": NAME, "n": COUNT, "patients": COUNT, "rank": SHARE, "hits": SHARE,
            "difference": NUMBER, "p": SOME_SHARE, "corrected_p": SOME_SHARE,
        },
        "probes.csv": {
            "finding": NAME, "probe": NAME, "variant": TEXT, "measure": one_of(*get_args(Measure)),
            "answer": one_of(*get_args(Answer)), "n": COUNT,
            "patients": COUNT, "before": SOME_NUMBER, "after": SOME_NUMBER, **INTERVAL,
            "corrected_p": SOME_SHARE, "dose": SOME_NUMBER, "because": spare(one_of(*get_args(Because))),
        },
        "normalisation.csv": {
            "variant": TEXT, "layer": TEXT, "n": COUNT, "channels": COUNT, "distance": SOME_NUMBER,
            "factor": SOME_NUMBER, "far": SHARE, "is_trained": spare(WRITTEN_FLAG),
        },
        "readouts.csv": {
            "kind": one_of("finding", "attribute", "nonsense"), "name": NAME, "group": TEXT, "n": COUNT,
            "patients": COUNT, "positives": COUNT,
            **dict.fromkeys(("auroc", "low", "high"), SOME_SHARE), "because": TEXT,
            **dict.fromkeys(("output", "output_low", "output_high"), SOME_SHARE), **DIFFERENCE,
        },
        "attribute_maps.csv": {
            "finding": NAME, "kind": one_of("attribute", "nonsense"), "name": NAME, "group": TEXT, "n": COUNT,
            "patients": COUNT, **INTERVAL, "because": TEXT,
        },
        "map_tests.csv": {
            "finding": NAME, "test": NAME, "method": NAME, "measure": NAME, "variant": TEXT,
            "compared_with": TEXT, "n": COUNT, "undefined": COUNT, "reasons": TEXT, "patients": COUNT,
            **INTERVAL, "better": one_of("higher", "lower"),
        },
        "causal.csv": {
            "finding": NAME, "method": NAME, "reader": NAME, "metric": NAME,
            "references": one_of("all", "used", "not_used", "not_judged"), "n": COUNT, "patients": COUNT,
            **INTERVAL, "better": one_of("higher", "lower"),
            "no_interval": one_of("few_patients", "all_equal", ""), "reasons": TEXT,
        },
        "suspects.csv": {
            "finding": NAME, "rule": NAME, "suspect": one_of(*get_args(Suspect)),
            "strength": one_of(*get_args(Strength)), **INTERVAL, "n": SOME_COUNT, "sentence": TEXT,
        },
        "lesion_sizes.csv": {
            **KEY, "method": NAME, "kind": one_of(*get_args(Kind)), "third": one_of(*get_args(Third)),
            "unit": one_of(*get_args(AreaUnit)), "smallest": SOME_NUMBER, "largest": SOME_NUMBER, "n": COUNT,
            "patients": COUNT, "too_few": FLAG, **INTERVAL,
        },
        "policy.csv": {
            "finding": NAME, "rule": NAME, "limit": NUMBER, "metric": TEXT, "reader": TEXT, "n": SOME_COUNT,
            **INTERVAL, "outcome": one_of("pass", "warn", "fail", "unknown"), "because": spare(TEXT),
        },
        "thresholds.csv": {
            **KEY, "method": NAME, "level": SHARE, "n": COUNT, "patients": COUNT, **INTERVAL,
        },
        "calibration.csv": {
            "finding": NAME, "lowest": NUMBER, "highest": NUMBER, "predicted": NUMBER, "n": COUNT,
            "observed": SHARE, "low": SOME_NUMBER, "high": SOME_NUMBER,
        },
        "unmatched.csv": {
            "case_id": NAME, "patient_id": spare(NAME), **KEY, "method": NAME, "kind": spare(NAME),
            "what": one_of("missed_lesion", "contour_without_lesion", "contour_on_healthy"), "number": COUNT,
        },
        "skipped.csv": dict.fromkeys(("subject", "stage", "reason", "message"), TEXT),
        "pages.csv": {
            "case_id": NAME,
            "chosen_as": one_of("overview", "worst", "best", "disputed", "warned", "random", "all"),
            "finding": TEXT, "message": TEXT,
        },
        "review.csv": {
            **dict.fromkeys(
                (*CASE, "kind", "finding", "by", "number", "standing", "reviewer", "answer", "comment",
                 "decided"),
                TEXT,
            ),
            **dict.fromkeys(
                ("seconds", "second_answer", "second_decided", "second_seconds", "standing_after"),
                spare(TEXT),
            ),
        },
        "review-summary.csv": dict.fromkeys(
            ("measure", *OF_METHOD, "reviewers", "n", "patients", *BOUNDS, "original_n",
             *(f"original_{bound}" for bound in BOUNDS)),
            TEXT,
        ),
        "crosswalk.csv": {
            "pseudonym": NAME,
            "kind": one_of("image", "file", "device", "finding", "annotation", "heatmap", "name"),
            "sop_instance_uid": secret(TEXT), "frame": SOME_COUNT, "file": secret(TEXT),
            "sha256": or_empty(HASH),
        },
        "comparison.csv": {
            **KEY, "metric": NAME, "n": COUNT, "patients": COUNT, **ESTIMATES, **DIFFERENCE,
            "standing": STANDING,
        },
        "problems.csv": dict.fromkeys(("subjects", "finding", "reader", "check", "level", "message"), TEXT),
    }
)  # fmt: skip
"""Name of the file → column → what it holds."""


class Needed(NamedTuple):
    """Columns that hold something in every row where `given` does."""

    given: str
    columns: tuple[str, ...]


NEEDED: Mapping[str, tuple[Needed, ...]] = MappingProxyType(
    {
        "comparisons.csv": (Needed("difference", tuple(ESTIMATES)),),
        "policy.csv": (Needed("estimate", ("metric",)),),
    }
)
"""Name of the file → what its rows need."""
UNIQUE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cases.csv": ("case_id",),
        "pages.csv": ("case_id",),
        "predictions.csv": ("case_id", "finding"),
        "scores.csv": ("case_id", *OF_METHOD, "lesion"),
        "summary.csv": tuple(OF_METHOD),
        "crosswalk.csv": ("pseudonym", "kind"),
    }
)
"""Name of the file → the columns that no two rows share."""
