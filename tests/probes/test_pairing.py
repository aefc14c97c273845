"""Tests of pairing: each patient has one other patient to themselves, and their images go in turn."""

from __future__ import annotations

from pipeline.probes.pairing import paired, rotated
from pipeline.records import Case
from tests.cohort.cases import case


def images(*names: str) -> list[Case]:
    """ "a1" is the first image of the patient a."""
    return [case(name, patient=name[0]) for name in names]


def pairs(cases: list[Case], others: list[Case]) -> dict[str, str]:
    stems = {one.case_id: one.source.relative_path for one in (*cases, *others)}
    return {
        _stem(stems[first]): _stem(other.source.relative_path)
        for first, other in paired(cases, others).items()
    }


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".dcm")


def test_patients_are_paired_one_for_one_and_their_images_in_turn() -> None:
    found = pairs(images("a1", "a2", "b1", "c1"), images("x1", "y1", "x2", "y2"))
    assert found == {"a1": "x1", "a2": "x2", "b1": "y1"}


def test_nobody_is_paired_with_themselves() -> None:
    assert pairs(images("a1", "b1"), images("a2", "b2")) == {"a1": "b2", "b1": "a2"}
    assert pairs(images("a1"), images("a2")) == {}


def test_rotated_cases_are_partners_for_each_other() -> None:
    for count in range(2, 9):
        cases = images(*(f"{letter}{n}" for letter in "abcdefgh"[:count] for n in (1, 2)))
        found = paired(cases, rotated(cases))
        patients = {one.case_id: one.patient_id for one in cases}
        assert len(found) == len({other.case_id for other in found.values()}) == 2 * count
        assert all(patients[first] != other.patient_id for first, other in found.items())
    assert rotated([]) == []


def test_many_patients_take_no_square_of_them() -> None:
    many = [case(f"{number:05}", patient=f"p{number}") for number in range(20_000)]
    assert len(paired(many, rotated(many))) == 20_000
