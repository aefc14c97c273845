"""Numbers of map tests over images and patients: counted by hand, with what is undefined and why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.contracts import Measure
from pipeline.records import MapTestValue
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_test_suspicions import map_test_suspicions
from pipeline.statistics.map_tests import MapTestRow, map_test_rows
from pipeline.statistics.proportions import clopper_pearson

FINDINGS = ("mass", "effusion")
MEASURES = {
    "randomisation": {
        "hit": Measure("hit rate", "higher", is_share=True),
        "spearman": Measure("rank correlation", "lower"),
    }
}
RESAMPLING = Resampling(replicates=200)


def values(
    measure: str, variant: str, numbers: Sequence[float | None], *, finding: str = "mass", method: str = "cam"
) -> list[MapTestValue]:
    return [
        MapTestValue(
            f"case-{number}", finding, method, "randomisation", measure, variant, value,
            "flat_map" if value is None else "",
        )
        for number, value in enumerate(numbers)
    ]  # fmt: skip


def rows(found: Sequence[MapTestValue], *, images_each: int = 1) -> list[MapTestRow]:
    units = {one.case_id: f"{int(one.case_id[5:]) // images_each:03}" for one in found}
    return map_test_rows(found, units, findings=FINDINGS, measures=MEASURES, resampling=RESAMPLING)


def one_row(found: Sequence[MapTestRow], finding: str, variant: str, compared_with: str = "") -> MapTestRow:
    (row,) = (
        one
        for one in found
        if (one.finding, one.variant, one.compared_with) == (finding, variant, compared_with)
    )
    return row


def test_means_counts_and_reasons_by_finding_and_over_all() -> None:
    found = rows(
        [
            *values("spearman", "all", [0.5, 0.1, None, 0.3]),
            *values("spearman", "all", [0.7], finding="effusion"),
        ]
    )
    mass, effusion, together = (one_row(found, name, "all") for name in (*FINDINGS, ALL_FINDINGS))
    assert (mass.n, mass.undefined, mass.reasons, mass.patients) == (3, 1, "flat_map=1", 3)
    assert mass.estimate == pytest.approx(0.3)
    assert (effusion.n, effusion.patients, effusion.estimate, effusion.low) == (1, 1, 0.7, None)
    # The effusion is of the first image, so that four maps are of three patients.
    assert (together.n, together.patients) == (4, 3)
    assert together.estimate == pytest.approx(0.4)
    assert {row.better for row in found} == {"lower"}


def test_a_share_has_the_bounds_of_a_share() -> None:
    found = one_row(rows(values("hit", "", [1, 1, 1, 1, 1, 1, 1, 1])), "mass", "")
    assert (found.low, found.high) == clopper_pearson(8, 8, confidence=0.95)


def test_the_map_is_compared_with_every_other_version_on_the_same_images() -> None:
    found = rows(
        [
            *values("hit", "", [1, 1, 0, 1]),
            *values("hit", "random_weights", [0.2, 0.4, 0.0, None]),
            *values("hit", "random_weights_1", [0, 1, 0, 1]),
        ]
    )
    gain = one_row(found, "mass", "", "random_weights")
    assert (gain.n, gain.undefined, gain.reasons) == (3, 1, "not_paired=1")
    assert gain.estimate == pytest.approx((0.8 + 0.6 + 0.0) / 3)
    assert one_row(found, "mass", "", "random_weights_1").estimate == pytest.approx(0.25)
    assert not [row for row in found if row.compared_with and row.variant]


def test_a_measure_without_the_map_itself_has_no_differences() -> None:
    found = rows([*values("spearman", "head", [0.1, 0.2]), *values("spearman", "all", [0.1, 0.2])])
    assert {row.compared_with for row in found} == {""}


def test_images_of_a_patient_are_resampled_together() -> None:
    found = one_row(rows(values("spearman", "all", [0.1, 0.2, 0.3, 0.6]), images_each=2), "mass", "all")
    assert (found.n, found.patients) == (4, 2)


def test_values_of_tests_and_measures_that_are_not_known_are_left_out() -> None:
    strange = MapTestValue("case-0", "mass", "cam", "foreign", "hit", "", 1.0)
    assert rows([strange, *values("other", "", [1.0])]) == []


def options(*methods: str) -> StatisticsOptions:
    return StatisticsOptions(FINDINGS, methods or ("cam",), (), RESAMPLING)


def suspicions(trained: Sequence[float], random: Sequence[float | None], *methods: str) -> list[str]:
    found = rows([*values("hit", "", trained), *values("hit", "random_weights", random)])
    return [one.rule for one in map_test_suspicions(found, options(*methods))]


def test_maps_that_random_networks_equal_are_suspected_and_better_ones_are_not() -> None:
    often, seldom = [1, 1, 1, 0] * 6, [0.2, 0, 0.2, 0.4] * 6
    assert suspicions(often, often) == ["random_network_as_good"]
    assert suspicions(seldom, often) == ["random_network_as_good"]
    assert suspicions(often, seldom) == []


def test_the_suspicion_is_about_all_findings_and_gives_both_rates() -> None:
    found = rows([*values("hit", "", [1, 0] * 10), *values("hit", "random_weights", [0.6, 0.4] * 10)])
    (one,) = map_test_suspicions(found, options())
    assert (one.finding, one.suspect, one.strength, one.n) == (ALL_FINDINGS, "map", "weak", 20)
    assert "hit in 50 % of 20 maps" in one.sentence
    assert "random weights in 50 %" in one.sentence
    assert one.estimate == pytest.approx(0)


def test_few_patients_other_methods_and_undefined_hits_say_nothing() -> None:
    assert suspicions([0] * 9, [1] * 9) == []
    assert suspicions([0] * 20, [1] * 20, "gradcam", "cam") == []
    assert suspicions([0] * 20, [None] * 20) == []
    assert list(map_test_suspicions([], options())) == []


def test_maps_that_stay_the_same_without_what_was_learnt_are_suspected() -> None:
    def rules(numbers: Sequence[float]) -> list[str]:
        return [one.rule for one in map_test_suspicions(rows(values("spearman", "all", numbers)), options())]

    assert rules([1.0] * 20) == ["map_without_weights"]
    assert rules([0.6, 0.9] * 10) == ["map_without_weights"]
    assert rules([0.4, 0.5] * 10) == []
    assert rules([1.0] * 9) == []
