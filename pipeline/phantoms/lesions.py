"""Lesions: random nodules, consolidations and effusions, and their contrast along each ray."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np

from pipeline.phantoms.anatomy import LUNG, WATER, LungField, Projection, Thorax, aerated, half_width
from pipeline.phantoms.projection import (
    Body,
    Detector,
    chord,
    length_outside,
    overlap,
    rays,
    window_around,
)
from pipeline.records import Intensity, Mask

FINDINGS = ("nodule", "consolidation", "effusion", "cardiomegaly")

SHELLS = (1.0, 0.8, 0.6)
"""Shares of a consolidation's radius at which its density rises in steps, so that its edge is soft."""

EDGE: Mapping[str, float] = {"nodule": 0.02, "consolidation": 0.2, "effusion": 0.1}
"""A lesion's mask is where its contrast exceeds this share of its maximum."""

CLEARANCE: Mapping[str, float] = {"nodule": 1.1, "consolidation": 0.5}
"""Distance of a lesion from structures that would hide it, as a share of its reach."""

BOTH_SIDES = 0.25
"""Share of effusions that are on both sides."""

GAP = 4.0
"""Smallest distance between two lesions on the film, in mm."""

TRIES = 2000
"""Number of random positions that are tried for one lesion."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A nodule, or a consolidation made of several bodies."""

    finding: str
    bodies: tuple[Body, ...]
    density: float
    """Density of each body, as a share of the step from lung to water."""
    reach: float
    """Radius around the centre that contains all bodies on the film, in mm."""
    side: int = 0
    """0 the right lung (image left), 1 the left."""
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Effusion:
    """Pleural fluid: it fills the lung field outside the body that stays aerated."""

    side: int
    aerated: Body


@dataclass(frozen=True, slots=True)
class Disease:
    """The lesions of a chest. An enlarged heart is part of the chest itself."""

    effusions: tuple[Effusion, ...] = ()
    spots: tuple[Spot, ...] = ()


Shape: TypeAlias = Callable[[np.random.Generator], Spot]


class Lesion(NamedTuple):
    """One lesion on the detector's grid."""

    finding: str
    contrast: Intensity
    """Line integral that the lesion adds to that of the chest."""

    @property
    def mask(self) -> Mask:
        """The mask that a reader would draw."""
        inside: Mask = self.contrast > EDGE[self.finding] * self.contrast.max()
        return inside


def with_cardiomegaly(thorax: Thorax, rng: np.random.Generator) -> Thorax:
    """The chest with a heart of 0.56 to 0.68 of its inner width, enlarged mostly to the patient's left."""
    heart, inner = thorax.heart, thorax.cage.inner.semi_axes[0]
    factor = rng.uniform(0.56, 0.68) * inner / half_width(heart)
    a, b, c = (factor * axis for axis in heart.semi_axes)
    x, y, z = heart.center
    growth = half_width(heart) * (factor - 1)
    return replace(thorax, heart=replace(heart, center=(x + 0.3 * growth, y, z), semi_axes=(a, b, c)))


def draw_disease(thorax: Thorax, findings: Collection[str], rng: np.random.Generator) -> Disease:
    """Random lesions; nodules and consolidations do not overlap on the film."""
    effusions = _draw_effusions(thorax, rng) if "effusion" in findings else ()
    spots: list[Spot] = []
    for finding, shape, maximum in (("consolidation", _cluster, 2), ("nodule", _nodule, 3)):
        if finding in findings:
            for _ in range(rng.integers(1, maximum + 1)):
                spots.append(_placed(thorax, shape, effusions, spots, rng))
    return Disease(effusions, tuple(spots))


def project_lesions(disease: Disease, projection: Projection, detector: Detector) -> tuple[Lesion, ...]:
    """Each lesion's contrast: what it adds to the chest's line integral."""
    beam = rays(detector)
    fields = list(projection.fields)
    lesions = []
    for effusion in disease.effusions:
        lung, displaced_by = fields[effusion.side]
        fields[effusion.side] = drained = LungField(
            overlap(lung, chord(beam, effusion.aerated)), displaced_by
        )
        fluid = length_outside(lung, displaced_by) - length_outside(*drained)
        lesions.append(Lesion("effusion", np.float32(WATER - LUNG) * np.maximum(fluid, 0)))
    for spot in disease.spots:
        contrast = np.zeros_like(projection.integral)
        for body in spot.bodies:
            window = window_around(detector, body)
            contrast[window] += aerated(fields[spot.side], beam, window, body)
        contrast *= np.float32(spot.density * (WATER - LUNG))
        lesions.append(Lesion(spot.finding, np.maximum(contrast, 0)))
    return tuple(lesions)


