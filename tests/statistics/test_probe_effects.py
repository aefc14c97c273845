"""Tests of probe effects: hand-worked falls in SD, AUROC before and after, and what each answer needs."""

import numpy as np
import pytest

from pipeline.records import ProbedOutput
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import Outputs, ProbeEffect
from pipeline.statistics.probe_effects import probe_effects
from pipeline.statistics.region_effects import judging_fill
from tests.statistics.outputs import add_output

RESAMPLING = Resampling(replicates=500)
ASKS = {"lesion": "regions", "frame": "shortcut", "card": "card"}
COUNT = 24


def outputs(logits: list[float], labels: list[int] | None = None) -> Outputs:
    found = Outputs()
    for number, logit in enumerate(logits):
        label = None if labels is None else labels[number]
        add_output(found, f"case-{number}", f"{number:03}", {"mass": logit}, {"mass": label})
    return found


def row(number: int, probe: str, variant: str, logit: float) -> ProbedOutput:
    return ProbedOutput(f"case-{number}", probe, variant, "mass", logit)


def effects(probed: list[ProbedOutput], known: Outputs) -> list[ProbeEffect]:
    seen = {one.probe for one in probed}
    asks = {probe: question for probe, question in ASKS.items() if probe in seen}
    return probe_effects(probed, known, findings=("mass",), asks=asks, resampling=RESAMPLING)


def reasons(probed: list[ProbedOutput], known: Outputs) -> dict[tuple[str, str], tuple[str, str, int]]:
    """(Probe, variant) → answer, its reason and number of images, of all probes."""
    found = probe_effects(probed, known, findings=("mass",), asks=ASKS, resampling=RESAMPLING)
    return {(row.probe, row.variant): (row.answer, row.because, row.n) for row in found}


