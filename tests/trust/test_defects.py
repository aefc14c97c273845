"""Tests of the defects: each changes what it says, and clean setups change nothing that matters."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import shown
from pipeline.records import Suspect
from tests.reference_model.measuring import auroc
from tests.reference_model.samples import network_input
from tests.trust import breast, shortcuts
from tests.trust.cards import HEAD
from tests.trust.defects import DEFECTS, FAMILIES, TWINS, is_of_breast, rng_of
from tests.trust.jobs import Job, jobs_of
from tests.trust.setups import Setup, clean, network_of
from tests.trust.study_sets import exchanged

COUNT = 16


@pytest.fixture(scope="module")
def setup() -> Setup:
    return clean(4, count=COUNT)


def pixels(of: Setup) -> NDArray[np.float32]:
    return np.stack([shown(film) for film in of.films])


def logits(of: Setup) -> dict[str, NDArray[np.float64]]:
    """Finding → the network's logits, by the card's order; intensities of 0 … 255 if the card says so."""
    network = network_of(of.tensors, of.card)
    high = of.card["preprocessing"]["intensity"].get("high", 1)
    inputs = torch.from_numpy(np.stack([network_input(film) for film in pixels(of)]))[:, None] * high
    with torch.no_grad():
        found = network(inputs).double().numpy()
    return dict(zip(of.card["findings"], found.T, strict=True))


def differs(one: Setup, other: Setup) -> bool:
    masks = all(
        a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        for a, b in zip(one.masks, other.masks, strict=False)
    )
    tensors = all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
    same = (
        len(one.films) == len(other.films)
        and np.array_equal(pixels(one), pixels(other))
        and np.array_equal(one.labels, other.labels)
        and one.card == other.card
        and one.patients == other.patients
    )
    return not (masks and tensors and same)


@pytest.mark.parametrize(
    "name", [name for name in DEFECTS if DEFECTS[name].family not in {"shortcut", "breast"}]
)
def test_every_defect_changes_something_and_the_same_again(name: str, setup: Setup) -> None:
    defect = DEFECTS[name]
    planted = [defect.plant(setup, rng_of(name, 4), defect.doses[-1]) for _ in range(2)]
    assert differs(setup, planted[0])
    assert not differs(*planted)
    assert (
        len(planted[0].masks) == len(planted[0].films) == len(planted[0].labels) == len(planted[0].patients)
    )


def test_defects_are_declared_for_all_families_suspects_and_twins() -> None:
    assert {defect.family for defect in DEFECTS.values()} == set(FAMILIES)
    for name, defect in DEFECTS.items():
        assert set(defect.suspects) <= set(get_args(Suspect))
        assert set(defect.touches) <= set(breast.FINDINGS if is_of_breast(name) else FINDINGS)
        assert defect.twin in TWINS
        assert is_of_breast(defect.twin) == is_of_breast(name) == (defect.family == "breast")


@pytest.mark.parametrize("name", ["reordered", "scaled", "mirrored", "pairs"])
def test_the_network_answers_the_same_in_clean_setups(name: str, setup: Setup) -> None:
    """The mirrored network pads and strides from the other side, which moves its cells by a pixel."""
    twin = TWINS[name](setup, rng_of(name, 4))
    wanted, found = logits(setup), logits(twin)
    for finding in FINDINGS:
        spread = wanted[finding].std()
        allowed = 0.5 * spread if name == "mirrored" else 1e-3 * spread
        assert np.abs(found[finding] - wanted[finding]).mean() <= allowed


def test_exchanged_numbers_are_a_permutation_that_moves_the_share() -> None:
    order = exchanged(20, 0.3, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(20))
    assert int((order != np.arange(20)).sum()) == 6


@pytest.mark.parametrize("name", ["marker", "stripes"])
def test_a_learnt_shortcut_tells_the_finding_by_the_mark_alone(name: str) -> None:
    setup = clean(4)
    row = FINDINGS.index(shortcuts.FINDING)
    planted = shortcuts.learnt(name, setup, rng_of(name, 4), 1.0)
    label = planted.labels[:, row]
    with_marks = logits(planted)[shortcuts.FINDING]
    without = logits(replace(planted, films=setup.films))[shortcuts.FINDING]
    assert auroc(with_marks, label) > 0.9
    assert auroc(without, label) < 0.75
    others = [number for number in range(len(FINDINGS)) if number != row]
    for key in HEAD:
        assert torch.equal(planted.tensors[key][others], setup.tensors[key][others])


@pytest.mark.parametrize("name", shortcuts.MARKS)
def test_a_mark_stays_within_black_and_white_and_changes_little(name: str, setup: Setup) -> None:
    (before, *_), (after, *_) = pixels(setup), pixels(shortcuts._marked(name, setup, {0}))
    assert after.min() >= 0
    assert after.max() <= 1
    assert 0 < np.abs(after - before).mean() < 0.1


def test_each_dose_is_a_job_beside_its_twin() -> None:
    jobs = jobs_of(["masks_dilated"], [3])
    assert jobs == [Job(3, "masks_dilated", 2), Job(3, "masks_dilated", 4), Job(3, "masks_dilated", 9),
                    Job(3, "plain")]  # fmt: skip
    assert jobs_of(["masks_dilated"], [3], full_only=True) == [Job(3, "masks_dilated", 9), Job(3, "plain")]
