"""The reference model on phantoms: its maps beat random networks; maps that read no weights are suspected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest

from pipeline.audited_model.loading import open_model
from pipeline.classifiers import prepare
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import phantom
from pipeline.probes.map_tests.judged import JudgedBatch, JudgedImage, Judging, judged_batch
from pipeline.probes.map_tests.randomisation import RANDOMISATION, randomisation
from pipeline.probes.map_tests.repeatability import repeatability
from pipeline.records import Image
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_test_suspicions import map_test_suspicions
from pipeline.statistics.map_tests import MapTestRow, map_test_rows
from tests.probes.map_tests.few import numbers, with_edges

CARD = Path(__file__).parents[3] / "pipeline" / "phantoms" / "reference_model" / "reference_model.yaml"
IMAGES = 8
OPTIONS = StatisticsOptions(FINDINGS, ("gradcam",), (), Resampling(replicates=100), minimum_patients=5)


def films(shared: Judging) -> Iterator[JudgedImage]:
    """Phantoms with a nodule or a consolidation, which lie anywhere in the lungs."""
    for index in count():
        film = phantom(11, index, size=128)
        regions = {name: np.any(masks, axis=0) for name, masks in film.masks.items() if masks}
        found = tuple(name for name in ("nodule", "consolidation") if name in regions)
        if found:
            image = Image(f"case-{index}", film.pixels, None)
            yield JudgedImage(image.case_id, prepare(image, shared.model.preprocessing), found, regions)


@pytest.fixture(scope="module")
def shared() -> Judging:
    model = open_model(
        CARD, weights=None, allow_pickle=False, device="cpu", precision="float32", methods=["gradcam"]
    )
    return Judging(model, IMAGES)


@pytest.fixture(scope="module")
def batch(shared: Judging) -> JudgedBatch:
    return judged_batch(list(islice(films(shared), IMAGES)), shared)


def rows(batch: JudgedBatch) -> list[MapTestRow]:
    values = list(randomisation(batch))
    units = {image.case_id: image.case_id for image in batch.images}
    measures = {"randomisation": RANDOMISATION.measures}
    return map_test_rows(values, units, findings=FINDINGS, measures=measures, resampling=OPTIONS.resampling)


def test_a_sound_network_beats_random_ones_and_nothing_is_suspected(batch: JudgedBatch) -> None:
    found = rows(batch)
    (gain,) = (row for row in found if row.finding == "(all)" and row.compared_with == "random_weights")
    assert gain.estimate is not None
    assert gain.estimate > 0.4
    assert list(map_test_suspicions(found, OPTIONS)) == []


def test_edges_of_the_image_are_suspected_because_they_need_no_weights(batch: JudgedBatch) -> None:
    edges = with_edges(batch.judging)
    images = batch.images[:6]
    found = rows(judged_batch(images, replace(edges, batch_size=len(images))))
    rules = [(one.rule, one.suspect) for one in map_test_suspicions(found, OPTIONS)]
    assert rules == [("random_network_as_good", "map"), ("map_without_weights", "map")]


def test_a_little_noise_moves_no_peak_far(batch: JudgedBatch) -> None:
    values = list(repeatability(batch))
    distances = [value for value in numbers(values, "peak_distance", "noise") if value is not None]
    assert np.median(distances) < 0.05
    correlations = [value for value in numbers(values, "spearman", "noise") if value is not None]
    assert np.mean(correlations) > 0.8
