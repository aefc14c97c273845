"""Faithfulness: whether the output follows the map, when pixels go and come in its order.

Beside the map, two orders that know nothing of the network: random blobs as smooth as the map, and the places
where the finding mostly is. What a map has more than these is its own. All are compared within one image, so
that what the fill itself does to the output cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

import numpy as np

from pipeline.contracts import MapTest, Measure
from pipeline.geometry import resized, whole
from pipeline.probes.map_tests.comparing import DECIMALS, FLAT, NO_MAP, Found
from pipeline.probes.map_tests.deletion import (
    BLURS,
    STEPS,
    Direction,
    Order,
    area,
    blurred,
    falls,
    is_flat,
    on_input,
    order_of,
    random_blobs,
    seen,
    versions,
)
from pipeline.probes.map_tests.judged import Cost, JudgedBatch, JudgedImage, Judging
from pipeline.records import Heatmap, Intensity, MapTestValue, Values
from pipeline.records.map_tests import OF_THE_NETWORK

NAME = "faithfulness"
RANDOM_BLOBS = "random_blobs"
BLOBS = 3
"""Random maps beside each map; their areas are averaged."""
PLACES = ("location_prior", "center_prior")
"""Baselines that know the place alone; the first one that the run has."""
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
NO_FALL = "output_does_not_fall_with_blur"
Areas: TypeAlias = dict[tuple[str, str], Found]
"""(direction, variant) → the area, and why it is undefined if it is None."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An image and its blurred versions, with the network's outputs for them."""

    image: JudgedImage
    judging: Judging
    versions: tuple[Intensity, ...]
    """The image, and one version per blur, (channels, rows, columns)."""
    outputs: Values
    """(versions, findings); infinite where the network's is not finite."""


def faithfulness(batch: JudgedBatch) -> Iterator[MapTestValue]:
    """Areas below the output during deletion and insertion, for each map and what stands beside it."""
    for image in batch.images:
        subject = _subject(image, batch.judging)
        for finding in image.findings:
            of_place = _of_place(subject, finding)
            for method in batch.judging.methods:
                found = _of_map(subject, finding, batch.maps.get((image.case_id, method, finding)))
                for (direction, variant), (value, why) in (found | of_place).items():
                    yield MapTestValue(image.case_id, finding, method, NAME, direction, variant, value, why)


def _of_map(subject: Subject, finding: str, heatmap: Heatmap | None) -> Areas:
    """Areas of a map, and of the random blobs that are as smooth."""
    if heatmap is None or is_flat(heatmap.relevance):
        why = NO_MAP if heatmap is None else FLAT
        return {
            (direction, variant): (None, why)
            for direction in DIRECTIONS
            for variant in (OF_THE_NETWORK, RANDOM_BLOBS)
        }
    model_input = subject.image.model_input
    blobs = [random_blobs(heatmap, model_input, number=number) for number in range(1, BLOBS + 1)]
    return {
        (direction, variant): _mean_area(subject, finding, maps, direction)
        for direction in DIRECTIONS
        for variant, maps in ((OF_THE_NETWORK, [heatmap]), (RANDOM_BLOBS, blobs))
    }


def _of_place(subject: Subject, finding: str) -> Areas:
    """Areas of the baseline that knows the place alone; none if the run has no such baseline."""
    stored = subject.judging.baselines
    for name in PLACES:
        relevance = stored.get(f"{name}/{finding}", stored.get(name))
        if relevance is not None and not is_flat(relevance):
            shape = subject.image.model_input.placement.image_shape
            rows, columns = relevance.shape
            place = Heatmap("", finding, name, relevance, "relative", resized(whole(shape), (rows, columns)))
            return {
                (direction, name): _mean_area(subject, finding, [place], direction)
                for direction in DIRECTIONS
            }
    return {}


def _mean_area(subject: Subject, finding: str, maps: Sequence[Heatmap], direction: Direction) -> Found:
    """The mean area of some maps of one finding. Where the output does not fall, no version is computed."""
    number = subject.judging.model.classifier.findings.index(finding)
    lowest = 1 + int(subject.outputs[1:, number].argmin())
    original, fill = subject.outputs[[0, lowest], number].tolist()
    if not falls(original, fill):
        return None, NO_FALL
    areas = []
    for heatmap in maps:
        order = _order(heatmap, subject)
        between = versions(subject.versions[0], subject.versions[lowest], order, direction)
        outputs = _outputs(list(between), subject.image, subject.judging)[:, number]
        areas.append(area(outputs.tolist(), original=original, fill=fill, direction=direction))
    mean = sum(areas) / len(areas)
    return (round(mean, DECIMALS), "") if np.isfinite(mean) else (None, "output_not_finite")


def _order(heatmap: Heatmap, subject: Subject) -> Order:
    """The order of the map; of equal pixels, that of a random blob."""
    model_input = subject.image.model_input
    ties = random_blobs(heatmap, model_input, number=0)
    return order_of(on_input(heatmap, model_input), seen(model_input), then=on_input(ties, model_input))


def _subject(image: JudgedImage, judging: Judging) -> Subject:
    inputs = (image.model_input.tensor, *(blurred(image.model_input, blur) for blur in BLURS))
    outputs = _outputs(inputs, image, judging)
    return Subject(image, judging, inputs, np.where(np.isfinite(outputs), outputs, np.inf))


def _outputs(tensors: Sequence[Intensity], image: JudgedImage, judging: Judging) -> Values:
    """Outputs (versions, findings), in batches of the run's size."""
    found, size = [], judging.batch_size
    for start in range(0, len(tensors), size):
        inputs = [replace(image.model_input, tensor=tensor) for tensor in tensors[start : start + size]]
        logits = judging.explainer.logits(judging.model.classifier.tensor(inputs, batch_size=size))
        found.append(logits[: len(inputs)].astype(np.float64))
    return np.concatenate(found)


def _cost(cost: Cost) -> int:
    """Each series of versions fills up its last batch."""
    ends, steps = (-(-size // cost.images) * cost.images for size in (1 + len(BLURS), STEPS - 1))
    series = len(DIRECTIONS) * cost.findings * (cost.methods * (1 + BLOBS) + 1)
    return cost.images * (ends + series * steps)


FAITHFULNESS = MapTest(
    faithfulness,
    _cost,
    "pixels blurred (deletion) or brought back (insertion) in the order of the map",
    {
        "deletion": Measure("area below the output while the highest pixels go", "lower"),
        "insertion": Measure("area below the output while the highest pixels come", "higher"),
    },
)
