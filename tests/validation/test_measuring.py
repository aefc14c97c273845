"""Measuring of one image with its annotations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.records import Box, Image, Reference
from pipeline.validation.contrast import AS_DRAWN
from pipeline.validation.facts import ImageFacts, Refused
from pipeline.validation.measuring import boxes_mask, dice, measure_image
from tests.validation.good import SHAPE, disc

NOTHING = np.zeros(SHAPE, np.bool_)


def mask(finding: str, reader: str, *masks: Any) -> Reference:
    return Reference("case", finding, reader, "mask", masks=masks)


def box(finding: str, reader: str, *boxes: Box) -> Reference:
    return Reference("case", finding, reader, "box", boxes=boxes)


def facts(*references: Reference, decoded: bool = True, refused: tuple[Refused, ...] = ()) -> ImageFacts:
    pixels = np.random.default_rng(1).random(SHAPE).astype(np.float32) * 0.2 + 0.3
    pixels[disc(20, 20)] += 0.5
    return measure_image(
        case_id="case",
        patient_id="patient",
        shape=SHAPE,
        labels={"nodule": 1},
        image=Image("case", pixels, None) if decoded else None,
        references=references,
        refused=refused,
    )


def test_a_box_covers_the_pixels_whose_centres_it_holds() -> None:
    """x from 1.5 to 3.5 holds the centres 2 and 3, y from -0.5 to 0.5 the centre 0."""
    covered = boxes_mask([Box(1.5, -0.5, 2, 1)], (3, 5))
    assert np.argwhere(covered).tolist() == [[0, 2], [0, 3]]


def test_a_box_is_clipped_at_the_edges_of_its_image() -> None:
    assert boxes_mask([Box(-5, -5, 100, 100)], (3, 5)).all()
    assert not boxes_mask([Box(-5, 0, 4, 2)], (3, 5)).any()
    assert not boxes_mask([Box(7, 0, 4, 2)], (3, 5)).any()


def test_boxes_that_overlap_cover_a_pixel_once() -> None:
    assert boxes_mask([Box(0, 0, 1, 0.5), Box(1, 0, 1, 0.5)], (1, 4)).sum() == 2


def test_dice_is_twice_the_shared_over_the_sum() -> None:
    one, other = np.array([[1, 1, 1, 0]], bool), np.array([[0, 0, 1, 1]], bool)
    assert dice(one, other) == pytest.approx(2 * 1 / (3 + 2))
    assert dice(one, np.zeros_like(one)) == 0


def test_a_mask_is_measured_as_all_its_instances_together() -> None:
    first, second = disc(20, 20), disc(50, 40, 4)
    (drawn,) = facts(mask("nodule", "anna", first, second)).references
    assert drawn.area_px == first.sum() + second.sum()
    assert [piece.area_px for piece in drawn.pieces] == [first.sum(), second.sum()]
    assert drawn.background is not None
    assert drawn.contrasts[AS_DRAWN] > 1


def test_a_box_has_no_pieces_and_no_contrast_but_a_place() -> None:
    (drawn,) = facts(box("nodule", "anna", Box(14.5, 12.5, 10, 8))).references
    assert (drawn.area_px, drawn.boxes) == (80, (Box(14.5, 12.5, 10, 8),))
    assert (drawn.pieces, drawn.holes, dict(drawn.contrasts)) == ((), (), {})
    assert drawn.background == pytest.approx((0, 0), abs=0.1)


def test_an_empty_annotation_has_nothing_but_its_emptiness() -> None:
    for reference in (mask("nodule", "anna"), box("nodule", "anna")):
        (drawn,) = facts(reference).references
        assert (drawn.area_px, drawn.fingerprint, drawn.background) == (0, "", None)
        assert (drawn.pieces, drawn.holes, dict(drawn.contrasts)) == ((), (), {})


def test_an_image_that_cannot_be_decoded_still_has_what_was_drawn() -> None:
    found = facts(mask("nodule", "anna", disc(20, 20)), decoded=False)
    assert found.picture is None
    assert found.references[0].area_px == disc(20, 20).sum()
    assert (found.references[0].background, dict(found.references[0].contrasts)) == (None, {})


def test_fingerprints_tell_shape_and_place() -> None:
    one, shifted = disc(20, 20), disc(20, 21)
    prints = {
        drawn.fingerprint
        for drawn in facts(
            mask("a", "anna", one), mask("b", "anna", shifted), box("c", "anna", Box(1, 2, 3, 4))
        ).references
    }
    assert len(prints) == 3
    again = facts(mask("d", "bert", one & (np.indices(SHAPE)[0] < 20), one & (np.indices(SHAPE)[0] >= 20)))
    assert again.references[0].fingerprint in prints


def test_the_order_of_boxes_does_not_change_their_fingerprint() -> None:
    one, other = Box(1, 2, 3, 4), Box(5, 6, 7, 8)
    first, second = facts(box("a", "anna", one, other), box("a", "bert", other, one)).references
    assert first.fingerprint == second.fingerprint


def test_readers_agree_by_pairs_on_the_same_finding_drawn_in_the_same_way() -> None:
    found = facts(
        mask("nodule", "anna", disc(20, 20)),
        mask("nodule", "bert", disc(20, 20)),
        mask("nodule", "cleo"),
        mask("scar", "anna", disc(20, 20)),
        box("nodule", "anna", Box(10, 10, 20, 20)),
    )
    assert [(agreement.readers, agreement.dice) for agreement in found.agreements] == [
        (("anna", "bert"), 1.0),
        (("anna", "cleo"), 0.0),
        (("bert", "cleo"), 0.0),
    ]
    assert {(agreement.finding, agreement.kind) for agreement in found.agreements} == {("nodule", "mask")}


def test_readers_who_both_see_nothing_are_no_pair() -> None:
    assert facts(mask("nodule", "anna"), mask("nodule", "bert")).agreements == ()


def test_a_mask_without_a_finding_is_compared_with_nobodys() -> None:
    assert facts(mask("", "anna", disc(20, 20)), mask("", "bert", disc(20, 20))).agreements == ()


def test_dust_is_kept_up_to_its_largest_grains() -> None:
    dust = NOTHING.copy()
    dust[::2, ::2] = True
    (drawn,) = facts(mask("nodule", "anna", dust)).references
    assert len(drawn.pieces) == 64


def test_what_an_image_says_of_a_finding_is_its_label_or_else_what_was_drawn() -> None:
    found = facts(mask("nodule", "anna"), mask("scar", "anna", disc(20, 20)), mask("cyst", "anna"))
    assert [found.label_of(name) for name in ("nodule", "scar", "cyst", "rib")] == [1, 1, 0, None]


def test_what_was_refused_is_annotated_too() -> None:
    refused = Refused("case", "scar", "anna", "mask_size", "The mask is too small.")
    assert facts(mask("nodule", "anna"), refused=(refused,)).annotated == {"nodule", "scar"}


def test_the_same_bits_in_another_shape_are_another_mask() -> None:
    prints = set()
    for shape in ((2, 6), (3, 4)):
        mask = (np.arange(12) < 7).reshape(shape)
        found = measure_image(
            case_id="case",
            patient_id="patient",
            shape=shape,
            labels={},
            image=None,
            references=[Reference("case", "nodule", "anna", "mask", masks=(mask,))],
        )
        prints.add(found.references[0].fingerprint)
    assert len(prints) == 2
