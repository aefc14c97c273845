"""Lesions: their contrast is what they add, and their masks are where it is."""

import numpy as np
import pytest

from pipeline.phantoms import lesions
from pipeline.phantoms.anatomy import LUNG, WATER, LungField, Projection, Thorax, project
from pipeline.phantoms.lesions import (
    EDGE,
    Disease,
    Effusion,
    Lesion,
    Spot,
    draw_disease,
    project_lesions,
)
from pipeline.phantoms.projection import Body, Chord, Detector, chord, length, rays
from pipeline.phantoms.variation import draw_thorax

DETECTOR = Detector(size=96, spacing_mm=3.8)
FEW = Detector(size=3, spacing_mm=4)


def chest(number: int) -> tuple[Thorax, np.random.Generator]:
    rng = np.random.default_rng(number)
    return draw_thorax(rng, female=False, portable=False), rng


def lung_field(*displaced_by: tuple[float, float]) -> Projection:
    """Lung from -50 to 50 along each ray of FEW, less what is given."""

    def between(near: float, far: float) -> Chord:
        return Chord(np.full((3, 3), near, np.float32), np.full((3, 3), far, np.float32))

    field = LungField(between(-50, 50), tuple(between(*pair) for pair in displaced_by))
    return Projection(np.zeros((3, 3), np.float32), (field, field), between(0, 0))


def ball(z: float = 0, *, radius: float = 10, density: float = 1.0) -> Spot:
    return Spot("nodule", (Body((0, 0, z), (radius,) * 3),), density, reach=radius)


def test_a_nodule_adds_its_diameter_of_the_step_from_lung_to_water() -> None:
    (lesion,) = project_lesions(Disease(spots=(ball(),)), lung_field(), FEW)
    assert lesion.contrast[1, 1] == pytest.approx(20 * (WATER - LUNG), rel=1e-5)


def test_a_nodule_half_in_the_heart_adds_half() -> None:
    (lesion,) = project_lesions(Disease(spots=(ball(),)), lung_field((0, 40)), FEW)
    assert lesion.contrast[1, 1] == pytest.approx(10 * (WATER - LUNG), rel=1e-5)


def test_an_effusion_fills_what_is_outside_the_aerated_body_and_not_the_heart() -> None:
    # Of the lung's -50 … 50, the aerated body holds -20 … 20 and the heart 30 … 40.
    aerated = Body((0, 0, 0), (500, 500, 20), exponent=200)
    (lesion,) = project_lesions(Disease(effusions=(Effusion(0, aerated),)), lung_field((30, 40)), FEW)
    assert lesion.contrast[1, 1] == pytest.approx(50 * (WATER - LUNG), rel=1e-4)


def test_a_nodule_under_fluid_adds_only_its_part_in_air() -> None:
    fluid = Effusion(0, Body((0, 0, 0), (500, 500, 20), exponent=200))
    both = project_lesions(Disease(effusions=(fluid,), spots=(ball(z=20),)), lung_field(), FEW)
    assert both[1].contrast[1, 1] == pytest.approx(10 * (WATER - LUNG), rel=1e-4)


def test_a_mask_is_where_the_contrast_is_above_its_share_of_the_maximum() -> None:
    contrast = np.array([[0.0, 0.19, 0.21, 1.0]], np.float32)
    assert Lesion("consolidation", contrast).mask.tolist() == [[False, False, True, True]]


@pytest.mark.parametrize("finding", ["nodule", "consolidation", "effusion"])
@pytest.mark.parametrize("number", range(3))
def test_the_film_with_a_lesion_less_the_film_without_is_bright_in_its_mask_alone(
    finding: str, number: int
) -> None:
    thorax, rng = chest(number)
    healthy = project(thorax, DETECTOR)
    found = project_lesions(draw_disease(thorax, [finding], rng), healthy, DETECTOR)
    diseased = sum((lesion.contrast for lesion in found), healthy.integral)
    difference = diseased - healthy.integral
    mask = np.any([lesion.mask for lesion in found], axis=0)
    highest = max(float(lesion.contrast.max()) for lesion in found)
    assert {lesion.finding for lesion in found} == {finding}
    assert mask.sum() >= 15
    assert difference[mask].min() > 0
    assert difference[~mask].max() <= len(found) * EDGE[finding] * highest + 1e-5


@pytest.mark.parametrize("number", range(6))
def test_masks_of_one_finding_do_not_touch(number: int) -> None:
    thorax, rng = chest(number)
    disease = draw_disease(thorax, ["nodule", "consolidation", "effusion"], rng)
    found = project_lesions(disease, project(thorax, DETECTOR), DETECTOR)
    for finding in EDGE:
        layers = np.sum([lesion.mask for lesion in found if lesion.finding == finding], axis=0)
        assert layers.max() == 1


@pytest.mark.parametrize("number", range(6))
def test_nodules_lie_in_a_lung_and_not_behind_the_heart(number: int) -> None:
    thorax, rng = chest(number)
    projection = project(thorax, DETECTOR)
    found = project_lesions(draw_disease(thorax, ["nodule"], rng), projection, DETECTOR)
    lungs = np.any([length(field.lung) > 0 for field in projection.fields], axis=0)
    heart = length(chord(rays(DETECTOR), thorax.heart)) > 0
    for lesion in found:
        assert not (lesion.mask & heart).any()
        assert (lesion.mask & lungs).sum() == lesion.mask.sum()


@pytest.mark.parametrize("number", range(6))
def test_fluid_begins_about_the_diaphragm_and_rises_at_the_chest_wall(number: int) -> None:
    thorax, rng = chest(number)
    for fluid in draw_disease(thorax, ["effusion"], rng).effusions:
        (x, y, _), (a, b, _) = fluid.aerated.center, fluid.aerated.semi_axes
        dome, wall = thorax.domes[fluid.side], thorax.cage.inner.semi_axes[0]
        level, top_of_dome = y + b, dome.center[1] - dome.semi_axes[1]
        at_wall = y + b * np.sqrt(1 - ((wall - abs(x)) / a) ** 2)
        assert -25 <= level - top_of_dome <= 15
        assert at_wall < level - 20


def test_a_chest_without_room_for_a_lesion_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    thorax, rng = chest(0)
    monkeypatch.setattr(lesions, "TRIES", 0)
    with pytest.raises(
        RuntimeError, match="found no room for another lesion in 0 tries; choose another seed"
    ):
        draw_disease(thorax, ["nodule"], rng)
