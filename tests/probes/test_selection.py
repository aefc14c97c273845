"""Tests of the selection: bounded, spread, balanced by label, patients first, the same in every run."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.ground_truth.matching import Truth
from pipeline.probes import PROBES
from pipeline.probes.selection import ProbeTask, most_forwards, probe_tasks, read_tasks, spread, tasks_of
from pipeline.records import AnnotationItem, Case, Kind, Labels
from tests.cohort.cases import case

FINDINGS = ("mass", "effusion")


def item(finding: str, *, kind: Kind | None = None, absent: bool = False) -> AnnotationItem:
    return AnnotationItem("png", "image", finding, "anna", {}, absent=absent, kind=kind)


def truth(cases: list[Case], labels: Mapping[str, Labels], *items: tuple[str, AnnotationItem]) -> Truth:
    by_case: dict[str, tuple[AnnotationItem, ...]] = {}
    for case_id, one in items:
        by_case[case_id] = (*by_case.get(case_id, ()), one)
    return Truth(by_case, {c.case_id: labels.get(c.case_id, {}) for c in cases}, (), {}, "mask", "anna", "")


def numbered(count: int, *, images_each: int = 1) -> list[Case]:
    return [case(f"{number:03}", patient=f"p{number // images_each:03}") for number in range(count)]


def chosen(tasks: list[ProbeTask], finding: str) -> list[str]:
    return [task.case_id for task in tasks if finding in task.regions]


def test_beginnings_are_spread_over_the_whole() -> None:
    cases = numbered(9)
    order = [int(c.source.relative_path[-7:-4]) for c in spread(cases)]
    assert order == [0, 8, 4, 2, 6, 1, 5, 3, 7]
    assert spread([]) == []
    assert spread(cases[:1]) == cases[:1]


@pytest.mark.parametrize("count", range(1, 40))
def test_spreading_loses_and_doubles_nothing(count: int) -> None:
    cases = numbered(count)
    assert sorted(spread(cases), key=lambda c: c.case_id) == cases


def test_at_most_so_many_positives_with_a_region() -> None:
    cases = numbered(30)
    items = [(c.case_id, item("mass")) for c in cases[:20]]
    tasks = probe_tasks(cases, truth(cases, {}, *items), FINDINGS, most_positives=5, most_images=0)
    assert len(chosen(tasks, "mass")) == 5
    assert chosen(tasks, "effusion") == []
    assert [task.whole for task in tasks] == [False] * 5


@pytest.mark.parametrize(
    ("one", "label"),
    [(item("mass", kind="point"), 1), (item("mass", absent=True), None), (item("mass"), 0)],
)
def test_points_and_absent_findings_have_no_region(one: AnnotationItem, label: int | None) -> None:
    cases = numbered(3)
    found = truth(cases, {cases[0].case_id: {"mass": label}}, (cases[0].case_id, one))
    assert chosen(probe_tasks(cases, found, FINDINGS, most_positives=None, most_images=0), "mass") == []


def test_patients_come_before_their_further_images() -> None:
    cases = numbered(12, images_each=3)
    items = [(c.case_id, item("mass")) for c in cases]
    tasks = probe_tasks(cases, truth(cases, {}, *items), FINDINGS, most_positives=4, most_images=0)
    assert {task.case.patient_id for task in tasks} == {f"patient-p{number:03}" for number in range(4)}


def test_whole_images_are_balanced_by_label() -> None:
    cases = numbered(100)
    labels = {c.case_id: {"mass": int(number < 10)} for number, c in enumerate(cases)}
    tasks = probe_tasks(cases, truth(cases, labels), FINDINGS, most_positives=0, most_images=16)
    positive = [task for task in tasks if labels[task.case_id]["mass"]]
    assert (len(tasks), len(positive)) == (16, 8)


def test_images_without_labels_are_not_changed_as_a_whole() -> None:
    cases = numbered(5)
    assert probe_tasks(cases, truth(cases, {}), FINDINGS, most_positives=None, most_images=None) == []


def test_the_other_image_is_of_another_patient() -> None:
    cases = numbered(8, images_each=2)
    labels = {c.case_id: {"mass": number % 2} for number, c in enumerate(cases)}
    tasks = probe_tasks(cases, truth(cases, labels), FINDINGS, most_positives=0, most_images=None)
    assert len(tasks) == 8
    assert all(t.other is not None and t.other.patient_id != t.case.patient_id for t in tasks)
    (alone,) = probe_tasks(cases[:1], truth(cases[:1], labels), FINDINGS, most_positives=0, most_images=None)
    assert alone.other is None


def test_levels_and_the_number_of_forward_passes() -> None:
    cases = numbered(200)
    labels = {c.case_id: {"mass": number % 2, "effusion": 0} for number, c in enumerate(cases)}
    items = [(c.case_id, item("mass")) for c in cases[1::2]]
    found = truth(cases, labels, *items)
    assert tasks_of("off", cases, found, FINDINGS) == []
    quick = tasks_of("quick", cases, found, FINDINGS)
    assert (len(chosen(quick, "mass")), sum(task.whole for task in quick)) == (40, 64)
    full = tasks_of("full", cases, found, FINDINGS)
    assert (len(chosen(full, "mass")), sum(task.whole for task in full)) == (100, 200)
    quick_whole, full_whole = (
        sum(probe.most for probe in PROBES.values() if not probe.is_of_findings and probe.runs_at(level))
        for level in ("quick", "full")
    )
    lesion, swap = PROBES["lesion"].most, PROBES["swap"].most
    # Each image as it is, once for the probes and, if it is changed as a whole, once for its features; the
    # first 32 of these in each variant of the card, too.
    variants = 32 * PROBES["card"].most
    of_quick, of_full = len(quick) + 40 * lesion + variants, len(full) + 100 * (lesion + swap) + variants
    assert most_forwards(quick, read_tasks("quick", quick, cases)) == of_quick + 64 * quick_whole + 64
    assert most_forwards(full, read_tasks("full", full, cases)) == of_full + 200 * full_whole + 200


def test_without_labels_some_images_are_read_inside_the_network_all_the_same() -> None:
    cases = numbered(100, images_each=2)
    assert read_tasks("off", [], cases) == []
    found = read_tasks("quick", [], cases)
    assert (len(found), len({task.case.patient_id for task in found}), found[0].variants) == (64, 50, True)
    assert most_forwards([], found) == 64 + 32 * PROBES["card"].most


def test_swaps_have_partners_with_and_without_the_finding() -> None:
    cases = numbered(12, images_each=2)
    labels = {c.case_id: {"mass": int(number < 6)} for number, c in enumerate(cases)}
    annotated = [*((c.case_id, item("mass")) for c in cases[:6]), (cases[6].case_id, item("effusion"))]
    found = truth(cases, labels, *annotated)
    assert all(task.healthy == task.alike == {} for task in tasks_of("quick", cases, found, FINDINGS))
    tasks = [task for task in tasks_of("full", cases, found, FINDINGS) if "mass" in task.regions]
    assert [task.case for task in tasks] == cases[:6]
    for task in tasks:
        without, having = task.healthy["mass"], task.alike["mass"]
        assert (without.labels["mass"], having.labels["mass"]) == (0, 1)
        assert having.items[0].finding == "mass"
        assert task.case.patient_id not in {without.case.patient_id, having.case.patient_id}
    # Each is used once, and those in which nothing is annotated come first.
    partners = {task.case_id: task.healthy["mass"].case for task in tasks}
    assert len({other.case_id for other in partners.values()}) == 6
    assert cases[6] in partners.values()
    first, *_ = (task.healthy["mass"].case for task in tasks)
    assert first != cases[6]


def test_an_image_that_is_annotated_or_whose_label_is_unknown_is_not_healthy() -> None:
    cases = numbered(4)
    labels: dict[str, Labels] = {
        cases[0].case_id: {"mass": 1},
        cases[1].case_id: {"mass": None},
        cases[2].case_id: {"mass": 0},
    }
    annotated = [(cases[n].case_id, item("mass")) for n in (0, 2)]
    (task,) = tasks_of("full", cases, truth(cases, labels, *annotated), ("mass",))[:1]
    assert (task.case, task.healthy) == (cases[0], {})


def test_the_full_level_of_a_large_study_set_takes_no_square_of_its_images() -> None:
    cases = numbered(20_000)
    labels = {c.case_id: {"mass": number % 2} for number, c in enumerate(cases)}
    found = truth(cases, labels, *((c.case_id, item("mass")) for c in cases[1::2]))
    tasks = tasks_of("full", cases, found, FINDINGS)
    assert (len(tasks), len(chosen(tasks, "mass"))) == (20_000, 10_000)
