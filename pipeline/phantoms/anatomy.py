"""Anatomy: a chest made of simple bodies, and its attenuation along each ray.

Lengths are in mm. The patient's left is on the right of the image, as radiographs are displayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from pipeline.phantoms.projection import (
    Body,
    Chord,
    Detector,
    Rays,
    Window,
    chord,
    length,
    length_outside,
    overlap,
    rays,
    tilted_slab,
    window_around,
)
from pipeline.records import Intensity

WATER = 0.020
"""Attenuation of soft tissue and fluid at about 70 keV, per mm."""
LUNG = 0.005
"""Attenuation of aerated lung, which has a quarter of the density of soft tissue."""
BONE = 0.045
"""Attenuation of ribs and clavicles, cortex and marrow together."""
VERTEBRA = 0.029
"""Attenuation of spongy bone."""

Bodies: TypeAlias = tuple[Body, ...]

RIBS = 10
"""Pairs of ribs that cross the lungs on a frontal film."""


@dataclass(frozen=True, slots=True)
class RibCage:
    """A shell of bone, divided into ribs by slabs that descend towards the front."""

    outer: Body
    inner: Body
    top: float
    """Height y of the first rib at mid-depth."""
    pitch: float
    half_height: float
    slope: float
    """Descent of a rib per mm of depth."""


@dataclass(frozen=True, slots=True)
class Thorax:
    """A chest. The lungs lie within the rib cage, outside diaphragm, heart and mediastinum."""

    outline: Bodies
    """Torso, neck and shoulders; the chest is their union."""
    breasts: Bodies
    cage: RibCage
    lungs: tuple[Body, Body]
    """The right lung (image left) first."""
    domes: tuple[Body, Body]
    mediastinum: Body
    heart: Body
    airways: Bodies
    """Trachea and gastric bubble: air within soft tissue."""
    vessels: tuple[Bodies, Bodies]
    """Vessels of the right lung; vessels of the left lung and the aortic knob."""
    bones: Bodies
    vertebrae: Bodies


class LungField(NamedTuple):
    """One lung along the rays: the space for air, and the bodies that displace it."""

    lung: Chord
    displaced_by: tuple[Chord, ...]


class Projection(NamedTuple):
    """A chest, projected along the rays of a detector."""

    integral: Intensity
    """Line integral of the attenuation, ∫μ, without lesions."""
    fields: tuple[LungField, LungField]
    heart: Chord


def project(thorax: Thorax, detector: Detector) -> Projection:
    """The projected chest, with its lung fields, to which lesions can be added."""
    beam = rays(detector)
    heart, mediastinum, cage = (
        chord(beam, body) for body in (thorax.heart, thorax.mediastinum, thorax.cage.inner)
    )
    fields = tuple(
        LungField(overlap(chord(beam, lung), cage), (heart, mediastinum, chord(beam, dome)))
        for lung, dome in zip(thorax.lungs, thorax.domes, strict=True)
    )
    outline = [chord(beam, body) for body in thorax.outline]
    integral = np.float32(WATER) * sum(
        length_outside(inside, outline[:number]) for number, inside in enumerate(outline)
    )
    for field in fields:
        integral -= np.float32(WATER - LUNG) * length_outside(*field)
    integral += np.float32(BONE - WATER) * _ribs(beam, thorax.cage, cage)
    for bodies, attenuation in (
        (thorax.breasts, WATER),
        (thorax.airways, -WATER),
        (thorax.bones, BONE - WATER),
        (thorax.vertebrae, VERTEBRA - WATER),
    ):
        for body in bodies:
            window = window_around(detector, body)
            integral[window] += np.float32(attenuation) * length(chord(beam.within(window), body))
    for field, vessels in zip(fields, thorax.vessels, strict=True):
        for body in vessels:
            window = window_around(detector, body)
            integral[window] += np.float32(WATER - LUNG) * aerated(field, beam, window, body)
    return Projection(np.maximum(integral, 0), (fields[0], fields[1]), heart)


def aerated(field: LungField, beam: Rays, window: Window, body: Body) -> Intensity:
    """Millimetres of each ray inside both `body` and aerated lung, within a window of the detector."""
    inside = overlap(chord(beam.within(window), body), field.lung.within(window))
    return length_outside(inside, [other.within(window) for other in field.displaced_by])


def half_width(body: Body) -> float:
    """Half of an ellipsoid's extent across the image."""
    angle = np.radians(body.angle_degrees)
    return float(np.hypot(body.semi_axes[0] * np.cos(angle), body.semi_axes[1] * np.sin(angle)))


def _ribs(beam: Rays, cage: RibCage, inner: Chord) -> Intensity:
    """Millimetres of rib along each ray, in the walls behind and in front of the lungs."""
    outer = chord(beam, cage.outer)
    back, front = Chord(outer.near, inner.near), Chord(inner.far, outer.far)
    # Ribs end in cartilage some centimetres from the sternum.
    bony = np.clip((np.abs(beam.x) - 35) * np.float32(1 / 25), 0, 1)
    total = np.zeros_like(beam.x)
    for number in range(RIBS):
        slab = tilted_slab(
            beam, y=cage.top + number * cage.pitch, half_height_mm=cage.half_height, slope=cage.slope
        )
        total += length(overlap(back, slab)) + bony * length(overlap(front, slab))
    return total
