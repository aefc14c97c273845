"""Anatomy: attenuations along single rays, worked by hand, and what every drawn chest must have."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.phantoms.anatomy import (
    BONE,
    LUNG,
    RIBS,
    WATER,
    RibCage,
    Thorax,
    half_width,
    project,
)
from pipeline.phantoms.lesions import with_cardiomegaly
from pipeline.phantoms.projection import Body, Detector
from pipeline.phantoms.variation import draw_thorax

NOWHERE = Body((9999, 9999, 0), (1, 1, 1))


def slab(center: tuple[float, float, float], *, depth: float, width: float = 500) -> Body:
    """Nearly a box, so that a ray through it is 2 × depth inside."""
    return Body(center, (width, 500, depth), exponent=200)


def bare(**parts: object) -> Thorax:
    """A chest of a torso 200 mm deep and nothing in it, but for `parts`."""
    cage = RibCage(
        outer=slab((0, 0, 0), depth=80),
        inner=slab((0, 0, 0), depth=80),
        top=0,
        pitch=1,
        half_height=0,
        slope=1,
    )
    empty = Thorax(
        outline=(slab((0, 0, 0), depth=100),),
        breasts=(),
        cage=cage,
        lungs=(NOWHERE, NOWHERE),
        domes=(NOWHERE, NOWHERE),
        mediastinum=NOWHERE,
        heart=NOWHERE,
        airways=(),
        vessels=((), ()),
        bones=(),
        vertebrae=(),
    )
    return replace(empty, **parts)  # type: ignore[arg-type]


def at_middle(thorax: Thorax) -> float:
    return float(project(thorax, Detector(size=3, spacing_mm=1)).integral[1, 1])


def test_a_torso_of_200_mm_attenuates_as_so_much_water() -> None:
    assert at_middle(bare()) == pytest.approx(200 * WATER, rel=1e-4)


def test_joined_outlines_are_not_counted_twice() -> None:
    both = bare(outline=(slab((0, 0, 0), depth=100), slab((0, 0, 30), depth=100)))
    assert at_middle(both) == pytest.approx(230 * WATER, rel=1e-4)


def test_a_lung_of_100_mm_takes_the_place_of_water() -> None:
    lung = bare(lungs=(slab((0, 0, 0), depth=50), NOWHERE))
    assert at_middle(lung) == pytest.approx(100 * WATER + 100 * LUNG, rel=1e-4)


def test_a_lung_ends_at_the_rib_cage() -> None:
    lung = bare(lungs=(slab((0, 0, 0), depth=95), NOWHERE))
    assert at_middle(lung) == pytest.approx(40 * WATER + 160 * LUNG, rel=1e-4)


def test_heart_and_diaphragm_take_room_from_a_lung_once_where_they_overlap() -> None:
    # Of the lung's -50 … 50, the heart holds 0 … 30 and the dome 20 … 60.
    chest = bare(
        lungs=(slab((0, 0, 0), depth=50), NOWHERE),
        heart=slab((0, 0, 15), depth=15),
        domes=(slab((0, 0, 40), depth=20), NOWHERE),
    )
    assert at_middle(chest) == pytest.approx(150 * WATER + 50 * LUNG, rel=1e-4)


def test_a_bone_of_10_mm_is_added() -> None:
    chest = bare(bones=(Body((0, 0, 0), (5, 5, 5)),))
    assert at_middle(chest) == pytest.approx(190 * WATER + 10 * BONE, rel=1e-4)


def test_a_vessel_is_seen_only_where_it_is_in_air() -> None:
    vessel = Body((0, 0, 50), (5, 5, 5))  # half of it in the lung, which ends at 50
    chest = bare(lungs=(slab((0, 0, 0), depth=50), NOWHERE), vessels=((vessel,), ()))
    assert at_middle(chest) == pytest.approx(105 * WATER + 95 * LUNG, rel=1e-4)


def test_a_wall_of_8_mm_behind_is_bone_where_a_rib_crosses_it() -> None:
    # Ribs of ±2 mm, 40 mm apart, that fall 1 mm a mm: at y = 0 the first is met at depths of -86 … -82,
    # in the wall behind, which is -88 … -80; the third would be at -6, the last far in front.
    cage = RibCage(
        outer=slab((0, 0, 0), depth=88),
        inner=slab((0, 0, 0), depth=80),
        top=84,
        pitch=40,
        half_height=2,
        slope=1,
    )
    assert at_middle(bare(cage=cage)) == pytest.approx(196 * WATER + 4 * BONE, rel=1e-4)
    assert RIBS * cage.pitch > 84


def test_ribs_before_the_lungs_end_in_cartilage_near_the_midline() -> None:
    cage = RibCage(
        outer=slab((0, 0, 0), depth=88),
        inner=slab((0, 0, 0), depth=80),
        top=-84,
        pitch=-40,
        half_height=2,
        slope=1,
    )
    across = project(bare(cage=cage), Detector(size=3, spacing_mm=70)).integral[1]
    assert across == pytest.approx([196 * WATER + 4 * BONE, 200 * WATER, 196 * WATER + 4 * BONE], rel=1e-4)


def test_the_width_of_a_turned_ellipsoid() -> None:
    assert half_width(Body((0, 0, 0), (5, 3, 1))) == 5
    assert half_width(Body((0, 0, 0), (5, 3, 1), angle_degrees=90)) == pytest.approx(3)


@pytest.mark.parametrize("number", range(8))
def test_hearts_are_below_half_of_the_chests_width_until_enlarged(number: int) -> None:
    rng = np.random.default_rng(number)
    thorax = draw_thorax(rng, female=number % 2 == 0, portable=number % 3 == 0)
    inner = thorax.cage.inner.semi_axes[0]
    assert 0.35 < half_width(thorax.heart) / inner < 0.5
    assert 0.55 < half_width(with_cardiomegaly(thorax, rng).heart) / inner < 0.7
