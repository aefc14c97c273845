from dataclasses import replace

import pytest

from pipeline.metrics.lesions import Rule
from pipeline.records import Candidates
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.lesion_sizes import LesionSize, lesion_sizes
from pipeline.statistics.proportions import clopper_pearson
from tests.statistics.lesions import matched_by

RULE = Rule("iou", 0.3)


def case(
    number: int, *lesions: tuple[float, bool], image: float = 1000, method: str = "gradcam"
) -> Candidates:
    """Lesions as (area in mm², found): a contour at each, on an image of 1000 mm² unless stated."""
    contours = tuple(
        tuple(0.5 if row == column and found else 0.0 for column in range(len(lesions)))
        for row, (_, found) in enumerate(lesions)
    )
    areas = tuple(area for area, _ in lesions)
    scores = (0.5,) * len(lesions)
    shares = tuple(area / image for area in areas)
    return Candidates(
        f"case{number}",
        "nodule",
        "anna",
        method,
        "mask",
        len(lesions),
        scores,
        {"iou": contours},
        shares,
        areas,
    )


def sizes(*cases: Candidates, findings: tuple[str, ...] = ("nodule",)) -> list[LesionSize]:
    """One patient per case."""
    matched = matched_by(RULE, ((found, found.case_id) for found in cases))
    return lesion_sizes(matched, findings=findings, resampling=Resampling(replicates=200))


FIFTEEN = [case(number, (10.0 * number, number > 3)) for number in range(1, 16)]
"""Lesions of 10, 20, … 150 mm²; the three smallest are missed."""


def test_thirds_of_fifteen_lesions_by_hand() -> None:
    found = sizes(*FIFTEEN)
    assert [(row.third, row.smallest, row.largest, row.n, row.patients) for row in found] == [
        ("small", 10, 50, 5, 5),
        ("medium", 60, 100, 5, 5),
        ("large", 110, 150, 5, 5),
    ]
    assert [row.estimate for row in found] == [2 / 5, 1, 1]
    assert (found[0].low, found[0].high) == clopper_pearson(2, 5, confidence=0.95)
    assert {(row.finding, row.reader, row.method, row.kind, row.unit, row.too_few) for row in found} == {
        ("nodule", "anna", "gradcam", "mask", "mm2", False)
    }


def test_the_order_of_cases_does_not_matter() -> None:
    assert sizes(*FIFTEEN[::-1]) == sizes(*FIFTEEN)


def test_a_third_of_fewer_than_five_patients_has_no_estimate() -> None:
    found = sizes(*FIFTEEN[:14])
    assert [(row.n, row.too_few) for row in found] == [(5, False), (5, False), (4, True)]
    assert (found[2].estimate, found[2].low, found[2].high) == (None, None, None)
    assert (found[2].smallest, found[2].largest) == (110, 140)


def test_lesions_of_one_patient_count_but_their_patient_is_one() -> None:
    many = case(20, *((200.0 + number, False) for number in range(9)))
    found = sizes(*FIFTEEN, many)
    assert [(row.n, row.patients, row.too_few) for row in found] == [
        (8, 8, False),
        (8, 8, False),
        (8, 1, True),
    ]


def test_lesions_of_equal_area_are_in_the_same_third() -> None:
    found = sizes(*(case(number, (10.0 if number < 8 else 20.0, True)) for number in range(16)))
    assert [(row.n, row.smallest, row.largest) for row in found] == [
        (8, 10, 10),
        (8, 20, 20),
        (0, None, None),
    ]
    assert found[2].too_few


def test_a_single_image_without_spacing_turns_the_unit_of_all_areas_of_the_finding() -> None:
    # In mm² the first image's lesion is the smallest; as a share of its small image it is the largest.
    unknown = replace(case(1, (10.0, False), image=20), areas_mm2=())
    found = sizes(unknown, *FIFTEEN[1:])
    assert {row.unit for row in found} == {"image_share"}
    assert [row.largest for row in found] == [0.06, pytest.approx(0.11), 0.5]
    assert [row.estimate for row in found] == [3 / 5, 1, 4 / 5]


def test_findings_have_their_own_unit_and_their_own_thirds() -> None:
    other = [replace(found, finding="mass", areas_mm2=()) for found in FIFTEEN[:6]]
    found = sizes(*FIFTEEN, *other, findings=("mass", "nodule"))
    assert [(row.finding, row.unit) for row in found] == [("mass", "image_share")] * 3 + [
        ("nodule", "mm2")
    ] * 3
    assert [row.n for row in found] == [2, 2, 2, 5, 5, 5]


def test_all_methods_have_the_same_thirds_in_the_order_of_their_names() -> None:
    prior = [case(number, (10.0 * number, False), method="center_prior") for number in range(1, 16)]
    found = sizes(*FIFTEEN, *prior)
    assert [row.method for row in found] == ["center_prior"] * 3 + ["gradcam"] * 3
    assert [row.largest for row in found[:3]] == [row.largest for row in found[3:]]
    assert [row.estimate for row in found[:3]] == [0, 0, 0]


def test_healthy_images_and_points_have_no_rows() -> None:
    healthy = Candidates("case1", "nodule", "anna", "gradcam", "mask", 0, (0.5,), {"iou": ((),)})
    point = Candidates("case1", "nodule", "anna", "gradcam", "point", 1, (0.5,), {"iou": ((1.0,),)})
    assert sizes(healthy) == []
    assert sizes(point) == []


def test_boxes_are_kept_apart_from_masks_and_polygons_are_not() -> None:
    kinds = ("mask", "polygon", "box")
    mixed = [replace(found, kind=kinds[number % 3]) for number, found in enumerate(FIFTEEN)]  # type: ignore[arg-type]
    found = sizes(*mixed)
    assert [row.kind for row in found] == ["box"] * 3 + ["mask"] * 3
    assert [row.n for row in found] == [2, 2, 1, 4, 3, 3]
