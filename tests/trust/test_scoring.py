"""Tests of scoring: what counts as seen, named and misblamed, on answers made by hand."""

from __future__ import annotations

import pytest

from tests.trust.audits import Answer, Said
from tests.trust.defects import Defect
from tests.trust.scoring import Seen, Share, half_seen, is_false_alarm, seen, share_of

DEFECT = Defect("set", lambda setup, *_: setup, ("masks",), touches=("nodule", "effusion"))
FEW = Defect("statistics", lambda setup, *_: setup, ("too_few",), touches=("nodule",))
SHOWN = Said("shown")
TWIN = Answer({"nodule": SHOWN, "effusion": Said("too_few")})


def answer(nodule: Said = SHOWN, effusion: Said = TWIN.findings["effusion"]) -> Answer:
    return Answer({"nodule": nodule, "effusion": effusion})


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (answer(), Seen(alarm=False, named=False, misblamed=False)),
        (answer(Said("masks")), Seen(alarm=True, named=True, misblamed=False)),
        (answer(Said("shown", (("alignment", "masks"),))), Seen(alarm=True, named=True, misblamed=False)),
        (answer(Said("shown", (), (("nowhere", "masks"),))), Seen(alarm=False, named=False, misblamed=False)),
        (answer(Said("not_used")), Seen(alarm=True, named=False, misblamed=False)),
        (answer(Said("not_used", (("frame", "network"),))), Seen(alarm=True, named=False, misblamed=True)),
        (answer(Said("shortcut")), Seen(alarm=True, named=False, misblamed=True)),
        (answer(Said("card"), Said("masks")), Seen(alarm=True, named=True, misblamed=True)),
        (answer(Said("too_few")), Seen(alarm=True, named=False, misblamed=False)),
        (Answer(stopped="labels.csv: a mask, but"), Seen(alarm=True, named=True, misblamed=False)),
        (Answer(stopped="weights: not finite"), Seen(alarm=True, named=False, misblamed=False)),
    ],
)
def test_a_defect_is_seen_named_and_misblamed(found: Answer, wanted: Seen) -> None:
    assert seen(DEFECT, found, TWIN) == wanted


def test_a_study_set_that_cannot_tell_is_named_by_that() -> None:
    assert seen(FEW, answer(Said("too_few")), TWIN) == Seen(alarm=True, named=True, misblamed=False)


def test_an_untouched_finding_can_be_misblamed_but_names_nothing() -> None:
    other = Answer({"nodule": SHOWN, "effusion": SHOWN, "mass": Said("labels", (("order", "masks"),))})
    assert seen(DEFECT, other, TWIN) == Seen(alarm=False, named=False, misblamed=True)


def test_false_alarms_are_accusations_of_clean_setups() -> None:
    assert not is_false_alarm(answer(Said("shown", (("copies", "too_few"),), (("order", "labels"),))))
    assert is_false_alarm(answer(Said("not_shown")))
    assert is_false_alarm(answer(Said("not_used")))
    assert is_false_alarm(answer(Said("shown", (("frame", "network"),))))
    assert is_false_alarm(Answer(stopped="no"))


def test_shares_have_exact_intervals() -> None:
    assert share_of([True, True, False]) == Share(2, 3)
    assert Share(10, 10).text() == "10/10 1.00 [.69, 1.00]"  # .025 ** (1 / 10)
    assert Share(0, 0).text() == "-"


def test_half_is_seen_at_the_first_dose_of_which_at_least_half_is() -> None:
    assert half_seen([(0.3, Share(0, 2)), (0.6, Share(1, 2)), (1.0, Share(2, 2))]) == 0.6
    assert half_seen([(0.3, Share(0, 2))]) is None
