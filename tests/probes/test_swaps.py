"""Tests of swaps: networks whose answer is known, from images to the answer in the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from pipeline.contracts import ProbedImage, Variant
from pipeline.probes import PROBES
from pipeline.probes.swaps import SWAP
from pipeline.records import ProbedOutput
from pipeline.records.probes import UNCHANGED
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import Outputs, ProbeEffect
from pipeline.statistics.probe_effects import probe_effects
from tests.probes.study import LESION, SHAPE, Network, film, probed
from tests.statistics.outputs import add_output

COUNT = 8
PLACES = ("same_place/lesion", "same_place/control", "elsewhere/lesion", "elsewhere/control")
NAMES = ("recipient", *PLACES, "same_label")


def reads_blobs(pixels: NDArray[np.float32]) -> float:
    """How much brighter the brightest patch is than the tissue, wherever it is."""
    return float(uniform_filter(pixels, 9)[20:108, 20:108].max() - np.median(pixels[pixels > 0.1]))


def reads_one_place(pixels: NDArray[np.float32]) -> float:
    return float(pixels[LESION].mean() - np.median(pixels[pixels > 0.1]))


def reads_marker(pixels: NDArray[np.float32]) -> float:
    """The marker, and hardly anything else."""
    return float(pixels[2:12, 110:124].mean()) + 0.05 * float(pixels.mean())


def with_marker(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    marked = pixels.copy()
    marked[2:12, 110:124] = 0.9
    return marked


def swap_of(seed: int, *, marker: bool = False) -> ProbedImage:
    """A film with a lesion, with partners; the marker is in every film with a lesion."""
    own, alike = film(seed, lesion=True), film(200 + seed, lesion=True)
    if marker:
        own, alike = with_marker(own), with_marker(alike)
    return replace(
        probed(own, lesion=True),
        healthy={"mass": probed(film(100 + seed, lesion=False), lesion=False)},
        alike={"mass": probed(alike, lesion=True)},
    )


@cache
def drawn(seed: int, *, marker: bool) -> list[Variant]:
    return list(SWAP.draw(swap_of(seed, marker=marker)))


def effects(network: Network, *, marker: bool = False) -> dict[str, ProbeEffect]:
    """Variant → what a network's outputs say."""
    known, rows = Outputs(), list[ProbedOutput]()
    for seed in range(COUNT):
        image = swap_of(seed, marker=marker)
        case_id, base = f"case-{seed}", network(image.image.pixels)
        absent = network(image.healthy["mass"].image.pixels)
        add_output(known, case_id, f"{seed:03}", {"mass": base}, {"mass": 1})
        add_output(known, f"other-{seed}", f"1{seed:03}", {"mass": absent}, {"mass": 0})
        rows.append(ProbedOutput(case_id, UNCHANGED, "", "mass", base))
        rows += [
            ProbedOutput(case_id, "swap", variant.name, variant.finding, network(variant.pixels))
            for variant in drawn(seed, marker=marker)
        ]
    found = probe_effects(
        rows, known, findings=("mass",), asks={"swap": "swap"}, resampling=Resampling(replicates=300)
    )
    return {effect.variant: effect for effect in found}


@pytest.mark.parametrize(
    ("network", "answer"),
    [
        (reads_blobs, "follows"),
        (reads_one_place, "only_at_its_place"),
        (reads_marker, "does_not_follow"),
    ],
)
def test_the_output_follows_what_its_network_reads(network: Network, answer: str) -> None:
    found = effects(network, marker=network is reads_marker)
    assert found["both_places"].answer == answer
    assert found["both_places"].n == COUNT


def test_a_marker_of_the_label_is_among_the_surroundings() -> None:
    marked = effects(reads_marker, marker=True)["surroundings"]
    assert marked.answer == "drops"
    assert marked.after == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("network", [reads_blobs, reads_one_place])
@pytest.mark.parametrize("marker", [False, True])
def test_surroundings_do_not_matter_to_a_network_that_reads_the_lesion(
    network: Network, *, marker: bool
) -> None:
    assert effects(network, marker=marker)["surroundings"].answer == "holds"


def test_the_seam_alone_has_no_effect() -> None:
    found = effects(reads_blobs)
    for place in ("same_place", "elsewhere"):
        assert abs(found[place].after or 1) < 0.25
        assert (found[place].before or 0) > 1


