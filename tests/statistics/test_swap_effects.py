"""Tests of swap effects: hand-worked rises in SD, what each answer needs, and why there is none."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.records import ProbedOutput
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import Outputs, ProbeEffect
from pipeline.statistics.probe_effects import probe_effects
from tests.statistics.outputs import add_output

COUNT = 12
LOGITS = [4.0] * COUNT + [0.0] * COUNT
SPREAD = float(np.std(LOGITS, ddof=1))
SOUND = {
    "recipient": 0.0,
    "same_place/lesion": 4.0,
    "same_place/control": 0.0,
    "elsewhere/lesion": 4.0,
    "elsewhere/control": 0.0,
    "same_label": 4.0,
}
"""Outputs of a network that follows the lesion."""


def outputs(*, healthy: bool = True, patients: int = COUNT) -> Outputs:
    """Of images with logit 4 that have the finding, and of images with logit 0."""
    found = Outputs()
    for number, logit in enumerate(LOGITS):
        label = {"mass": 1 if logit else 0 if healthy else None}
        unit = f"{number % COUNT % patients + COUNT * (logit == 0):03}"
        add_output(found, f"case-{number}", unit, {"mass": logit}, label)
    return found


def effects(
    logits: dict[str, float], known: Outputs | None = None, noise: float = 0.2
) -> dict[str, ProbeEffect]:
    """Variant → row, from outputs with a little noise for every version but the one before."""
    random, rows = np.random.default_rng(0), list[ProbedOutput]()
    for number in range(COUNT):
        rows.append(ProbedOutput(f"case-{number}", "unchanged", "", "mass", 4.0))
        rows += [
            ProbedOutput(f"case-{number}", "swap", name, "mass", logit + noise * random.standard_normal())
            for name, logit in logits.items()
        ]
    found = probe_effects(
        rows,
        outputs() if known is None else known,
        findings=("mass", "hernia"),
        asks={"swap": "swap"},
        resampling=Resampling(replicates=300),
    )
    return {row.variant: row for row in found}


def test_rises_are_worked_out_by_hand() -> None:
    found = effects({**SOUND, "same_place/control": 0.25, "elsewhere/lesion": 2.0}, noise=0.0)
    same, elsewhere, both = found["same_place"], found["elsewhere"], found["both_places"]
    assert (same.before, same.after) == pytest.approx((4 / SPREAD, 0.25 / SPREAD))
    assert same.estimate == pytest.approx(3.75 / SPREAD)
    # Positives and negatives lie 4 apart.
    assert same.dose == pytest.approx(3.75 / 4)
    assert elsewhere.estimate == pytest.approx(2 / SPREAD)
    assert (both.before, both.after, both.estimate) == pytest.approx(
        (3.75 / SPREAD, 2 / SPREAD, 1.75 / SPREAD)
    )
    assert (same.n, same.patients, same.measure) == (COUNT, COUNT, "rise")


def test_falls_are_worked_out_by_hand() -> None:
    found = effects({**SOUND, "same_place/lesion": 1.0, "same_label": 3.5}, noise=0.0)["surroundings"]
    assert (found.before, found.after, found.estimate) == pytest.approx(
        (3 / SPREAD, 0.5 / SPREAD, 2.5 / SPREAD)
    )
    assert (found.measure, found.n) == ("surroundings", COUNT)


@pytest.mark.parametrize(
    ("changed", "answer", "because"),
    [
        ({}, "follows", ""),
        ({"elsewhere/lesion": 0.0}, "only_at_its_place", ""),
        ({"elsewhere/lesion": 0.0, "same_place/lesion": 0.0}, "does_not_follow", ""),
        ({"same_place/lesion": 0.0}, "cannot_tell", "unclear"),  # elsewhere only
        ({"same_place/control": 2.0}, "cannot_tell", "control_moves"),
        ({"elsewhere/control": 2.0}, "cannot_tell", "control_moves"),
        ({"same_place/control": -2.0}, "follows", ""),  # the seam lowers the output; it rises all the same
        ({"same_place/control": -2.0, "same_place/lesion": 0.0}, "cannot_tell", "control_moves"),
    ],
)
def test_answers_of_both_places(changed: dict[str, float], answer: str, because: str) -> None:
    found = effects({**SOUND, **changed})["both_places"]
    assert (found.answer, found.because) == (answer, because)


def test_an_effect_that_is_hardly_smaller_elsewhere_is_not_only_at_its_place() -> None:
    hardly = effects({**SOUND, "same_place/lesion": 0.95, "elsewhere/lesion": 0.75}, noise=0.6)
    assert (hardly["both_places"].answer, hardly["both_places"].because) == ("cannot_tell", "unclear")


@pytest.mark.parametrize(
    ("changed", "answer", "because"),
    [
        ({}, "holds", ""),
        ({"same_place/lesion": 1.0}, "drops", ""),
        ({"same_place/lesion": 1.0, "same_label": 1.0}, "holds", ""),  # moving it costs this in both
        ({"same_label": 7.0}, "cannot_tell", "control_moves"),  # what was left of the other's lesions
    ],
)
def test_answers_of_surroundings(changed: dict[str, float], answer: str, because: str) -> None:
    found = effects({**SOUND, **changed})["surroundings"]
    assert (found.answer, found.because) == (answer, because)


def test_few_patients_cannot_tell() -> None:
    found = effects(SOUND, outputs(patients=4))
    assert {(row.answer, row.because) for row in found.values()} == {("cannot_tell", "few_patients")}


def test_a_wide_interval_cannot_tell() -> None:
    found = effects({**SOUND, "same_place/lesion": 0.5, "elsewhere/lesion": 0.5}, noise=5.0)
    assert (found["same_place"].answer, found["same_place"].because) == ("cannot_tell", "unclear")


NO_SAME_LABEL = {name: logit for name, logit in SOUND.items() if name != "same_label"}


def test_without_versions_the_rows_say_why() -> None:
    def why(found: dict[str, ProbeEffect]) -> list[tuple[str, str, int]]:
        return [(variant, row.because, row.n) for variant, row in found.items()]

    no_image = [("both_places", "no_healthy_image", 0), ("surroundings", "no_healthy_image", 0)]
    assert why(effects({}, outputs(healthy=False))) == no_image
    assert why(effects({})) == [("both_places", "fits_nowhere", 0), ("surroundings", "fits_nowhere", 0)]
    assert effects(NO_SAME_LABEL, outputs(patients=1))["surroundings"].because == "no_other_image"
    assert effects(NO_SAME_LABEL)["both_places"].answer == "follows"


def test_a_lesion_that_fits_nowhere_else_has_no_answer_of_both_places() -> None:
    found = effects({name: logit for name, logit in SOUND.items() if "elsewhere" not in name})
    assert found["same_place"].answer == "follows"
    assert "elsewhere" not in found
    assert (found["both_places"].answer, found["both_places"].because) == ("cannot_tell", "fits_nowhere")
