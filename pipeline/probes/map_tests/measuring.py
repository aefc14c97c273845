"""Measuring: a batch of images → the numbers of every map test, and the forward passes that they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from pipeline.attribution.explainer import Explainer
from pipeline.audited_model.loading import example_batch
from pipeline.probes.map_tests import MAP_TESTS
from pipeline.probes.map_tests.judged import Cost, JudgedImage, Judging, judged_batch
from pipeline.records import MapTestValue


def measured(images: Sequence[JudgedImage], judging: Judging) -> Iterator[MapTestValue]:
    """The numbers of all map tests for a batch of images."""
    batch = judged_batch(images, judging)
    for name in MAP_TESTS:
        yield from MAP_TESTS[name].measure(batch)


def most_passes(batches: int, judging: Judging) -> int:
    """The largest number of forward passes for some batches; those of one image are counted."""
    if not batches:
        return 0
    explainer, example = judging.explainer, example_batch(judging.model.classifier)[:1]
    network = explainer.engine.network
    cost = Cost(
        images=judging.batch_size,
        findings=len(judging.model.classifier.findings),
        methods=len(judging.methods),
        explanation=_passes(explainer, lambda: explainer.explain(example)),
        opening=_passes(explainer, lambda: explainer.of_network(network, example)),
    )
    of_maps = cost.images * cost.explanation
    return batches * (of_maps + sum(MAP_TESTS[name].cost(cost) for name in MAP_TESTS))


def _passes(explainer: Explainer, function: Callable[[], object]) -> int:
    """How many images run through the network meanwhile."""
    count = 0

    def add(_: object, inputs: tuple[Tensor, ...]) -> None:
        nonlocal count
        count += len(inputs[0])

    handle = explainer.engine.network.register_forward_pre_hook(add)
    try:
        function()
    finally:
        handle.remove()
    return count
