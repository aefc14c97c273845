from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.review.kappa import cohen_kappa, cohen_table, fleiss_kappa, fleiss_table

PATIENTS = ["b", "a", "b", "c", "c", "a"]


def whole(table: np.ndarray) -> np.ndarray:
    """The sums over all patients, each with weight 1."""
    return np.ones((1, len(table))) @ table


def test_cohen_of_twenty_five_and_fifteen_agreed_of_fifty() -> None:
    """The textbook's 2 × 2 table: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no gives (0.7 - 0.5) / 0.5."""
    given = np.array([[0, 0]] * 20 + [[0, 1]] * 5 + [[1, 0]] * 10 + [[1, 1]] * 15)
    table = cohen_table(given, ["p"] * 50, answers=2)
    assert cohen_kappa(whole(table)) == pytest.approx([0.4])


def test_cohen_agrees_with_scikit_learn() -> None:
    given = np.random.default_rng(3).integers(0, 4, (60, 2))
    given[::2, 1] = given[::2, 0]
    table = cohen_table(given, [str(n % 7) for n in range(60)], answers=4)
    assert table.shape == (7, 16)
    assert cohen_kappa(whole(table)) == pytest.approx([cohen_kappa_score(given[:, 0], given[:, 1])])


def test_cohen_excludes_subjects_without_two_answers() -> None:
    given = np.array([[0, 0], [0, -1], [1, 1], [-1, 1], [0, 1], [1, 1]])
    both = given[[0, 2, 4, 5]]
    table = cohen_table(given, PATIENTS, answers=2)
    assert table.sum() == 4
    assert cohen_kappa(whole(table)) == pytest.approx([cohen_kappa_score(both[:, 0], both[:, 1])])


FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
"""Ten subjects, fourteen raters, five answers: the widely used example, kappa 0.210."""


def test_fleiss_of_the_example_with_fourteen_raters() -> None:
    given = np.array([np.repeat(np.arange(5), counts) for counts in FLEISS])
    table = fleiss_table(given, [str(n) for n in range(10)], answers=5)
    assert fleiss_kappa(whole(table)) == pytest.approx([0.20993], abs=1e-5)


def test_a_subject_with_one_answer_says_nothing_about_agreement() -> None:
    given = np.array([[0, 0, -1], [1, 1, 1], [0, -1, -1], [0, 1, -1], [-1, -1, -1], [1, 1, 0]])
    table = fleiss_table(given, PATIENTS, answers=2)
    assert table[:, 0].sum() == 4
    # pairs agree in 1, 1, 0 and a third of them; answers are 2 + 0 + 1 + 1 of 10 and 6 of 10
    agreed, chance = (1 + 1 + 0 + 1 / 3) / 4, 0.4**2 + 0.6**2
    assert fleiss_kappa(whole(table)) == pytest.approx([(agreed - chance) / (1 - chance)])


def test_where_everybody_always_says_the_same_kappa_is_undefined() -> None:
    given = np.zeros((6, 2), np.intp)
    assert np.isnan(cohen_kappa(whole(cohen_table(given, PATIENTS, answers=4)))).all()
    assert np.isnan(fleiss_kappa(whole(fleiss_table(given, PATIENTS, answers=4)))).all()


def test_a_patient_drawn_twice_counts_twice() -> None:
    given = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0], [1, 1]])
    table = cohen_table(given, PATIENTS, answers=2)
    repeated = np.concatenate([given, given[[1, 5]]])  # the subjects of patient a
    assert cohen_kappa(np.array([[2.0, 1.0, 1.0]]) @ table) == pytest.approx(
        [cohen_kappa_score(repeated[:, 0], repeated[:, 1])]
    )