def _draw_effusions(thorax: Thorax, rng: np.random.Generator) -> tuple[Effusion, ...]:
    """Fluid on one side, sometimes on both.

    The aerated lung is an ellipsoid above the fluid, which rises along the chest wall as a meniscus.
    """
    sides = (0, 1) if rng.random() < BOTH_SIDES else (int(rng.integers(2)),)
    effusions = []
    for side in sides:
        dome = thorax.domes[side]
        level = dome.center[1] - dome.semi_axes[1] + rng.uniform(-25, 15)
        x = thorax.lungs[side].center[0] * rng.uniform(0.75, 0.95)
        effusions.append(Effusion(side, Body((x, level - 260, 0), (rng.uniform(125, 150), 260, 150))))
    return tuple(effusions)


def _placed(
    thorax: Thorax,
    shape: Shape,
    effusions: Collection[Effusion],
    others: Collection[Spot],
    rng: np.random.Generator,
) -> Spot:
    """A spot at a random position in aerated lung that nothing hides, apart from the other spots."""
    for _ in range(TRIES):
        spot, side = shape(rng), int(rng.integers(2))
        lung = thorax.lungs[side]
        x, y = np.array(lung.center[:2]) + rng.uniform(-1, 1, size=2) * lung.semi_axes[:2]
        margin = CLEARANCE[spot.finding] * spot.reach
        dry = [fluid.aerated for fluid in effusions if fluid.side == side]
        hiding = (thorax.heart, thorax.mediastinum, thorax.domes[side])
        if (
            all(_covers(body, x, y, margin=-margin) for body in (lung, thorax.cage.inner))
            and all(_covers(body, x, y, margin=-spot.reach) for body in dry)
            and not any(_covers(body, x, y, margin=margin) for body in hiding)
            and all(
                np.hypot(x - other.center[0], y - other.center[1]) > spot.reach + other.reach + GAP
                for other in others
            )
        ):
            z = rng.uniform(-0.4, 0.4) * lung.semi_axes[2]
            return _moved(spot, side, (float(x), float(y), float(z)))
    raise RuntimeError(f"found no room for another lesion in {TRIES} tries; choose another seed")


def _nodule(rng: np.random.Generator) -> Spot:
    radius = rng.uniform(9, 18)
    return Spot("nodule", (Body((0, 0, 0), (radius,) * 3),), rng.uniform(1.0, 1.4), radius)


def _cluster(rng: np.random.Generator) -> Spot:
    reach, number = rng.uniform(32, 50), int(rng.integers(8, 12))
    bodies = []
    for _ in range(number):
        a, b = reach * rng.uniform(0.4, 0.7, size=2)
        room, angle = reach - max(a, b), rng.uniform(0, 2 * np.pi)
        away = room * np.sqrt(rng.random())
        center = (float(away * np.cos(angle)), float(away * np.sin(angle)), rng.uniform(-15, 15))
        turn = rng.uniform(0, 180)
        bodies += [Body(center, (share * a, share * b, share * reach * 0.6), turn) for share in SHELLS]
    # About two in five bodies overlap in the middle, which is therefore about as dense as fluid.
    return Spot("consolidation", tuple(bodies), rng.uniform(1.5, 2.7) / len(bodies), reach)


def _covers(body: Body, x: float, y: float, *, margin: float) -> bool:
    """Whether a body, enlarged by a margin, covers the point on the film."""
    a, b = body.semi_axes[0] + margin, body.semi_axes[1] + margin
    if min(a, b) <= 0:
        return False
    angle = np.radians(body.angle_degrees)
    x, y = x - body.center[0], y - body.center[1]
    along, down = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return bool(abs(along / a) ** body.exponent + abs(down / b) ** body.exponent <= 1)


def _moved(spot: Spot, side: int, to: tuple[float, float, float]) -> Spot:
    def moved(body: Body) -> Body:
        x, y, z = (start + step for start, step in zip(body.center, to, strict=True))
        return replace(body, center=(x, y, z))

    return replace(spot, side=side, center=to, bodies=tuple(map(moved, spot.bodies)))
