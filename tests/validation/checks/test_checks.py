"""Checks on hand-made facts: both sides of each threshold, and facts that must not be reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.cohort.near_duplicates import Picture
from pipeline.records import Box, Skipped
from pipeline.validation.checks import (
    duplicates,
    joining,
    labelling,
    naming,
    place,
    reading,
    rectangles,
    shapes,
)
from pipeline.validation.checks.check import percent
from pipeline.validation.facts import Refused, Vocabulary
from pipeline.validation.pieces import Piece
from tests.validation.facts import SHAPE, drawn, found, image, names


def refused(subject: str, reason: str, finding: str = "nodule") -> Refused:
    return Refused(subject, finding, "anna", reason, "what is wrong")


def picture(bits: int = 0, sha256: str = "", fine: int = 1) -> Picture:
    noise = np.random.default_rng(fine).integers(0, 256, 512, dtype=np.uint8)
    return Picture(sha256 or f"{bits}-{fine}", bits, noise.tobytes())


def pieces(*areas: int) -> tuple[Piece, ...]:
    return tuple(Piece(area, 10 + number, 20) for number, area in enumerate(areas))


class TestJoining:
    def test_a_label_is_enough_whatever_it_says(self) -> None:
        of_all = [image("a", labels={"nodule": 0}), image("b", labels={"nodule": None}), image("c")]
        assert names(found(joining.UNANNOTATED, *of_all)) == [("b",), ("c",)]

    def test_an_annotation_that_says_not_there_is_one(self) -> None:
        assert found(joining.UNANNOTATED, image("a", drawn(area=0))) == []

    def test_an_image_whose_annotation_has_no_usable_name_is_another_checks(self) -> None:
        assert found(joining.UNANNOTATED, image("a"), refused=(refused("a", "unknown_finding"),)) == []

    def test_present_by_label_and_not_drawn_is_reported_where_half_of_the_images_are_drawn(self) -> None:
        positive = {"labels": {"nodule": 1}}
        half = [image("a", drawn(), **positive), image("b", **positive)]
        assert names(found(joining.NOT_DRAWN, *half)) == [("b",)]
        assert found(joining.SELDOM_DRAWN, *half) == []
        fewer = [*half, image("c", **positive)]
        assert found(joining.NOT_DRAWN, *fewer) == []
        (seldom,) = found(joining.SELDOM_DRAWN, *fewer)
        assert seldom.message.startswith("1 of 3 images")
        assert (seldom.finding, seldom.subjects) == ("nodule", ())

    def test_drawing_where_the_label_is_unknown_does_not_count_as_half(self) -> None:
        those = [image("a", drawn()), image("b", labels={"nodule": 1})]
        assert len(found(joining.SELDOM_DRAWN, *those)) == 1

    def test_an_annotation_that_was_refused_is_not_lacking(self) -> None:
        those = image("a", labels={"nodule": 1}, refused=(refused("a", "mask_size"),))
        assert found(joining.NOT_DRAWN, those) == found(joining.SELDOM_DRAWN, those) == []

    def test_ambiguous_and_lost_annotations_are_reported_and_others_left_to_others(self) -> None:
        lost = tuple(
            refused(reason, reason)
            for reason in ("annotation_without_image", "ambiguous_image", "unknown_finding")
        )
        problems = found(joining.NO_IMAGE_FOUND, refused=lost)
        assert names(problems) == [("annotation_without_image",), ("ambiguous_image",)]
        assert problems[0].message == "What is wrong."


class TestReading:
    @pytest.mark.parametrize(
        ("reason", "check"),
        [
            ("mask_size", reading.WRONG_SIZE),
            ("annotation_unreadable", reading.UNREADABLE),
            ("not_a_mask", reading.UNREADABLE),
            ("mask_not_joined", reading.UNREADABLE),
            ("bad_box", None),
            ("box_outside_image", None),
        ],
    )
    def test_a_reason_is_reported_by_one_check(self, reason: str, check: Any) -> None:
        bad = image("a", refused=(refused("a", reason),))
        telling = [one for one in (reading.WRONG_SIZE, reading.UNREADABLE) if found(one, bad)]
        assert telling == ([check] if check else [])

    def test_files_are_reported_apart_from_second_files(self) -> None:
        files = tuple(
            Skipped(reason, "index", reason, "it is so")
            for reason in ("unreadable", "repeated_sop_instance_uid")
        )
        assert names(found(reading.NO_PIXELS, skipped=files)) == [("unreadable",)]
        assert names(found(reading.REPEATED_FILE, skipped=files)) == [("repeated_sop_instance_uid",)]


class TestNaming:
    def test_an_unknown_name_is_reported_once_with_all_its_images(self) -> None:
        lost = tuple(refused(subject, "unknown_finding", "nodul") for subject in "abca")
        (problem,) = found(
            naming.UNKNOWN_FINDING, refused=lost, vocabulary=Vocabulary(("nodule",), ("nodule",), {})
        )
        assert problem.subjects == ("a", "b", "c")
        assert "4 annotations of it are skipped" in problem.message
        assert problem.message.endswith("did you mean 'nodule'?")

    def test_a_nameless_annotation_is_not_an_unknown_name(self) -> None:
        lost = (refused("a", "unknown_finding", ""), refused("b", "ambiguous_finding", ""))
        assert found(naming.UNKNOWN_FINDING, refused=lost) == []
        assert names(found(naming.NAMELESS, refused=lost)) == [("a",), ("b",)]
        assert found(naming.NAMELESS, refused=(refused("a", "unknown_finding"),)) == []

    def test_a_name_beside_those_of_the_config_is_reported(self) -> None:
        vocabulary = Vocabulary(("nodule", "rib"), ("nodule",), {"nodule": 3, "rib": 2})
        (problem,) = found(naming.UNDECLARED_FINDING, image("a", drawn("rib")), vocabulary=vocabulary)
        assert (problem.finding, problem.subjects) == ("rib", ("a",))
        assert problem.message == (
            "2 annotations have the finding 'rib', which the config does not name; choose one of: nodule."
        )

    @pytest.mark.parametrize(
        ("word", "count", "reported"),
        [("Nodul", 2, True), ("nodule ", 2, True), ("Nodul", 3, False), ("effusion", 2, False)],
    )
    def test_without_a_config_a_rare_name_like_a_frequent_one_is_a_slip(
        self, word: str, count: int, *, reported: bool
    ) -> None:
        words = {"nodule": 20, word: count}
        problems = found(naming.UNDECLARED_FINDING, vocabulary=Vocabulary(tuple(words), (), words))
        assert bool(problems) == reported
        assert all(
            "did you mean 'nodule', which has 20 annotations?" in problem.message for problem in problems
        )


class TestLabelling:
    def test_only_a_positive_label_makes_an_empty_annotation_wrong(self) -> None:
        for label, reported in ((1, 1), (0, 0), (None, 0)):
            those = image("a", drawn(area=0), labels={"nodule": label})
            assert len(found(labelling.EMPTY_THOUGH_PRESENT, those)) == reported

    def test_an_empty_mask_beside_the_same_readers_box_is_no_contradiction(self) -> None:
        labels = {"labels": {"nodule": 1}}
        both = image("a", drawn(area=0), drawn(kind="box"), **labels)
        others = image("b", drawn(area=0), drawn(kind="box", reader="bert"), **labels)
        assert names(found(labelling.EMPTY_THOUGH_PRESENT, both, others)) == [("b",)]

    def test_only_a_negative_label_makes_a_shape_wrong(self) -> None:
        for label, reported in ((1, 0), (0, 1), (None, 0)):
            those = image("a", drawn(), labels={"nodule": label})
            assert len(found(labelling.DRAWN_THOUGH_ABSENT, those)) == reported
        assert found(labelling.DRAWN_THOUGH_ABSENT, image("a", drawn(area=0), labels={"nodule": 0})) == []

    def test_the_share_is_of_the_image(self) -> None:
        boxes = (Box(0, 0, 10, 10), Box(20, 20, 10, 20))
        those = image("a", drawn(area=300, kind="box", boxes=boxes), labels={"nodule": 0})
        (problem,) = found(labelling.DRAWN_THOUGH_ABSENT, those)
        assert problem.message.startswith("2 boxes cover 300 pixels (1.5 % of the image), but the label")


class TestPlace:
    @pytest.mark.parametrize(
        ("shares", "reported"),
        [((0.5, 0.5), True), ((0.49, 1.0), False), ((1.0, 0.49), False), (None, False)],
    )
    def test_shape_and_band_must_both_lie_beside_the_body(self, shares: Any, *, reported: bool) -> None:
        assert bool(found(place.OUTSIDE_BODY, image("a", drawn(background=shares)))) == reported


class TestShapes:
    @pytest.mark.parametrize(
        ("areas", "reported"),
        [
            ((1000, 10), True),  # 1 % of the largest, and 0.05 % of 20,000 pixels
            ((1000, 11), False),
            ((2000, 11), False),  # less than 1 %, but more than 0.05 % of the image
            ((90, 1), False),
            ((1000,), False),
        ],
    )
    def test_a_speck_is_tiny_beside_the_largest_part_and_in_the_image(
        self, areas: tuple[int, ...], *, reported: bool
    ) -> None:
        assert SHAPE == (100, 200)
        assert bool(found(shapes.SPECKS, image("a", drawn(pieces=pieces(*areas))))) == reported

    def test_several_specks_are_counted_and_the_largest_is_placed(self) -> None:
        (problem,) = found(shapes.SPECKS, image("a", drawn(pieces=pieces(1000, 500, 7, 3))))
        assert problem.message == (
            "2 specks, the largest of 7 pixels at column 20, row 12, next to a part of 1,000 pixels."
        )

    def test_a_hole_is_a_pinhole_up_to_a_hundredth_of_the_mask(self) -> None:
        both = image("a", drawn(area=1000, holes=pieces(11, 10, 2)))
        assert found(shapes.HOLES, both)[0].message.startswith("A hole of 11 pixels")
        assert found(shapes.PINHOLES, both)[0].message.startswith("2 pinholes, the largest of 10 pixels")


class TestDuplicates:
    def test_a_mask_is_reported_once_with_all_its_images(self) -> None:
        those = [image(name, drawn(fingerprint="same")) for name in "abc"]
        (problem,) = found(duplicates.SAME_MASK, *those)
        assert (problem.subjects, problem.finding) == (("a", "b", "c"), "nodule")
        assert problem.message.startswith("3 images")

    def test_one_shape_for_two_findings_or_readers_of_one_image_is_no_copy(self) -> None:
        one = image("a", drawn(fingerprint="same"), drawn("scar", "bert", fingerprint="same"))
        assert found(duplicates.SAME_MASK, one) == []

    def test_a_mask_and_boxes_are_never_the_same(self) -> None:
        those = [image("a", drawn(fingerprint="same")), image("b", drawn(fingerprint="same", kind="box"))]
        assert found(duplicates.SAME_MASK, *those) == []

    def test_equal_boxes_are_only_probably_copies(self) -> None:
        those = [image(name, drawn(fingerprint="same", kind="box")) for name in "ab"]
        (problem,) = found(duplicates.SAME_MASK, *those)
        assert problem.message == (
            "2 images that do not look alike have the same boxes, probably because they were copied, "
            "but small boxes can be equal by chance."
        )
        assert "mask" not in duplicates.SAME_MASK.title

    def test_images_that_look_alike_may_carry_the_same_mask(self) -> None:
        twins = [image(name, drawn(fingerprint="same"), picture=picture(n)) for n, name in enumerate("ab")]
        assert found(duplicates.SAME_MASK, *twins) == []
        third = image("c", drawn(fingerprint="same"), picture=picture(2**64 - 1))
        assert names(found(duplicates.SAME_MASK, *twins, third)) == [("a", "b", "c")]

    def test_empty_masks_are_not_copies_of_each_other(self) -> None:
        assert found(duplicates.SAME_MASK, image("a", drawn(area=0)), image("b", drawn(area=0))) == []

    def test_the_same_pixels_are_reported_by_one_of_two_checks(self) -> None:
        same = {"picture": picture(sha256="same"), "patient_id": "p"}
        agree = [image("a", labels={"nodule": 1}, **same), image("b", labels={"nodule": 1}, **same)]
        (problem,) = found(duplicates.SAME_PIXELS, *agree)
        assert problem.message == "2 images have identical pixels."
        assert found(duplicates.SAME_PIXELS_OTHER_TRUTH, *agree) == []
        differ = [agree[0], image("b", labels={"nodule": 0}, **same)]
        assert found(duplicates.SAME_PIXELS, *differ) == []
        assert found(duplicates.SAME_PIXELS_OTHER_TRUTH, *differ)[0].message == (
            "2 images have identical pixels; their labels or annotations contradict each other for nodule."
        )
        for check in (duplicates.ALIKE, duplicates.ALIKE_APART):
            assert found(check, *differ) == []

    def test_patients_are_counted(self) -> None:
        same = {"picture": picture(sha256="same")}
        those = [image("a", **same), image("b", **same), image("c", **{**same, "patient_id": "a"})]
        assert found(duplicates.SAME_PIXELS, *those)[0].message == (
            "3 images have identical pixels but belong to 2 patients."
        )

    def test_an_unknown_label_and_an_annotation_contradict_nothing(self) -> None:
        same = {"picture": picture(sha256="same"), "patient_id": "p"}
        those = [image("a", labels={"nodule": None}, **same), image("b", drawn(), **same)]
        assert found(duplicates.SAME_PIXELS_OTHER_TRUTH, *those) == []
        contrary = [image("a", drawn(area=0), **same), image("b", drawn(), **same)]
        assert len(found(duplicates.SAME_PIXELS_OTHER_TRUTH, *contrary)) == 1

    def test_alike_is_a_note_within_a_patient_and_apart_otherwise(self) -> None:
        one = image("a", picture=picture(0), patient_id="p", labels={"nodule": 1})
        twin = image("b", picture=picture(0b11), patient_id="p")
        assert found(duplicates.ALIKE, one, twin)[0].message == (
            "2 images look alike (their perceptual hashes differ in 2 of 64 bits) and belong to one patient."
        )
        assert found(duplicates.ALIKE_APART, one, twin) == []
        other = replace(twin, patient_id="q")
        assert found(duplicates.ALIKE, one, other) == []
        assert found(duplicates.ALIKE_APART, one, other)[0].message.endswith(
            "bits) but belong to 2 patients."
        )
        contrary = replace(twin, labels={"nodule": 0})
        assert found(duplicates.ALIKE_APART, one, contrary)[0].message.endswith(
            "bits); their labels or annotations contradict each other for nodule."
        )
        apart = replace(other, labels={"nodule": 0})
        assert found(duplicates.ALIKE_APART, one, apart)[0].message.endswith(
            "2 patients; their labels or annotations differ for nodule, as those of different patients may."
        )

    def test_the_distances_are_to_the_nearest_that_is_not_the_same(self) -> None:
        """0 and 1 differ in one bit, 1 and 0b111 in two; the copy of 0 has the same distance as 0."""
        bits = (0, 1, 0b111)
        those = [image(str(b), picture=picture(b), patient_id="p") for b in bits]
        those.append(image("again", picture=picture(0), patient_id="p"))
        assert "differ in 1 to 2 of 64" in found(duplicates.ALIKE, *those)[0].message


class TestRectangles:
    @pytest.mark.parametrize(
        ("box", "reported"),
        [
            (Box(-0.5, -0.5, 200, 100), ""),
            (Box(-1.5, -1.5, 202, 102), ""),  # one pixel over each edge
            (
                Box(-1.6, 10, 20, 20),
                "6 % of a box lies outside its image of 100 rows and 200 columns, by up to 1 ",
            ),
            (
                Box(189.5, 10, 20, 20),
                "50 % of a box lies outside its image of 100 rows and 200 columns, by up to 10 ",
            ),
            (
                Box(10, 94.5, 20, 20),
                "75 % of a box lies outside its image of 100 rows and 200 columns, by up to 15 ",
            ),
            (Box(300, 10, 20, 20), "A box lies completely outside its"),
            (Box(10, -60, 20, 20), "A box lies completely outside its"),
            (Box(189.5, 89.5, 20, 20), "75 % of a box lies outside"),
        ],
    )
    def test_a_box_may_reach_a_pixel_over_the_edge_of_its_image(self, box: Box, reported: str) -> None:
        problems = found(rectangles.OUTSIDE_IMAGE, image("a", drawn(kind="box", boxes=(box,))))
        assert bool(problems) == bool(reported)
        assert all(reported in problem.message for problem in problems)

    def test_boxes_of_refused_annotations_are_examined(self) -> None:
        entry = replace(refused("a", "box_outside_image"), boxes=(Box(300, 10, 20, 20), Box(1, 1, 2, 2)))
        assert names(found(rectangles.OUTSIDE_IMAGE, image("a", refused=(entry,)))) == [("a",)]

    @pytest.mark.parametrize(
        "box", [Box(1, 1, 0, 5), Box(1, 1, 5, 0), Box(1, 1, -3, 5), Box(float("nan"), 1, 2, 2)]
    )
    def test_a_box_without_area_is_reported_and_not_called_outside(self, box: Box) -> None:
        entry = replace(refused("a", "bad_box"), boxes=(box,))
        assert len(found(rectangles.NO_AREA, image("a", refused=(entry,)))) == 1
        assert found(rectangles.OUTSIDE_IMAGE, image("a", refused=(entry,))) == []

    def test_coordinates_are_written_from_the_corner_of_the_image(self) -> None:
        entry = replace(refused("a", "bad_box"), boxes=(Box(9.5, 19.5, float("nan"), 0),))
        (problem,) = found(rectangles.NO_AREA, image("a", refused=(entry,)))
        assert problem.message == "A box has no area: x 10, y 20, width not a number, height 0."


@pytest.mark.parametrize(
    ("share", "text"), [(1, "100 %"), (0.126, "13 %"), (0.01, "1 %"), (0.0005, "0.05 %")]
)
def test_a_share_keeps_its_decimals_where_it_is_small(share: float, text: str) -> None:
    assert percent(share) == text
