"""The images whose maps are tested: few, in turn from all findings, and none unless everything is probed."""

from __future__ import annotations

import pytest

from pipeline.ground_truth.matching import Truth
from pipeline.probes.map_tests.tasks import MOST_IMAGES, map_tasks
from pipeline.probes.selection import Level
from pipeline.records import AnnotationItem, Case, Labels
from tests.cohort.cases import case

FINDINGS = ("mass", "effusion")
CASES = [case(f"{number:03}", patient=f"p{number // 2:03}") for number in range(100)]


def truth(regions: dict[str, set[int]], labels: dict[int, Labels] | None = None) -> Truth:
    items = {
        one.case_id: tuple(
            AnnotationItem("png", "image", finding, "anna", {})
            for finding, numbers in regions.items()
            if place in numbers
        )
        for place, one in enumerate(CASES)
    }
    known = {one.case_id: (labels or {}).get(place, {}) for place, one in enumerate(CASES)}
    return Truth(items, known, (), {}, "mask", "anna", "")


def judged(found: Truth, level: Level = "full", *, most: int = MOST_IMAGES) -> dict[int, tuple[str, ...]]:
    tasks = map_tasks(level, CASES, found, FINDINGS, most=most)
    place = {one.case_id: number for number, one in enumerate(CASES)}
    return {place[task.case_id]: task.regions for task in tasks}


@pytest.mark.parametrize("level", ["off", "quick"])
def test_only_full_probes_test_maps(level: Level) -> None:
    assert judged(truth({"mass": set(range(100))}), level) == {}


def test_findings_are_taken_in_turn_up_to_the_limit() -> None:
    found = judged(truth({"mass": set(range(50)), "effusion": set(range(50, 60))}))
    assert len(found) == MOST_IMAGES
    effusions = [number for number, findings in found.items() if findings == ("effusion",)]
    assert sorted(effusions) == list(range(50, 60))
    assert all(findings == ("mass",) for number, findings in found.items() if number < 50)


def test_patients_come_before_their_further_images() -> None:
    found = judged(truth({"mass": set(range(10)), "effusion": set(range(10))}), most=5)
    assert sorted(number // 2 for number in found) == [0, 1, 2, 3, 4]


def test_an_image_is_judged_for_each_of_its_findings() -> None:
    found = judged(truth({"mass": {1}, "effusion": {1, 4}}))
    assert found == {1: FINDINGS, 4: ("effusion",)}


def test_without_regions_labels_say_which_images_and_without_labels_all_count() -> None:
    found = judged(truth({}, {3: {"mass": 1}, 4: {"mass": 0, "effusion": 1}}))
    assert found == {3: ("mass",), 4: ("effusion",)}
    assert judged(truth({}), most=3).keys() <= set(range(100))
    assert set(judged(truth({}), most=3).values()) == {FINDINGS}


def test_the_same_images_whatever_their_pseudonyms() -> None:
    found: list[Case] = [
        task.case for task in map_tasks("full", CASES, truth({"mass": set(range(9))}), FINDINGS)
    ]
    assert found == sorted(found, key=CASES.index)
