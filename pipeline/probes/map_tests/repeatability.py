"""Repeatability: maps of the same image with a little noise, and mirrored.

Noise of one percent should leave a map as it is (Arun et al. 2021 ask the same of two trainings). The map of
the mirrored image is mirrored back. For a finding with a side, such as an enlarged heart, mirroring changes
the image itself, so that a network may rightly answer otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from pipeline.contracts import MapTest, Measure
from pipeline.geometry import mirrored
from pipeline.probes.map_tests.comparing import likeness
from pipeline.probes.map_tests.judged import Cost, JudgedBatch, maps_of
from pipeline.records import MapTestValue, ModelInput

NAME = "repeatability"
NOISE = 0.01
"""Standard deviation of the noise, as a share of the range of the network's input."""
SEED = 0


def repeatability(batch: JudgedBatch) -> Iterator[MapTestValue]:
    """Likeness of the map to that of the changed image."""
    for variant, change in CHANGES.items():
        maps = maps_of(batch.images, batch.judging, change=change)
        for image, method, finding in batch.pairs():
            key = image.case_id, method, finding
            found = likeness(batch.maps.get(key), maps.get(key), image.regions.get(finding))
            for measure, (value, why) in found:
                yield MapTestValue(image.case_id, finding, method, NAME, measure, variant, value, why)


def with_noise(model_input: ModelInput) -> ModelInput:
    """The input with normal noise, pixel by pixel and the same in all channels."""
    pixels = model_input.tensor
    noise = np.random.default_rng(SEED).standard_normal(pixels.shape[1:])
    ranges = np.ptp(pixels, axis=(1, 2), keepdims=True)
    return replace(model_input, tensor=(pixels + NOISE * ranges * noise).astype(np.float32))


def flipped(model_input: ModelInput) -> ModelInput:
    """The input mirrored left to right, placed so that its map lies where it belongs on the image."""
    tensor = np.ascontiguousarray(model_input.tensor[:, :, ::-1])
    return replace(model_input, tensor=tensor, placement=mirrored(model_input.placement))


CHANGES: Mapping[str, Callable[[ModelInput], ModelInput]] = MappingProxyType(
    {"noise": with_noise, "flip": flipped}
)


def _cost(cost: Cost) -> int:
    return len(CHANGES) * cost.images * cost.explanation


REPEATABILITY = MapTest(
    repeatability,
    _cost,
    "the same image with a little noise, and mirrored",
    {
        "spearman": Measure("rank correlation of the maps", "higher"),
        "peak_distance": Measure("distance of the peaks, share of the diagonal", "lower"),
        "same_hit": Measure("both hit or both miss", "higher", is_share=True),
    },
)
