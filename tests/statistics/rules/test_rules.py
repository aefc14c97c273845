"""Rules: each turns on the tables of its planted fault, and not on those of its sound twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Summary, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.rules import RunTables, suspicions_of
from pipeline.statistics.rules.places import TRANSFORM_WORDS, transform_words
from pipeline.statistics.verdict import VerdictRow

FINDINGS = ("nodule", "effusion")


def area(finding: str, estimate: float, low: float | None, high: float | None) -> Summary:
    return Summary(finding, "labels", "classifier", "auroc", 60, {}, 50, estimate, low, high)


def crossed(
    finding: str, output: str, estimate: float, measure: str = "auroc", **facts: Any
) -> dict[str, Any]:
    given = {"low": estimate - 0.1, "high": estimate + 0.1, "n": 60, "patients": 50, "difference": None,
             "corrected_p": None, **facts}  # fmt: skip
    return {"finding": finding, "output": output, "measure": measure, "estimate": estimate, **given}


def told(**changes: Any) -> list[Suspicion]:
    return list(suspicions_of(RunTables(FINDINGS, **changes)))


def kinds(found: Sequence[Suspicion]) -> list[tuple[str, str, str, str]]:
    return [(one.finding, one.rule, one.suspect, one.strength) for one in found]


SOUND = [area("nodule", 0.9, 0.8, 0.95), area("effusion", 0.6, 0.51, 0.7)]


def test_tables_without_rows_and_sound_ones_say_nothing() -> None:
    assert told() == []
    assert told(summaries=SOUND, grids={(7, 7): 60}, probabilities={"nodule": [0.2, 0.9]}) == []


def exchanged(p: float = 0.001, difference: float = 0.4, **facts: Any) -> list[dict[str, Any]]:
    return [
        crossed("nodule", "nodule", 0.55),
        crossed("nodule", "effusion", 0.95, difference=difference, corrected_p=p, **facts),
        crossed("effusion", "effusion", 0.65),
        crossed("effusion", "nodule", 0.95, difference=difference, corrected_p=p, **facts),
    ]


def test_exchanged_outputs_are_named() -> None:
    found = told(cross=exchanged())
    assert kinds(found) == [(finding, "order_of_outputs", "labels", "strong") for finding in FINDINGS]
    assert (found[0].estimate, found[0].n) == (0.95, 60)
    assert found[0].sentence.startswith(
        "The output of effusion tells the label nodule better than its own output: AUROC 0.95 against 0.55 "
        "(60 images), corrected p = 0.001."
    )


@pytest.mark.parametrize("facts", [{"p": 0.06}, {"difference": 0.09}, {"patients": 9}])
def test_what_is_not_shown_or_small_or_of_few_is_not_an_exchange(facts: dict[str, Any]) -> None:
    assert told(cross=exchanged(**facts)) == []


def test_an_output_that_tells_another_label_a_little_better_is_a_weak_sign() -> None:
    """Findings that often occur together: the own output tells its label, and is the other's best, too."""
    cross = [
        crossed("nodule", "nodule", 0.75),
        crossed("nodule", "effusion", 0.9, difference=0.15, corrected_p=0.001),
        crossed("effusion", "effusion", 0.95),
        crossed("effusion", "nodule", 0.7, difference=-0.25, corrected_p=0.001),
    ]
    assert kinds(told(cross=cross)) == [("nodule", "order_of_outputs", "labels", "weak")]
    cross[0] = crossed("nodule", "nodule", 0.55)
    assert kinds(told(cross=cross)) == [("nodule", "order_of_outputs", "labels", "strong")]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (area("nodule", 0.2, 0.1, 0.3), ("nodule", "auroc_turned", "labels", "strong")),
        (area("nodule", 0.55, 0.45, 0.65), ("nodule", "auroc_low", "labels", "weak")),
        (area("nodule", 0.75, 0.45, 0.9), ("nodule", "auroc_uncertain", "too_few", "weak")),
    ],
)
def test_an_auroc_at_chance_or_below_is_named(bad: Summary, expected: tuple[str, ...]) -> None:
    found = told(summaries=[bad, SOUND[1]])
    assert kinds(found) == [expected]
    assert f"AUROC {bad.estimate:.2f} [{bad.low:.2f} to {bad.high:.2f}] of 60 images" in found[0].sentence


def test_a_network_that_tells_nothing_may_have_broken_weights_a_wrong_card_or_foreign_labels() -> None:
    found = told(summaries=[area("nodule", 0.5, 0.4, 0.6), area("effusion", 0.55, 0.45, 0.65)])
    assert kinds(found) == [
        (ALL_FINDINGS, "auroc_low", suspect, "weak") for suspect in ("weights", "card", "labels")
    ]
    assert {one.estimate for one in found} == {0.55}