def test_versions_are_images_and_the_same_every_time() -> None:
    first, second = (list(SWAP.draw(swap_of(0))) for _ in range(2))
    assert tuple(variant.name for variant in first) == NAMES
    assert len(first) == SWAP.most
    for one, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.pixels, again.pixels)
        assert one.pixels.dtype == np.float32
        assert one.pixels.shape == SHAPE
        assert 0 <= one.pixels.min() <= one.pixels.max() <= 1


def versions(image: ProbedImage) -> dict[str, NDArray[np.float32]]:
    return {variant.name: variant.pixels for variant in SWAP.draw(image)}


def test_lesion_and_control_lie_where_they_should_and_nothing_else_changes() -> None:
    found, recipient = versions(swap_of(1)), film(101, lesion=False)
    np.testing.assert_array_equal(found["recipient"], recipient)
    assert found["same_place/lesion"][LESION].mean() > 0.5 > found["same_place/control"][LESION].mean()
    assert found["elsewhere/lesion"][LESION].mean() < 0.5
    np.testing.assert_array_equal(found["elsewhere/lesion"][LESION], recipient[LESION])
    moved = uniform_filter(found["elsewhere/lesion"], 9)
    row, column = np.unravel_index(int(moved.argmax()), SHAPE)
    assert np.hypot(row - 62, column - 46) > 30
    far = np.ones(SHAPE, bool)
    far[46:78, 30:62] = False
    for part in ("lesion", "control"):
        np.testing.assert_array_equal(found[f"same_place/{part}"][far], recipient[far])


def test_the_place_is_that_of_the_body_and_the_size_too() -> None:
    """A body of half the size whose top left corner is elsewhere: the lesion is there, half as large."""
    small = np.zeros(SHAPE, np.float32)
    small[60:108, 70:118] = film(7, lesion=False)[30:78, 30:78]
    image = replace(swap_of(2), healthy={"mass": probed(small, lesion=False)})
    brighter = versions(image)["same_place/lesion"] - small
    rows, columns = np.nonzero(uniform_filter(brighter, 3) > 0.12)
    # Of the donor's body, from 16 on and 96 wide, the lesion covers 40 … 52 and 24 … 36.
    assert abs(rows.mean() - (60 + 46 / 2)) < 2
    assert abs(columns.mean() - (70 + 30 / 2)) < 2
    assert abs(np.ptp(rows) - 6) <= 3


def test_what_is_annotated_in_the_other_image_is_replaced_first() -> None:
    other, region = film(201, lesion=False), np.zeros(SHAPE, bool)
    other[90:102, 90:102] += 0.3
    region[90:102, 90:102] = True
    with_other = replace(probed(other, lesion=False), regions={"nodule": region})
    found = versions(replace(swap_of(3), alike={"mass": with_other}, healthy={"mass": with_other}))
    for name in ("recipient", "same_label", "same_place/control"):
        assert abs(float(found[name][region].mean()) - 0.4) < 0.03
    assert found["same_label"][LESION].mean() > 0.5


def refused() -> Iterator[tuple[str, ProbedImage]]:
    sound = swap_of(4)
    yield "no partner", replace(sound, healthy={}, alike={})
    large = np.zeros(SHAPE, bool)
    large[18:110, 18:110] = True
    yield "a lesion as large as the body", replace(sound, regions={"mass": large})
    yield (
        "an empty partner",
        replace(sound, alike={}, healthy={"mass": probed(np.zeros(SHAPE, np.float32), lesion=False)}),
    )
    full = replace(probed(film(5, lesion=True), lesion=True), regions={"mass": large})
    yield "a lesion as large as the body in the partner", replace(sound, alike={"mass": full}, healthy={})
    yield "nothing asked", replace(sound, asked=())


@pytest.mark.parametrize(("why", "image"), list(refused()))
def test_what_cannot_be_swapped_has_no_version(why: str, image: ProbedImage) -> None:
    assert versions(image) == {}, why


def test_swaps_run_at_full_only() -> None:
    assert [SWAP.runs_at(level) for level in ("off", "quick", "full")] == [False, False, True]
    others = [probe for name, probe in PROBES.items() if name not in {"swap", "outside"}]
    assert all(
        [probe.runs_at(level) for level in ("off", "quick", "full")] == [False, True, True]
        for probe in others
    )
