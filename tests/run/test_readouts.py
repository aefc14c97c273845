"""Readouts of a run: what was read of audited images, by view, sex, age, maker and the config's columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.metrics.lesions import Rule
from pipeline.records import Features, NetworkReading
from pipeline.run.finished import Columns
from pipeline.run.gathered import Gathered
from pipeline.run.grouping import Grouping
from pipeline.run.readouts import write_readouts
from pipeline.run_files.tables import read_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.matched import Matched
from pipeline.store.readings import write_reading
from pipeline.store.tables import write_table

IMAGES = 40
CASES = [f"case-{number:02}" for number in range(IMAGES)]
OPTIONS = StatisticsOptions(["nodule"], ["gradcam"], [], Resampling(), 1)
SITES = Grouping((), {"site": {case_id: f"site {n % 3}" for n, case_id in enumerate(CASES) if n}})


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Features of which the first holds the finding, and the second the view."""
    rows = [
        {
            "case_id": case_id,
            "patient_id": f"patient-{n}",
            "view": ("PA", "AP")[n % 2],
            "sex": "F" if n < 38 else "M",
            "age": str(30 + n),
            "manufacturer": "",
        }
        for n, case_id in enumerate(CASES)
    ]
    write_table(tmp_path, "cases.csv", rows)
    values = np.random.default_rng(1).normal(size=(IMAGES + 1, 6)).astype(np.float32)
    values[:IMAGES, 0] += 9 * (np.arange(IMAGES) % 4 < 2)
    values[:IMAGES, 1] += 9 * (np.arange(IMAGES) % 2)
    # The first image was skipped since it was read.
    grids = np.random.default_rng(2).normal(size=(IMAGES + 1, 6, 9)).astype(np.float16)
    head = np.eye(1, 6, dtype=np.float32)
    skipped_first = ("skipped since", *CASES)
    read = Features(skipped_first, np.roll(values, 1, axis=0), np.roll(grids, 1, axis=0), head)
    write_reading(tmp_path, NetworkReading(read))
    return tmp_path


def gathered() -> Gathered:
    found = Gathered([], "patients", Columns(Matched.by(Rule())), audited=list(CASES))
    for n, case_id in enumerate(CASES):
        prediction = {"finding": "nodule", "logit": float(n % 4 < 2), "probability": 0.5, "threshold": 0.5}
        found.units_of_cases[case_id] = f"{n:09}"
        found.columns.predictions.add(case_id, [prediction], {"nodule": int(n % 4 < 2)}, f"{n:09}")
    return found


def told(run: Path, *, with_attributes: bool) -> list[tuple[str, str, str, int]]:
    rows, suspicions = write_readouts(run, gathered(), OPTIONS, SITES, with_attributes=with_attributes)
    assert suspicions == []
    return [(row.kind, row.name, row.group, row.n) for row in rows]


def test_findings_are_read_at_every_level_and_attributes_where_asked_for(run: Path) -> None:
    assert told(run, with_attributes=False) == [("finding", "nodule", "", IMAGES)]
    assert told(run, with_attributes=True) == [
        ("finding", "nodule", "", IMAGES),
        ("attribute", "view", "AP", IMAGES),
        ("attribute", "sex", "", IMAGES),
        ("attribute", "age", "above 49.5", IMAGES),
        *(("attribute", "site", f"site {number}", IMAGES - 1) for number in range(3)),
        ("nonsense", "patient_hash", "", IMAGES),
    ]


def test_what_the_features_hold_is_read_and_nonsense_is_not(run: Path) -> None:
    rows, _ = write_readouts(run, gathered(), OPTIONS, SITES, with_attributes=True)
    by_name = {row.name: row for row in rows}
    for name, is_read in (("nodule", True), ("view", True), ("age", False), ("patient_hash", False)):
        row = by_name[name]
        assert row.low is not None
        assert (row.low > 0.5) is is_read
    assert by_name["nodule"].output == 1.0
    assert by_name["sex"].because == "no group of 5 patients beside 5 others"


def test_maps_of_attributes_are_compared_at_the_level_that_reads_them(run: Path) -> None:
    write_readouts(run, gathered(), OPTIONS, SITES, with_attributes=False)
    assert list(read_rows(run / "attribute_maps.csv")) == []
    write_readouts(run, gathered(), OPTIONS, SITES, with_attributes=True)
    rows = list(read_rows(run / "attribute_maps.csv"))
    assert [(row["finding"], row["name"], row["n"]) for row in rows] == [
        ("nodule", name, "20") for name in ("view", "age", "site", "site", "site", "patient_hash")
    ]
    # Grids are noise that no label is in, and 20 correlations of 9 cells average to 0 within .35.
    for row in rows:
        assert abs(float(row["estimate"])) < 0.35


def test_a_run_whose_network_was_not_read_has_no_rows(tmp_path: Path) -> None:
    assert write_readouts(tmp_path, gathered(), OPTIONS, SITES, with_attributes=True) == ([], [])