def test_a_turned_output_among_others_that_tell_nothing_is_told_beside_them() -> None:
    found = told(summaries=[area("nodule", 0.2, 0.1, 0.3), area("effusion", 0.55, 0.45, 0.65)])
    assert kinds(found)[0] == ("nodule", "auroc_turned", "labels", "strong")
    assert {one.finding for one in found[1:]} == {ALL_FINDINGS}
    assert kinds(told(summaries=[area("nodule", 0.2, 0.1, 0.3)])) == kinds(found)[:1]


def test_probabilities_at_the_edges_are_named() -> None:
    found = told(probabilities={"nodule": [0.0, 1.0, 1 - 1e-7, 0.5], "effusion": [0.0, 0.5, 0.5, 1e-5]})
    assert kinds(found) == [("nodule", "saturated", "card", "weak")]
    assert (found[0].estimate, found[0].n) == (0.75, 4)
    assert found[0].sentence.startswith("75 % of 4 probabilities of nodule are within a millionth of 0 or 1.")


def aligned(finding: str, transform: str, rank: float, hits: float, **facts: Any) -> dict[str, Any]:
    given = {"n": 30, "patients": 30, "difference": 0.0, "corrected_p": None, **facts}
    return {"finding": finding, "transform": transform, "rank": rank, "hits": hits, **given}


def mirrored(finding: str, *, hits: float = 0.8, rank: float = 0.9, **facts: Any) -> list[dict[str, Any]]:
    given = {"difference": rank - 0.6, "corrected_p": 1e-6, **facts}
    return [
        aligned(finding, "as_it_is", 0.6, 0.1),
        aligned(finding, "left_3", 0.62, 0.1, difference=0.02, corrected_p=0.001),
        aligned(finding, "mirrored", rank, hits, **given),
    ]


def test_annotations_that_fit_better_mirrored_are_told_once_for_all_findings() -> None:
    found = told(alignment=[row for of in (*FINDINGS, ALL_FINDINGS) for row in mirrored(of)])
    assert kinds(found) == [(ALL_FINDINGS, "alignment", "masks", "strong")]
    assert found[0].sentence == (
        "The annotations fit the maps better mirrored left to right: hit rate 80 % against 10 % of 30 "
        "images, corrected p = 1e-06. They, or the images, may have been flipped, turned or moved."
    )
    assert (found[0].estimate, found[0].n) == (pytest.approx(0.3), 30)


@pytest.mark.parametrize(
    "facts",
    [{"corrected_p": 0.06}, {"hits": 0.25}, {"rank": 0.64}, {"patients": 9}, {"corrected_p": None}],
)
def test_a_transform_that_gains_little_or_is_not_shown_is_not_told(facts: dict[str, Any]) -> None:
    assert told(alignment=mirrored("nodule", **facts)) == []


def test_a_single_finding_has_to_gain_more_and_not_to_be_exchanged() -> None:
    small = mirrored("nodule", rank=0.72, difference=0.09)
    assert told(alignment=small) == []
    assert (
        len(told(alignment=[row | {"finding": of} for of in ("nodule", ALL_FINDINGS) for row in small])) == 1
    )
    cross = [
        crossed("nodule", "nodule", 0.3, "hit", high=0.5),
        crossed("nodule", "effusion", 0.8, "hit", difference=0.5, corrected_p=0.001),
    ]
    assert kinds(told(alignment=mirrored("nodule"), cross=cross)) == [
        ("nodule", "order_of_maps", "masks", "weak")
    ]


def test_one_findings_annotations_may_lie_wrongly_alone() -> None:
    rows = [*mirrored("nodule"), aligned("effusion", "as_it_is", 0.9, 0.9),
            aligned("effusion", "mirrored", 0.5, 0.1, difference=-0.4, corrected_p=1e-6)]  # fmt: skip
    assert kinds(told(alignment=rows)) == [("nodule", "alignment", "masks", "strong")]
    # together they gain, but of two findings only one does
    assert kinds(told(alignment=[*rows, *mirrored(ALL_FINDINGS)])) == [
        ("nodule", "alignment", "masks", "strong")
    ]


def place(finding: str, **facts: Any) -> VerdictRow:
    given = {"standing": "no_better", "because": "same_place", "estimate": 0.85, "low": 0.7, "high": 0.95,
             "n": 20, "baseline_estimate": 1.0, "baseline_n": 20, **facts}  # fmt: skip
    return VerdictRow(finding, given["standing"], "pointing", **given)


def test_a_finding_at_one_place_is_told_and_not_taken_for_misplaced() -> None:
    found = told(alignment=mirrored("nodule"), verdict=[place("nodule")])
    assert kinds(found) == [("nodule", "same_place", "too_few", "weak")]
    assert "points at it in 100 % of 20 images, the network's in 85 % of 20." in found[0].sentence
    assert (found[0].estimate, found[0].low, found[0].n) == (0.85, 0.7, 20)
    elsewhere = told(verdict=[place("nodule", standing="worse")])
    assert kinds(elsewhere) == [("nodule", "same_place", "network", "weak")]


