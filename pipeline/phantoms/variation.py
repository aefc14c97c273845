"""Variation: chests with random anatomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.phantoms.anatomy import Bodies, RibCage, Thorax, half_width
from pipeline.phantoms.projection import Body

MOST_ROTATION_DEGREES = 5.0
"""Largest rotation about the patient's long axis, in either direction."""
STEEP_DEGREES = 50
"""Vessels steeper than this run up or down a lung, and scale with its height."""


def draw_thorax(rng: np.random.Generator, *, female: bool, portable: bool) -> Thorax:
    """A random chest: size, proportions, asymmetry, rotation about the long axis.

    `portable`: an anteroposterior film, whose heart and clavicles lie farther from the detector.
    """
    build = rng.uniform(0.92, 1.08) * (0.95 if female else 1.0)
    width, height, depth = build * rng.uniform(0.95, 1.05, size=3)
    cage = _draw_cage(rng, width=width, height=height, depth=depth)
    lungs = _draw_lungs(rng, width=width, height=height, depth=depth)
    domes = _draw_domes(rng, width=width, height=height, depth=depth)
    thorax = Thorax(
        outline=_outline(rng, width=width, height=height, depth=depth),
        breasts=_draw_breasts(rng, width=width, height=height) if female else (),
        cage=cage,
        lungs=lungs,
        domes=domes,
        mediastinum=Body(
            (0, -30 * height, 0), (rng.uniform(23, 29) * width, 140 * height, 60 * depth), exponent=3
        ),
        heart=_draw_heart(rng, cage=cage, magnification=1.05 if portable else 1.0),
        airways=_draw_airways(rng, height=height),
        vessels=_draw_vessels(rng, lungs=lungs),
        bones=_draw_bones(rng, width=width, height=height, portable=portable),
        vertebrae=_draw_vertebrae(rng, height=height, depth=depth),
    )
    return _rotated(thorax, rng.uniform(-MOST_ROTATION_DEGREES, MOST_ROTATION_DEGREES))


def _outline(rng: np.random.Generator, *, width: float, height: float, depth: float) -> Bodies:
    fat = rng.uniform(0, 14)
    torso = Body((0, 130 * height, 0), (168 * width + fat, 290 * height, 104 * depth + fat), exponent=2.6)
    neck = Body((0, -215 * height, -10), (52 * width, 130 * height, 55 * depth), exponent=2.4)
    shoulders = tuple(
        Body((side * 132 * width, -98 * height, -10), (100 * width, 68 * height, 58 * depth), side * 20.0)
        for side in (-1, 1)
    )
    return (torso, neck, *shoulders)


def _draw_cage(rng: np.random.Generator, *, width: float, height: float, depth: float) -> RibCage:
    wall = rng.uniform(5, 6.5)
    a, b, c = 142 * width, 215 * height, 92 * depth
    pitch = rng.uniform(24, 28) * height
    return RibCage(
        outer=Body((0, 55 * height, 0), (a, b, c), exponent=2.3),
        inner=Body((0, 55 * height, 0), (a - wall, b - wall, c - wall), exponent=2.3),
        top=rng.uniform(-88, -76) * height,
        pitch=pitch,
        half_height=rng.uniform(0.22, 0.28) * pitch,
        slope=rng.uniform(0.38, 0.55),
    )


def _draw_lungs(rng: np.random.Generator, *, width: float, height: float, depth: float) -> tuple[Body, Body]:
    def lung(side: int) -> Body:
        return Body(
            (side * 74 * width, rng.uniform(20, 32) * height, 0),
            (rng.uniform(64, 72) * width, rng.uniform(158, 174) * height, 88 * depth),
            angle_degrees=side * rng.uniform(-6, -2),
            exponent=rng.uniform(2.2, 2.6),
        )

    return lung(-1), lung(1)


def _draw_domes(rng: np.random.Generator, *, width: float, height: float, depth: float) -> tuple[Body, Body]:
    right = rng.uniform(66, 96)
    left = right + rng.uniform(2, 18)

    def dome(side: int, top: float) -> Body:
        drop = rng.uniform(80, 110) * height
        return Body((side * 62 * width, top * height + drop, 5), (90 * width, drop, 112 * depth))

    return dome(-1, right), dome(1, left)


def _draw_heart(rng: np.random.Generator, *, cage: RibCage, magnification: float) -> Body:
    """A heart with a width of 0.38 to 0.46 of the chest's inner width."""
    share, angle = rng.uniform(0.38, 0.46), rng.uniform(28, 42)
    flat = rng.uniform(0.70, 0.82)
    shape = half_width(Body((0, 0, 0), (1, flat, 1), angle))
    a = magnification * share * cage.inner.semi_axes[0] / shape
    top = cage.inner.center[1]
    return Body((rng.uniform(14, 26), top - rng.uniform(2, 18), 18), (a, flat * a, 0.8 * a), angle)


