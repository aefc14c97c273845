"""Projection: line integrals of simple bodies along parallel X-rays, and the detector's response.

Coordinates are the patient's, in mm: x to the image's right, y down, z to the front. Rays run along z.
Every body is convex: a ray is inside it between two depths, so that unions and intersections are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from pipeline.records import Intensity

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns of the detector."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A square detector. The patient is shifted from its centre by `shift_mm` (x, y) and rotated."""

    size: int
    spacing_mm: float
    shift_mm: tuple[float, float] = (0.0, 0.0)
    angle_degrees: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """A superellipsoid |x/a|^p + |y/b|^p + |z/c|^p ≤ 1; an ellipsoid for the exponent 2."""

    center: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    angle_degrees: float = 0.0
    """Clockwise rotation in the image plane."""
    exponent: float = 2.0


class Rays(NamedTuple):
    """Patient coordinates of the ray of each pixel, each (rows, columns)."""

    x: Intensity
    y: Intensity

    def within(self, window: Window) -> Rays:
        """The rays of the pixels in a window of the detector."""
        return Rays(self.x[window], self.y[window])


class Chord(NamedTuple):
    """Depths at which rays enter and leave a body; far ≤ near if they miss it."""

    near: Intensity
    far: Intensity

    def within(self, window: Window) -> Chord:
        """The part within a window of the detector."""
        return Chord(self.near[window], self.far[window])


def rays(detector: Detector) -> Rays:
    """The rays of a detector's pixels."""
    steps = (np.arange(detector.size) - (detector.size - 1) / 2) * detector.spacing_mm
    x = (steps - detector.shift_mm[0]).astype(np.float32)[None, :]
    y = (steps - detector.shift_mm[1]).astype(np.float32)[:, None]
    across, down = np.broadcast_arrays(x, y)
    return _turned(across, down, detector.angle_degrees)


def window_around(detector: Detector, body: Body) -> Window:
    """Rows and columns that contain all rays through the body."""
    angle = np.radians(detector.angle_degrees)
    x, y = body.center[:2]
    across = x * np.cos(angle) - y * np.sin(angle) + detector.shift_mm[0]
    down = x * np.sin(angle) + y * np.cos(angle) + detector.shift_mm[1]
    # A superellipsoid lies within the rectangle of its semi-axes.
    reach = float(np.hypot(*body.semi_axes[:2])) if body.exponent > 2 else max(body.semi_axes[:2])  # noqa: PLR2004
    return _span(detector, down, reach), _span(detector, across, reach)


def chord(beam: Rays, body: Body) -> Chord:
    """Depths between which the rays are inside a body."""
    (a, b, c), p = body.semi_axes, body.exponent
    x, y = _turned(
        beam.x - np.float32(body.center[0]), beam.y - np.float32(body.center[1]), body.angle_degrees
    )
    x, y = np.abs(x * np.float32(1 / a)), np.abs(y * np.float32(1 / b))
    if p == 2:  # noqa: PLR2004  an ellipsoid; a square root is faster than powers
        half = np.float32(c) * np.sqrt(np.maximum(1 - x * x - y * y, 0))
    else:
        power = np.float32(p)
        half = np.float32(c) * np.maximum(1 - x**power - y**power, 0) ** (1 / power)
    z = np.float32(body.center[2])
    return Chord(z - half, z + half)


def tilted_slab(beam: Rays, *, y: float, half_height_mm: float, slope: float) -> Chord:
    """Depths between which the rays are within `half_height_mm`, along y, of a tilted plane.

    The plane is at height `y` for z = 0, and descends by `slope` per mm of depth.
    """
    middle = (beam.y - np.float32(y)) * np.float32(1 / slope)
    half = np.float32(half_height_mm / slope)
    return Chord(middle - half, middle + half)


def length(inside: Chord) -> Intensity:
    """Millimetres of each ray inside the body."""
    inside_mm: Intensity = np.maximum(inside.far - inside.near, 0)
    return inside_mm


def overlap(first: Chord, second: Chord) -> Chord:
    """Depths between which the rays are inside both bodies."""
    return Chord(np.maximum(first.near, second.near), np.minimum(first.far, second.far))


def length_outside(inside: Chord, others: Sequence[Chord]) -> Intensity:
    """Millimetres of each ray inside the first body and outside all others, by inclusion and exclusion."""
    if not others:
        return length(inside)
    first, *rest = others
    return length_outside(inside, rest) - length_outside(overlap(inside, first), rest)


def transmitted(integral: Intensity, *, photons: float) -> Intensity:
    """Expected photons per pixel after attenuation, I0·exp(-∫μ) (Beer-Lambert)."""
    return np.float32(photons) * np.exp(-integral)


def counted(expected: Intensity, rng: np.random.Generator) -> Intensity:
    """Photons counted by each pixel, with Poisson noise."""
    return rng.poisson(expected).astype(np.float32)


def log_converted(counts: Intensity, *, photons: float) -> Intensity:
    """The line integral from photon counts, -ln(I/I0); a count of 0 is taken as 0.5."""
    return -np.log(np.maximum(counts, np.float32(0.5)) * np.float32(1 / photons))


def _turned(x: Intensity, y: Intensity, angle_degrees: float) -> Rays:
    """Coordinates in a frame that is rotated clockwise by the angle."""
    if angle_degrees == 0:
        return Rays(x, y)
    cosine, sine = (
        np.float32(np.cos(np.radians(angle_degrees))),
        np.float32(np.sin(np.radians(angle_degrees))),
    )
    return Rays(x * cosine + y * sine, y * cosine - x * sine)


def _span(detector: Detector, middle_mm: float, reach_mm: float) -> slice:
    middle = middle_mm / detector.spacing_mm + (detector.size - 1) / 2
    reach = reach_mm / detector.spacing_mm
    first, last = math.floor(middle - reach), math.ceil(middle + reach) + 1
    return slice(min(max(first, 0), detector.size), min(max(last, 0), detector.size))