def nowhere(*estimates: float) -> list[dict[str, Any]]:
    return [
        crossed(finding, finding, estimate, "hit", low=0.0, high=estimate + 0.1)
        for finding, estimate in zip(FINDINGS, estimates, strict=False)
    ]


def test_maps_that_point_at_nothing_of_what_the_network_tells_leave_three_causes() -> None:
    both = [area(finding, 0.9, 0.8, 0.95) for finding in FINDINGS]
    found = told(summaries=both, cross=nowhere(0.05, 0.1))
    causes = ("masks", "map", "network")
    assert kinds(found) == [(ALL_FINDINGS, "points_nowhere", suspect, "weak") for suspect in causes]
    assert "The network tells nodule, effusion, but" in found[0].sentence
    assert "the best hit rate is 10 % of 60 images." in found[0].sentence
    one = told(summaries=both, cross=nowhere(0.05, 0.25))
    assert kinds(one) == [("nodule", "points_nowhere", suspect, "weak") for suspect in causes]
    # what the network does not tell is not asked for
    low = told(summaries=[both[0], area("effusion", 0.55, 0.4, 0.6)], cross=nowhere(0.25, 0.05))
    assert kinds(low) == [("effusion", "auroc_low", "labels", "weak")]
    # without labels, all findings are
    assert kinds(told(cross=nowhere(0.05))) == kinds(one)


def test_where_the_place_is_known_it_is_not_called_unknown() -> None:
    found = told(cross=nowhere(0.05, 0.1), alignment=mirrored("nodule"))
    assert kinds(found) == [("nodule", "alignment", "masks", "strong")]


def test_maps_of_other_findings_that_point_better_are_told() -> None:
    cross = [
        crossed("nodule", "nodule", 0.3, "hit", high=0.5),
        crossed("nodule", "effusion", 0.8, "hit", difference=0.5, corrected_p=0.001),
        crossed("effusion", "effusion", 0.4, "hit", high=0.6),
        crossed("effusion", "nodule", 0.7, "hit", difference=0.3, corrected_p=0.04),
    ]
    assert kinds(told(cross=cross)) == [(of, "order_of_maps", "masks", "strong") for of in FINDINGS]
    assert kinds(told(cross=cross[:3])) == [("nodule", "order_of_maps", "masks", "weak")]
    assert told(cross=[cross[0], cross[1] | {"difference": 0.19}]) == []
    assert told(cross=[cross[0], cross[1] | {"corrected_p": 0.051}]) == []


def test_maps_of_few_cells_are_named() -> None:
    found = told(grids={(7, 7): 50, (3, 4): 2, (2, 2): 8})
    assert kinds(found) == [(ALL_FINDINGS, "coarse_grid", "map", "weak")]
    assert found[0].sentence.startswith("The maps of 8 images have 2 × 2 cells")
    assert told(grids={(4, 4): 50}) == []


def group(attribute: str, value: str, difference: float | None, p: float | None, metric: str = "hit") -> Any:
    return {"finding": "nodule", "metric": metric, "attribute": attribute, "group": value, "n": 19,
            "estimate": 0.1, "low": 0.0, "high": 0.3, "difference": difference, "p": p}  # fmt: skip


def test_one_makers_inverted_films_accuse_the_card_and_a_sex_the_network() -> None:
    maker = [group("manufacturer", "Acme", -0.9, 4e-11), group("manufacturer", "Zeta", 0.9, 4e-11)]
    (found,) = told(groups=maker)
    assert kinds([found]) == [("nodule", "group_apart", "card", "strong")]
    assert found.sentence == (
        "In images with manufacturer “Acme” the hit rate of nodule is 0.10 (19 images), and 0.90 higher in "
        "the others, corrected p = 8e-11. Its images may be stored or prepared otherwise."
    )
    assert kinds(told(groups=[group("sex", "F", -0.9, 1e-6)])) == [
        ("nodule", "group_apart", "network", "weak")
    ]
    assert kinds(told(groups=[group("view", "AP", -0.2, 1e-6, "auroc")])) == [
        ("nodule", "group_apart", "network", "weak")
    ]


def test_groups_are_corrected_over_all_that_are_asked_about() -> None:
    one = group("sex", "F", -0.5, 0.01)
    others = [group("site", f"{n}", 0.0, 0.9) for n in range(5)]
    assert len(told(groups=[one])) == 1
    assert told(groups=[one, *others]) == []
    assert told(groups=[group("sex", "F", -0.29, 1e-6)]) == []
    assert told(groups=[group("sex", "F", None, None)]) == []
    assert told(groups=[group("sex", "F", -0.9, 1e-6, "brier")]) == []


def test_every_transform_has_its_words() -> None:
    words = {name: transform_words(name) for name in list(TRANSFORMS)[1:]}
    assert set(TRANSFORM_WORDS) < set(words)
    assert words["up_left_10"] == "moved up and left by 10 % of a side"
    assert words["down_3"] == "moved down by 3 % of a side"
    assert len(set(words.values())) == len(words)
