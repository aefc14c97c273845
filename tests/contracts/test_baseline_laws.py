"""Laws that every registered baseline obeys."""

import inspect
import json
import subprocess
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pipeline
from pipeline.baselines import BASELINES
from pipeline.baselines.grid import GRID
from pipeline.contracts import Baseline
from pipeline.records import Intensity

SHAPE = (60, 50)


def random_map(seed: int, shape: tuple[int, int]) -> Intensity:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


INPUTS: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
    "nothing": ((), ()),
    "references": (
        ([random_map(1, GRID), random_map(2, GRID)],),
        ([random_map(3, GRID)],),
    ),
    "identity": (("0123abcd", 0, "nodule"), ("0123abcd", 0, "effusion")),
    "pixels": ((random_map(4, SHAPE),), (random_map(5, SHAPE),)),
}
"""What a baseline reads → the arguments of `draw` for one image or finding, and for another."""
LOAD = """
import json, sys
from pipeline.baselines import BASELINES
for name in BASELINES:
    BASELINES[name]
json.dump(sorted({"torch", "monai"} & set(sys.modules)), sys.stdout)
"""


@pytest.fixture(params=BASELINES)
def baseline(request: pytest.FixtureRequest) -> Baseline:
    return BASELINES[request.param]


def drawn(baseline: Baseline, which: int = 0) -> Intensity:
    relevance = baseline.draw(*INPUTS[baseline.reads][which])
    assert relevance is not None
    return relevance


def test_a_map_is_a_grid_of_finite_values_none_of_them_negative(baseline: Baseline) -> None:
    relevance = drawn(baseline)
    assert (relevance.ndim, relevance.dtype) == (2, np.float32)
    assert relevance.size
    assert np.isfinite(relevance).all()
    assert relevance.min() >= 0


def test_a_map_is_not_constant_so_that_it_has_contours(baseline: Baseline) -> None:
    relevance = drawn(baseline)
    assert relevance.min() < relevance.max()


def test_the_same_input_gives_the_same_map(baseline: Baseline) -> None:
    np.testing.assert_array_equal(drawn(baseline), drawn(baseline))


def test_another_input_gives_another_map(baseline: Baseline) -> None:
    assert np.array_equal(drawn(baseline), drawn(baseline, 1)) == (baseline.reads == "nothing")


def test_the_input_is_left_unchanged(baseline: Baseline) -> None:
    before = deepcopy(INPUTS[baseline.reads][0])
    drawn(baseline)
    np.testing.assert_equal(INPUTS[baseline.reads][0], before)


def test_without_references_there_is_no_map(baseline: Baseline) -> None:
    assert baseline.reads != "references" or baseline.draw([]) is None


def test_draw_takes_what_the_baseline_reads_and_nothing_more(baseline: Baseline) -> None:
    signature = inspect.signature(baseline.draw)
    signature.bind(*INPUTS[baseline.reads][0])
    assert not [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]


def test_no_baseline_loads_the_libraries_of_networks() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=Path(pipeline.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ended.stdout) == []


def test_a_baseline_is_described_in_words(baseline: Baseline) -> None:
    assert baseline.title
    assert baseline.subject