def replaced(fill: str, *, lesion: float, control: float, noise: float = 0.0) -> list[ProbedOutput]:
    """Outputs of positives at logit 4 without lesion and without control, as falls."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(COUNT // 2):
        rows.append(row(number, "lesion", f"{fill}/lesion", 4 - lesion - noise * random.standard_normal()))
        rows.append(row(number, "lesion", f"{fill}/control", 4 - control))
    return rows


BASE = [row(number, "unchanged", "", 4.0) for number in range(COUNT // 2)]
LOGITS = [4.0] * (COUNT // 2) + [0.0] * (COUNT // 2)
LABELS = [1] * (COUNT // 2) + [0] * (COUNT // 2)
SPREAD = float(np.std(LOGITS, ddof=1))


def test_the_fall_is_worked_out_by_hand() -> None:
    rows = [*BASE, *replaced("inpaint", lesion=3.0, control=0.5, noise=0.2)]
    (found,) = effects(rows, outputs(LOGITS, LABELS))
    mean = float(np.mean([4 - r.logit for r in rows if r.variant == "inpaint/lesion"]))
    assert found.before == pytest.approx(mean / SPREAD)
    assert found.after == pytest.approx(0.5 / SPREAD)
    assert found.estimate == pytest.approx((mean - 0.5) / SPREAD)
    # Positives and negatives lie 4 apart.
    assert found.dose == pytest.approx((mean - 0.5) / 4)
    assert (found.answer, found.n, found.patients, found.measure) == ("used", 12, 12, "log_odds")
    assert found.low is not None
    assert found.low > 1.0


def test_a_fill_that_moves_the_control_leaves_the_answer_to_the_next() -> None:
    rows = [
        *BASE,
        *replaced("inpaint", lesion=3.0, control=2.0, noise=0.2),
        *replaced("clone", lesion=3.0, control=0.1, noise=0.2),
    ]
    inpaint, clone = effects(rows, outputs(LOGITS, LABELS))
    assert (inpaint.variant, inpaint.answer) == ("inpaint", "cannot_tell")
    assert (clone.variant, clone.answer) == ("clone", "used")


def test_only_the_first_sound_fill_answers() -> None:
    rows = [
        *BASE,
        *replaced("inpaint", lesion=0.0, control=0.0, noise=0.2),
        *replaced("clone", lesion=3.0, control=0.1, noise=0.2),
    ]
    assert [e.answer for e in effects(rows, outputs(LOGITS, LABELS))] == ["not_used", "cannot_tell"]


@pytest.mark.parametrize(
    ("lesion", "control", "answer"),
    [
        (3.0, -1.5, "used"),  # the fill raises the output; it falls all the same
        (0.0, -1.5, "cannot_tell"),  # only less than the control's
        (0.5, 0.0, "not_used"),  # 0.24 SD: hardly
        (-3.0, 0.0, "cannot_tell"),  # it rises without the region
    ],
)
def test_what_is_used_falls_without_the_region_whatever_the_fill_raises(
    lesion: float, control: float, answer: str
) -> None:
    (found,) = effects(
        [*BASE, *replaced("inpaint", lesion=lesion, control=control, noise=0.2)], outputs(LOGITS, LABELS)
    )
    assert found.answer == answer


def test_a_wide_interval_cannot_tell() -> None:
    rows = [*BASE, *replaced("inpaint", lesion=0.5, control=0.0, noise=6.0)]
    (found,) = effects(rows, outputs(LOGITS, LABELS))
    assert found.answer == "cannot_tell"


def test_few_patients_cannot_tell() -> None:
    rows = [
        r for r in [*BASE, *replaced("inpaint", lesion=3.0, control=0.0, noise=0.2)] if r.case_id < "case-12"
    ]
    few = {"case-0", "case-1", "case-10", "case-11"}
    (found,) = effects([r for r in rows if r.case_id in few], outputs(LOGITS, LABELS))
    assert (found.answer, found.patients) == ("cannot_tell", 4)


def changed(probe: str, logits: list[float]) -> list[ProbedOutput]:
    base = [row(number, "unchanged", "", logit) for number, logit in enumerate(LOGITS)]
    return base + [row(number, probe, "other", logit) for number, logit in enumerate(logits)]


def test_an_auroc_that_falls_to_chance() -> None:
    flat = [float(number % 2) for number in range(COUNT)]
    noisy = [logit + 0.01 * number for number, logit in enumerate(LOGITS)]
    (found,) = effects(changed("frame", flat), outputs(noisy, LABELS))
    assert (found.before, found.after, found.estimate) == (1.0, 0.5, -0.5)
    assert (found.answer, found.measure, found.n) == ("drops", "auroc", COUNT)


def test_an_auroc_that_rises_with_another_card() -> None:
    flat = [float(number % 2) for number in range(COUNT)]
    base = [row(number, "unchanged", "", logit) for number, logit in enumerate(flat)]
    rows = base + [row(number, "card", "inverted", logit) for number, logit in enumerate(LOGITS)]
    (found,) = effects(rows, outputs(flat, LABELS))
    assert (found.answer, found.before, found.after) == ("rises", 0.5, 1.0)


def test_an_auroc_that_stays() -> None:
    (found,) = effects(changed("frame", LOGITS), outputs(LOGITS, LABELS))
    assert (found.answer, found.estimate) == ("holds", 0.0)


def test_probes_that_could_change_no_image_say_why() -> None:
    assert reasons(BASE, outputs(LOGITS, LABELS)) == {
        ("lesion", ""): ("cannot_tell", "fits_nowhere", 0),
        ("frame", ""): ("cannot_tell", "no_image", 0),
        ("card", ""): ("cannot_tell", "no_image", 0),
    }


def test_an_output_that_is_always_the_same_is_said_to_be() -> None:
    rows = [*BASE, *replaced("inpaint", lesion=0.0, control=0.0)]
    found = reasons(rows, outputs([4.0] * COUNT, LABELS))
    assert found["lesion", ""] == ("cannot_tell", "same_output", 0)


def test_changes_of_images_of_one_class_cannot_tell_and_a_finding_without_labels_has_no_row() -> None:
    rows = [*BASE, *(row(number, "frame", "of_another_image", 4.0) for number in range(COUNT // 2))]
    found = reasons(rows, outputs(LOGITS, [1] * COUNT))
    assert found["frame", "of_another_image"] == ("cannot_tell", "one_class", 0)
    assert reasons(rows, outputs(LOGITS)) == {}


def test_a_probe_without_answer_judges_no_reference() -> None:
    found = probe_effects(BASE, outputs(LOGITS, LABELS), findings=("mass",), asks=ASKS, resampling=RESAMPLING)
    assert judging_fill(found, "mass", "lesion") is None
