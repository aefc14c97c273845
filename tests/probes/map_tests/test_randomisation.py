"""Randomisation: what ignores the weights is found, and the network is as it was afterwards."""

from __future__ import annotations

import pytest

from pipeline.probes.map_tests.judged import JudgedBatch, Judging, judged_batch, maps_of
from pipeline.probes.map_tests.measuring import measured, most_passes
from pipeline.probes.map_tests.random_weights import copied
from pipeline.probes.map_tests.randomisation import MORE_SEEDS, SEEDS, STEPS, randomisation
from pipeline.records import MapTestValue
from tests.probes.map_tests.few import folder_of_study, judged, judging, numbers, with_edges

ALL_STEPS = ("head", "quarter", "half", "three_quarters", "all")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Judging:
    return judging(folder_of_study(tmp_path_factory.mktemp("study")), batch_size=2)


@pytest.fixture(scope="module")
def batch(shared: Judging) -> JudgedBatch:
    return judged_batch([judged(number, shared.model) for number in (1, 2)], shared)


@pytest.fixture(scope="module")
def found(batch: JudgedBatch) -> list[MapTestValue]:
    return list(randomisation(batch))


def test_a_method_that_ignores_the_weights_gives_the_same_map_at_every_step(shared: Judging) -> None:
    edges = with_edges(shared)
    values = list(randomisation(judged_batch([judged(1, edges.model)], edges)))
    for step in ALL_STEPS:
        assert numbers(values, "spearman", step) == [1.0, 1.0]
        assert numbers(values, "ssim", step) == [1.0, 1.0]
    assert numbers(values, "hit", "") == numbers(values, "hit", "random_weights")


def test_a_method_that_reads_the_weights_gives_another_map(found: list[MapTestValue]) -> None:
    for step in ALL_STEPS:
        values = numbers(found, "spearman", step)
        assert len(values) == 4
        assert all(value is not None and value < 0.9 for value in values)


def test_the_network_and_its_maps_are_as_before(shared: Judging) -> None:
    network = shared.explainer.engine.network
    before = copied(network).state_dict()
    images = [judged(1, shared.model)]
    first = maps_of(images, shared)
    list(randomisation(judged_batch(images, shared)))
    for name, tensor in network.state_dict().items():
        assert tensor.equal(before[name]), name
    second = maps_of(images, shared)
    assert all((first[key].relevance == second[key].relevance).all() for key in first)


def test_the_same_networks_in_every_batch_and_every_run(
    batch: JudgedBatch, found: list[MapTestValue]
) -> None:
    assert list(randomisation(batch)) == found


def test_hits_of_random_networks_are_the_mean_of_those_with_a_peak(found: list[MapTestValue]) -> None:
    count = len(SEEDS) + len(MORE_SEEDS)
    each = [numbers(found, "hit", f"random_weights_{number + 1}") for number in range(count)]
    for mean, *hits in zip(numbers(found, "hit", "random_weights"), *each, strict=True):
        known = [value for value in hits if value is not None]
        assert mean == (pytest.approx(sum(known) / len(known), abs=1e-4) if known else None)


def test_the_number_of_forward_passes_is_not_exceeded(batch: JudgedBatch) -> None:
    shared, images = batch.judging, 0

    def count(_: object, inputs: tuple[object, ...]) -> None:
        nonlocal images
        images += len(inputs[0])  # type: ignore[arg-type]

    network = shared.explainer.engine.network
    handle = network.register_forward_pre_hook(count)  # copies of the network keep it
    try:
        most = most_passes(1, shared)
        images = 0
        list(measured(batch.images, shared))
    finally:
        handle.remove()
    assert 0 < images <= most
    assert most_passes(0, shared) == 0
    assert len(SEEDS) * STEPS * shared.batch_size < most
