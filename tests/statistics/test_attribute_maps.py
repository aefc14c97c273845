"""Attribute maps: findings that are read where an attribute is, and findings that are read elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.records import Features
from pipeline.statistics.attribute_maps import FEW, attribute_map_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.linear_readout import direction
from pipeline.statistics.probe_answers import Outputs
from pipeline.statistics.readouts import AttributeLabel

IMAGES, CHANNELS, CELLS = 24, 4, 30
RESAMPLING = Resampling(replicates=200, confidence=0.95, seed=0)
CASES = tuple(f"case-{number}" for number in range(IMAGES))
RANDOM = np.random.default_rng(5)
IS_AP = np.arange(IMAGES) % 2 == 0
STRENGTH = RANDOM.normal(3, 1, (IMAGES, CHANNELS, 1))
STRENGTH[IS_AP, 0] += 6
GRIDS = (STRENGTH * RANDOM.random((IMAGES, CHANNELS, CELLS))).astype(np.float16)
"""The first channel holds the view, and is what the output "view" reads; "mass" reads the second."""
FEATURES = Features(
    CASES,
    GRIDS.astype(np.float64).mean(2).astype(np.float32),
    GRIDS,
    np.array([[0, 1, 0, 0], [1, 0, 0, 0]], np.float32),
)
VIEW = AttributeLabel("attribute", "view", "AP", dict(zip(CASES, map(bool, IS_AP), strict=True)))


def outputs(positives: int = IMAGES) -> Outputs:
    found = Outputs(units={case_id: case_id for case_id in CASES})
    for finding in ("mass", "view"):
        found.labels[finding] = {case_id: n < positives for n, case_id in enumerate(CASES)}
    return found


def test_a_finding_that_reads_the_attribute_has_its_map_and_another_has_not() -> None:
    mass, view = attribute_map_rows(FEATURES, [VIEW], outputs(), ["mass", "view"], RESAMPLING)
    assert (view.finding, view.name, view.group, view.n, view.patients) == ("view", "view", "AP", 24, 24)
    assert view.estimate is not None
    assert mass.estimate is not None
    assert view.estimate > 0.7
    assert abs(mass.estimate) < 0.5
    assert view.low is not None
    assert mass.high is not None
    assert view.low > mass.high


def test_likeness_is_the_mean_of_spearmans_correlations() -> None:
    mass, _ = attribute_map_rows(FEATURES, [VIEW], outputs(), ["mass", "view"], RESAMPLING)
    _, weights = direction(FEATURES.values.astype(float), IS_AP)
    grids = GRIDS.astype(float)
    expected = np.mean([spearmanr(grid[1], weights @ grid).statistic for grid in grids])
    assert mass.estimate == pytest.approx(expected, abs=1e-9)


def test_only_images_with_the_finding_count_and_few_patients_have_no_number() -> None:
    rows = list(attribute_map_rows(FEATURES, [VIEW], outputs(positives=4), ["mass", "view"], RESAMPLING))
    assert [(row.n, row.estimate, row.because) for row in rows] == [(4, None, FEW)] * 2


def test_features_without_grids_have_no_rows() -> None:
    bare = Features(CASES, FEATURES.values)
    assert list(attribute_map_rows(bare, [VIEW], outputs(), ["mass", "view"], RESAMPLING)) == []
