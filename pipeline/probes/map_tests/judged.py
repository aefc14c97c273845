"""Judged: the images whose maps are tested, batch by batch, with their maps by any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pipeline.contours.scaling import scaled
from pipeline.geometry import placed
from pipeline.records import Heatmap, Intensity, Mask, ModelInput

if TYPE_CHECKING:  # these load torch, which workers do without
    from pipeline.attribution.explainer import Explainer
    from pipeline.audited_model.loading import AuditedModel

Maps: TypeAlias = Mapping[tuple[str, str, str], Heatmap]
"""(case id, method, finding) → its map; those with NaN or infinity are missing."""


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """One image whose maps are tested."""

    case_id: str
    model_input: ModelInput
    findings: tuple[str, ...]
    """Findings whose maps are tested on this image."""
    regions: Mapping[str, Mask] = field(default_factory=dict)
    """Finding → all pixels that any reader annotated, (rows, columns) of the image; not empty."""


@dataclass(frozen=True, slots=True)
class Judging:
    """What all batches of a run share."""

    model: AuditedModel
    batch_size: int
    scaling: Literal["positive", "minmax"] = "positive"
    """How the maps of the run are scaled before they are drawn."""
    baselines: Mapping[str, Intensity] = field(default_factory=dict)
    """The run's stored baseline maps: "location_prior/finding" → (rows, columns) over the whole image."""

    @property
    def explainer(self) -> Explainer:
        """The explainer in torch, whose network can be exchanged, whatever the backend of the run."""
        return self.model.reference or self.model.explainer

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the attribution methods."""
        return self.model.methods


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Some images with their maps by the network as it is."""

    images: Sequence[JudgedImage]
    judging: Judging
    maps: Maps

    def pairs(self) -> Iterator[tuple[JudgedImage, str, str]]:
        """Each image with each method and each finding that is judged on it."""
        for image in self.images:
            for method in self.judging.methods:
                for finding in image.findings:
                    yield image, method, finding


def judged_batch(images: Sequence[JudgedImage], judging: Judging) -> JudgedBatch:
    """The images with their maps by the network as it is."""
    return JudgedBatch(images, judging, maps_of(images, judging))


def maps_of(
    images: Sequence[JudgedImage],
    judging: Judging,
    *,
    explainer: Explainer | None = None,
    change: Callable[[ModelInput], ModelInput] = lambda same: same,
) -> Maps:
    """The maps of the judged findings, scaled as the run draws them, by the network or another explainer.

    `change` makes the input whose map is asked for; its placement says where the map lies on the image. The
    batch always has the run's size, because the last bits of a network's output depend on it.
    """
    by = explainer or judging.explainer
    inputs = [change(image.model_input) for image in images]
    explanation = by.explain(judging.model.classifier.tensor(inputs, batch_size=judging.batch_size))
    place = {finding: number for number, finding in enumerate(judging.model.classifier.findings)}
    found: dict[tuple[str, str, str], Heatmap] = {}
    for method in by.methods:
        maps, unit = explanation.maps[method.name], by.unit(method)
        for row, (image, model_input) in enumerate(zip(images, inputs, strict=True)):
            placement = placed(model_input.placement, explanation.cells[method.name])
            for finding in image.findings:
                relevance = maps[row, place[finding]]
                if np.isfinite(relevance).all():
                    heatmap = Heatmap(image.case_id, finding, method.name, relevance, unit, placement)
                    found[image.case_id, method.name, finding] = scaled(heatmap, judging.scaling)
    return found


@dataclass(frozen=True, slots=True)
class Cost:
    """What forward passes a batch may take."""

    images: int
    """Images of a batch, those beyond the last image included."""
    findings: int
    """Findings that are judged on an image, at most."""
    explanation: int
    """Forward passes for the maps of one image, of all methods together."""
    methods: int
    """Attribution methods."""
    opening: int
    """Forward passes to read the layers of another network."""