def _draw_breasts(rng: np.random.Generator, *, width: float, height: float) -> Bodies:
    a, thickness = rng.uniform(48, 66) * width, rng.uniform(5, 11)
    y = rng.uniform(50, 80) * height
    return tuple(
        Body((side * 78 * width, y + rng.uniform(-6, 6), 100), (a, 0.85 * a, thickness)) for side in (-1, 1)
    )


def _draw_airways(rng: np.random.Generator, *, height: float) -> Bodies:
    trachea = Body((rng.uniform(-3, 3), -125 * height, -5), (9.5, 78 * height, 9), exponent=3)
    bubble = Body(
        (rng.uniform(55, 80), rng.uniform(125, 150) * height, 20), (rng.uniform(12, 26), 10, 14), exponent=2
    )
    return trachea, bubble


def _draw_vessels(rng: np.random.Generator, *, lungs: tuple[Body, Body]) -> tuple[Bodies, Bodies]:
    """The hila with the branches of their vessels, per lung; on the left with the aortic knob."""
    right, left = (
        _tree(rng, side=side, height=lung.semi_axes[1]) for side, lung in zip((-1, 1), lungs, strict=True)
    )
    knob = rng.uniform(14, 19)
    return right, (*left, Body((27, rng.uniform(-66, -56), -10), (knob, knob * 1.15, knob)))


def _tree(rng: np.random.Generator, *, side: int, height: float) -> Bodies:
    hilum = np.array([side * rng.uniform(34, 40), rng.uniform(-25, -5) - 6 * side])
    bodies = [Body((*hilum.tolist(), -5), (11, 20, 9), angle_degrees=-side * 15.0)]
    for angle in np.linspace(-75, 75, 9) + rng.uniform(-8, 8, size=9):
        along = np.array([side * np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        long, thick = rng.uniform(24, 38), rng.uniform(2.4, 4.8)
        long *= height / 200 if abs(angle) > STEEP_DEGREES else 0.8
        x, y = hilum + along * (long + 6)
        turn = float(np.degrees(np.arctan2(along[1], along[0])))
        bodies.append(Body((float(x), float(y), rng.uniform(-30, 30)), (long, thick, thick), turn))
    return tuple(bodies)


def _draw_bones(rng: np.random.Generator, *, width: float, height: float, portable: bool) -> Bodies:
    y, slant = (-112 if portable else -100) * height, rng.uniform(6, 16)
    clavicles = tuple(
        Body(
            (side * 84 * width, y + rng.uniform(-5, 5), 60),
            (70 * width, 6.5, 6.0),
            angle_degrees=-side * slant,
            exponent=2.6,
        )
        for side in (-1, 1)
    )
    scapulae = tuple(
        Body(
            (side * (128 if portable else 142) * width, -55 * height, -85),
            (20, 62 * height, 4),
            angle_degrees=side * rng.uniform(8, 16),
            exponent=2.4,
        )
        for side in (-1, 1)
    )
    return clavicles + scapulae


def _draw_vertebrae(rng: np.random.Generator, *, height: float, depth: float) -> Bodies:
    pitch, bend = 23 * height, rng.uniform(-6, 6)
    heights = np.arange(-9, 10) * pitch + rng.uniform(-8, 8)
    return tuple(
        Body(
            (bend * float(np.cos(y / 120)), float(y), -62 * depth),
            (15 + 0.018 * float(y + 200), 0.465 * pitch, 15),
            exponent=4,
        )
        for y in heights
    )


def _rotated(thorax: Thorax, angle_degrees: float) -> Thorax:
    """The chest rotated about its long axis: the centres of bodies move, but their shapes stay upright."""
    cosine, sine = float(np.cos(np.radians(angle_degrees))), float(np.sin(np.radians(angle_degrees)))

    def moved(body: Body) -> Body:
        x, y, z = body.center
        return replace(body, center=(x * cosine + z * sine, y, z * cosine - x * sine))

    def each(bodies: Bodies) -> Bodies:
        return tuple(map(moved, bodies))

    return replace(
        thorax,
        breasts=each(thorax.breasts),
        lungs=(moved(thorax.lungs[0]), moved(thorax.lungs[1])),
        domes=(moved(thorax.domes[0]), moved(thorax.domes[1])),
        mediastinum=moved(thorax.mediastinum),
        heart=moved(thorax.heart),
        airways=each(thorax.airways),
        vessels=(each(thorax.vessels[0]), each(thorax.vessels[1])),
        bones=each(thorax.bones),
        vertebrae=each(thorax.vertebrae),
    )
