"""Radiograph: the simulated chest film of a seed and index, with the mask of every lesion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.phantoms.anatomy import WATER, Thorax, project
from pipeline.phantoms.lesions import FINDINGS, draw_disease, project_lesions, with_cardiomegaly
from pipeline.phantoms.projection import Detector, counted, length, log_converted, transmitted
from pipeline.phantoms.variation import draw_thorax
from pipeline.records import Intensity, Mask

HIGHEST = 4095
"""Highest stored value, at 12 bits."""

HEALTHY_SHARE = 1 / 3
PORTABLE_SHARE = 0.3
SAME_FOR_ALL = {"modality": "DX", "body_part": "CHEST"}


@dataclass(frozen=True, slots=True)
class Maker:
    """An invented manufacturer: the dose of its machines, and the scale of their stored values."""

    name: str
    model: str
    photons_mm2: float
    """Photons per mm² that reach the detector without a patient."""
    gain: float
    """Stored values per unit of the line integral."""


MAKERS = (
    Maker("Northlight Imaging", "Aurora DR 4", photons_mm2=1.6e5, gain=560),
    Maker("Veldhoven Roentgen", "Chestline 2", photons_mm2=1.1e5, gain=500),
    Maker("Kitsune Medical", "Panel One", photons_mm2=2.2e5, gain=620),
)
PORTABLE_DOSE = 0.5
"""Dose of a bedside film, as a share of that of a film at the wall stand."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A film as stored by its machine."""

    stored: NDArray[np.uint16]
    """(size, size), 12 bits, high = dense."""
    window: tuple[float, float]
    """Stored values shown as black and as white."""
    spacing_mm: float
    masks: Mapping[str, tuple[Mask, ...]]
    """Finding → one mask per lesion; empty if the finding is absent."""
    attributes: Mapping[str, str]
    """Keys as in `ImageSource.attributes`."""
    patient: int
    """Index of the patient's first film."""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A film as displayed through its window."""

    pixels: Intensity
    """0 … 1, bright = dense."""
    masks: Mapping[str, tuple[Mask, ...]]
    attributes: Mapping[str, str]


def phantom(seed: int, index: int, *, size: int) -> Phantom:
    """Film `index` of a seed, `size` × `size` pixels; the same arguments give the same bytes."""
    film = expose(seed, index, size=size)
    return Phantom(shown(film), film.masks, film.attributes)


def shown(film: Exposure) -> Intensity:
    """The film's pixels through its window, 0 … 1."""
    black, white = film.window
    return ((film.stored.astype(np.float32) - np.float32(black)) * np.float32(1 / (white - black))).clip(0, 1)


def expose(seed: int, index: int, *, size: int) -> Exposure:
    """Film `index` of a seed, as stored by its machine. All films of a patient show the same body."""
    patient = patient_of(index)
    body, rng = np.random.default_rng([seed, patient, 0]), np.random.default_rng([seed, index, 1])
    sex, age = str(body.choice(["F", "M"])), int(body.integers(20, 90))
    portable, maker = bool(rng.random() < PORTABLE_SHARE), MAKERS[rng.integers(len(MAKERS))]
    thorax = draw_thorax(body, female=sex == "F", portable=portable)
    findings = draw_findings(rng)
    if "cardiomegaly" in findings:
        thorax = with_cardiomegaly(thorax, rng)
    disease = draw_disease(thorax, findings, rng)
    detector = _detector(size, rng)
    window = _window(thorax, maker, rng)  # before the noise, which draws one random number per pixel
    projection = project(thorax, detector)
    lesions = project_lesions(disease, projection, detector)
    masks = {name: tuple(lesion.mask for lesion in lesions if lesion.finding == name) for name in FINDINGS}
    if "cardiomegaly" in findings:
        masks["cardiomegaly"] = (length(projection.heart) > 0,)
    integral = sum((lesion.contrast for lesion in lesions), projection.integral)
    photons = maker.photons_mm2 * (PORTABLE_DOSE if portable else 1) * detector.spacing_mm**2
    noisy = log_converted(counted(transmitted(integral, photons=photons), rng), photons=photons)
    return Exposure(
        stored=np.rint(noisy * maker.gain).clip(0, HIGHEST).astype(np.uint16),
        window=window,
        spacing_mm=detector.spacing_mm,
        masks=masks,
        attributes={
            "view": "AP" if portable else "PA",
            "sex": sex,
            "age": f"{age:03d}Y",
            "manufacturer": maker.name,
            "model": maker.model,
            **SAME_FOR_ALL,
        },
        patient=patient,
    )


def patient_of(index: int) -> int:
    """The film's patient, as the index of the patient's first film; every fifth patient has two films."""
    return index - 1 if index % 6 == 5 else index  # noqa: PLR2004  4 and 5 of six films are of one patient


def draw_findings(rng: np.random.Generator) -> tuple[str, ...]:
    """Random findings: none in a third of films, otherwise one to three."""
    if rng.random() < HEALTHY_SHARE:
        return ()
    number = rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15])
    return tuple(rng.choice(FINDINGS, size=number, replace=False).tolist())


def _detector(size: int, rng: np.random.Generator) -> Detector:
    """A detector of about 37 cm, with the patient slightly off centre and rotated."""
    return Detector(
        size=size,
        spacing_mm=round(float(rng.uniform(350, 385)) / size, 4),
        shift_mm=(float(rng.uniform(-12, 12)), float(rng.uniform(-8, 16))),
        angle_degrees=float(rng.uniform(-3, 3)),
    )


def _window(thorax: Thorax, maker: Maker, rng: np.random.Generator) -> tuple[float, float]:
    """A window from below the chest wall's line integral to slightly above that of the whole chest."""
    thickest = 2 * thorax.outline[0].semi_axes[2] * WATER
    black, white = rng.uniform(0.4, 0.7), thickest + rng.uniform(0.1, 0.5)
    return float(round(black * maker.gain)), float(round(white * maker.gain))
