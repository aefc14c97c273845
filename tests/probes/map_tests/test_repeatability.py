"""Repeatability: a symmetric network maps the mirrored image as the mirrored map; the noise has its size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry import to_image
from pipeline.probes.map_tests.agreement import agreement
from pipeline.probes.map_tests.judged import JudgedBatch, Judging, judged_batch
from pipeline.probes.map_tests.repeatability import NOISE, flipped, repeatability, with_noise
from pipeline.records import Heatmap
from tests.probes.map_tests.few import folder_of_study, judged, judging, numbers
from tests.study import FINDINGS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def shared(folder: Path) -> Judging:
    return judging(folder, batch_size=2)


def test_mirroring_does_nothing_to_the_maps_of_a_symmetric_network(shared: Judging) -> None:
    values = list(repeatability(judged_batch([judged(n, shared.model) for n in (1, 2)], shared)))
    assert all(value is not None and value > 0.999 for value in numbers(values, "spearman", "flip"))
    assert numbers(values, "peak_distance", "flip") == [0.0] * 4
    assert numbers(values, "same_hit", "flip") == [1.0] * 4


def test_mirroring_moves_the_map_of_a_method_that_knows_left_from_right(shared: Judging) -> None:
    batch = judged_batch([judged(1, shared.model)], shared)
    away = {
        key: replace(one, relevance=np.ascontiguousarray(one.relevance[:, ::-1]))
        for key, one in batch.maps.items()
    }
    values = list(repeatability(JudgedBatch(batch.images, shared, away)))
    assert all(value is not None and value < 0.99 for value in numbers(values, "spearman", "flip"))


def test_a_mirrored_input_lies_where_it_was_on_the_image(shared: Judging) -> None:
    one = judged(1, shared.model).model_input
    other = flipped(one)
    columns = one.tensor.shape[2]
    corner = np.array([[3.0, 5.0]])
    mirrored = np.array([[3.0, columns - 1 - 5.0]])
    np.testing.assert_allclose(to_image(one.placement, corner), to_image(other.placement, mirrored))
    np.testing.assert_array_equal(other.tensor[:, 3, columns - 6], one.tensor[:, 3, 5])
    again = flipped(other)
    np.testing.assert_array_equal(again.tensor, one.tensor)
    assert again.placement == one.placement


def test_noise_is_one_percent_of_the_range_in_every_run(shared: Judging) -> None:
    one = judged(1, shared.model).model_input
    noise = with_noise(one).tensor - one.tensor
    assert float(noise.std()) == pytest.approx(NOISE * float(np.ptp(one.tensor)), rel=0.05)
    assert float(noise.mean()) == pytest.approx(0, abs=0.001 * float(np.ptp(one.tensor)))
    np.testing.assert_array_equal(with_noise(one).tensor, with_noise(one).tensor)


def test_noise_changes_the_order_of_a_map_a_little(shared: Judging) -> None:
    values = list(repeatability(judged_batch([judged(1, shared.model)], shared)))
    found = numbers(values, "spearman", "noise")
    assert len(found) == len(FINDINGS)
    assert all(value is not None and 0.5 < value <= 1 for value in found)


def test_each_pair_of_methods_is_compared_once(folder: Path) -> None:
    shared = judging(folder, methods=["gradcam", "hirescam", "saliency"], batch_size=2)
    values = list(agreement(judged_batch([judged(1, shared.model)], shared)))
    pairs = list(dict.fromkeys((one.method, one.variant) for one in values))
    assert pairs == [("gradcam", "hirescam"), ("gradcam", "saliency"), ("hirescam", "saliency")]
    # Before a global average pool HiResCAM is Grad-CAM.
    assert numbers(values, "spearman", "hirescam") == [1.0, 1.0]
    assert numbers(values, "peak_distance", "hirescam") == [0.0, 0.0]
    assert all(value is not None and value < 1 for value in numbers(values, "spearman", "saliency"))


def test_one_method_agrees_with_nobody(shared: Judging) -> None:
    assert list(agreement(judged_batch([judged(1, shared.model)], shared))) == []


def test_a_map_that_is_not_finite_has_no_value_and_says_why(shared: Judging) -> None:
    batch = judged_batch([judged(1, shared.model)], shared)
    none: dict[tuple[str, str, str], Heatmap] = {}
    values = list(repeatability(JudgedBatch(batch.images, shared, none)))
    assert {(one.value, one.undefined_because) for one in values} == {(None, "not_finite")}
