"""Drawing: an image → all its versions that the probes ask for, as inputs of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pipeline.cases.burned_in_text import TextSearch, search_text
from pipeline.classifiers import Preprocessing, prepare
from pipeline.contracts import ProbedImage, Variant
from pipeline.geometry import box_pixels
from pipeline.ground_truth.references import read_case_references
from pipeline.loaders import decode
from pipeline.probes import PROBES
from pipeline.probes.selection import CARD, Partner, ProbeTask, ReadTask
from pipeline.records import Case, Image, Mask, ModelInput, Reference, Shape
from pipeline.records.probes import UNCHANGED

LEAST_PIXELS = 4
"""Of a region: 2 × 2. Without a smaller one an image is the same to any network."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The versions of one image as inputs of the network; the first is the image as it is."""

    case_id: str
    names: tuple[tuple[str, str, str], ...]
    """Probe, variant and finding (empty: all findings) of each version."""
    inputs: tuple[ModelInput, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings for changing images, which all images of a run share."""

    findings: tuple[str, ...]
    preprocessing: Preprocessing
    search: TextSearch | None


def draw_versions(task: ProbeTask, settings: Settings) -> Drawn:
    """Every version of the image that the task asks for. Raises CaseError."""
    image, regions = read_task(task, settings)
    other = None if task.other is None else _image(task.other, settings)
    asked = judgeable(task.regions, regions)
    healthy, alike = (
        {finding: _partner(partners[finding], settings) for finding in asked if finding in partners}
        for partners in (task.healthy, task.alike)
    )
    probed = ProbedImage(image, settings.preprocessing, regions, asked, other, healthy, alike)
    wanted = [
        name
        for name, probe in PROBES.items()
        if probe.runs_at(task.level)
        and (bool(asked) if probe.is_of_findings else task.whole)
        and not (probe.needs_other and other is None)
    ]
    names, inputs = [(UNCHANGED, "", "")], [prepare(image, settings.preprocessing)]
    for name in wanted:
        for variant in PROBES[name].draw(probed):
            names.append((name, variant.name, variant.finding))
            inputs.append(_input(variant, task.case, image, settings))
    return Drawn(task.case.case_id, tuple(names), tuple(inputs))


def judgeable(findings: Sequence[str], regions: Mapping[str, Mask]) -> tuple[str, ...]:
    """The findings whose region can be replaced: fewer than `LEAST_PIXELS` mark a place, no lesion."""
    return tuple(name for name in findings if name in regions and regions[name].sum() >= LEAST_PIXELS)


def read_task(task: ProbeTask, settings: Settings) -> tuple[Image, dict[str, Mask]]:
    """The task's image, and finding → every pixel that any reader annotated. Raises CaseError."""
    image = _image(task.case, settings)
    return image, _regions(task, image.shape, settings.findings)


def settings_of(
    findings: tuple[str, ...], preprocessing: Preprocessing, search: TextSearch | None
) -> Settings:
    """The settings of a run. Text is only searched for where the network must not see it."""
    return Settings(findings, preprocessing, search if search is not None and search.mask else None)


def drawing_of(settings: Settings) -> partial[Drawn]:
    """`draw_versions` with the settings of the run, to be called by workers."""
    return partial(draw_versions, settings=settings)


def inputs_of(settings: Settings) -> partial[list[tuple[str, ModelInput]]]:
    """`draw_inputs` with the settings of the run, to be called by workers."""
    return partial(draw_inputs, settings=settings)


def draw_inputs(task: ReadTask, settings: Settings) -> list[tuple[str, ModelInput]]:
    """The image as it is ("") and, if the task asks for it, as variants of the card. Raises CaseError."""
    image = _image(task.case, settings)
    drawn = PROBES[CARD].draw(ProbedImage(image, settings.preprocessing)) if task.variants else ()
    return [
        ("", prepare(image, settings.preprocessing)),
        *((variant.name, _input(variant, task.case, image, settings)) for variant in drawn),
    ]


def _image(case: Case, settings: Settings) -> Image:
    window = settings.preprocessing.window
    return search_text(decode(case.source, case_id=case.case_id, window=window), settings.search)[0]


def _input(variant: Variant, case: Case, image: Image, settings: Settings) -> ModelInput:
    preprocessing = variant.preprocessing or settings.preprocessing
    if preprocessing.window != settings.preprocessing.window:
        image = _image(case, replace(settings, preprocessing=preprocessing))
        return prepare(image, preprocessing)
    return prepare(replace(image, pixels=np.ascontiguousarray(variant.pixels, np.float32)), preprocessing)


def _partner(partner: Partner, settings: Settings) -> ProbedImage:
    image = _image(partner.case, settings)
    return ProbedImage(image, settings.preprocessing, _regions(partner, image.shape, settings.findings))


def _regions(of: ProbeTask | Partner, shape: Shape, findings: Sequence[str]) -> dict[str, Mask]:
    """Finding → every pixel that any reader annotated."""
    read = read_case_references(
        of.items,
        of.labels,
        case_id=of.case.case_id,
        shape=shape,
        findings=findings,
        negative=("", "mask"),
    )
    regions: dict[str, Mask] = {}
    for reference in read.references:
        region = _region(reference, shape)
        if region.any():
            regions[reference.finding] = regions.get(reference.finding, np.zeros(shape, bool)) | region
    return regions


def _region(reference: Reference, shape: Shape) -> Mask:
    region = np.zeros(shape, bool)
    for mask in reference.masks:
        region |= mask
    for box in reference.boxes:
        region[box_pixels(box, shape)] = True
    return region
