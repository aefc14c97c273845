from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.review.results import review
from pipeline.review.timing import median_interval, weighted_medians
from pipeline.statistics.bootstrap import Resampling
from tests.review.test_results import agree, by_turns, decided, run, table  # noqa: F401  a fixture


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 10])
def test_without_weights_it_is_the_median(n: int) -> None:
    values = np.sort(np.random.default_rng(n).exponential(size=n))
    assert weighted_medians(np.ones((1, n)), values)[0] == pytest.approx(np.median(values))


def test_weights_repeat_values() -> None:
    random = np.random.default_rng(0)
    values = np.sort(random.exponential(size=9))
    weights = random.integers(0, 4, (50, 9))
    wanted = [np.median(np.repeat(values, row)) for row in weights]
    np.testing.assert_allclose(weighted_medians(weights.astype(float), values), wanted)


def test_without_any_weight_there_is_none() -> None:
    assert np.isnan(weighted_medians(np.zeros((1, 3)), np.arange(3.0)))[0]


def test_the_interval_is_over_patients() -> None:
    seconds = np.random.default_rng(1).exponential(20, 60)
    of_images = median_interval(seconds, [f"p{n}" for n in range(60)], Resampling())
    of_patients = median_interval(np.repeat(seconds[:20], 3), [f"p{n // 3}" for n in range(60)], Resampling())
    assert of_images.estimate == np.median(seconds)
    assert of_images.low < of_images.estimate < of_images.high
    assert of_patients.high - of_patients.low > 0
    assert median_interval(seconds[:1], ["p"], Resampling()).low is None


def test_medians_are_in_the_summary_by_reviewer(run: Path) -> None:  # noqa: F811
    ann, bob = decided(run, "Ann", by_turns), decided(run, "Bob", agree)
    content = json.loads(ann.read_text())
    for number, entry in enumerate(content["decisions"]):
        entry["seconds"] = [3.0, 5.5, 60.0][number % 3]
    ann.write_text(json.dumps(content))
    result = review(run, [ann, bob])
    (row,) = [row for row in table(run, "review-summary.csv") if row["measure"] == "seconds"]
    assert (row["reviewers"], row["metric"], row["n"], row["estimate"]) == ("Ann", "answer", "14", "5.5")
    assert float(row["low"]) <= 5.5 <= float(row["high"])
    page = result.page.read_text(encoding="utf-8")
    assert "5.5 s" in page
    assert "not timed" in page  # Bob's file is of an older version
    assert {row["seconds"] for row in table(run, "review.csv") if row["reviewer"] == "Ann"} == {
        "3.0",
        "5.5",
        "60.0",
    }
