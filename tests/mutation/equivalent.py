"""Equivalent mutants, which behave exactly like the original, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from tests.mutation.mutants import Mutant

FIRST_COLUMN = "only the first column is used afterwards"
EMPTY = "the array has no elements as long as one side is 0"
SIGN = "only its sign is used"
BOTH_SIDES = "both sides of each comparison are multiplied by it"
LARGER_SIDE = "it keeps one tail's p-value finite, and the smaller p-value of the other tail is taken"

EQUIVALENT: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "cases/burned_in_text": {
        "display = None if image.display is None or values is None": {
            "or → and": "values are None exactly if the display is None: they are taken from it"
        },
    },
    "cases/case": {
        "NO_TENSOR = np.zeros((0, 0, 0), np.float32)": {
            "0 → 1": EMPTY,
            "0 → 1 (2)": EMPTY,
            "0 → 1 (3)": EMPTY,
        },
    },
    "run/stream": {
        "predictions=tuple(model.classifier.predictions([case_id], explanation.logits[row : row + 1])),": {
            "1 → 2": "one case reads only the first row, and more rows are allowed"
        },
    },
    "statistics/bootstrap": {
        "BLOCK = 500_000": {"500_000 → 500001": "the block size changes no number"},
        "at_once = max(BLOCK // max(len(unit), 1), 1)": {
            "1 → 2": "without rows, a block is empty for any number of draws"
        },
    },
    "statistics/comparison": {
        "return means[:, :1] - means[:, 1:2]": {
            "1 → 2": FIRST_COLUMN,
            "2 → 3": "there are two columns, so one is left from the second on",
        },
        "z = side * float(ndtri(min(beyond, 1 - 1 / (len(draws) + 1)))) - shift": {"1 → 2 (3)": LARGER_SIDE},
        "signs = np.sign(np.round(sums, 9))": {
            "9 → 10": "the sums are whole numbers: their rows hold 0 and 1"
        },
    },
    "statistics/detection": {
        "before = np.pad(at.found, ((0, 0), (1, 0)))": {"0 → 1 (3)": "no column after the last one is read"},
    },
    "statistics/policy": {
        'sign = 1 if side == "least" else -1': {"1 → 2": BOTH_SIDES, "1 → 2 (2)": BOTH_SIDES},
    },
    "statistics/skill": {
        'best, sign = PERFECT[better], 1 if better == "higher" else -1': {"1 → 2": SIGN, "1 → 2 (2)": SIGN},
        "reached, start = means[:, :1], means[:, 1:2]": {"1 → 2": FIRST_COLUMN, "2 → 3": FIRST_COLUMN},
        "return means[:, :1] / np.where(means[:, 1:2] > 0, means[:, 1:2], np.nan)": {
            "1 → 2": FIRST_COLUMN,
            "2 → 3": FIRST_COLUMN,
            "2 → 3 (2)": FIRST_COLUMN,
        },
    },
}
"""Module → start of a source line → change → reason."""


def equivalence(module: str, source: str, mutant: Mutant) -> str | None:
    """Reason why the mutant behaves like the original; None if it is not listed."""
    line = source.splitlines()[mutant.line - 1].strip()
    of_module = EQUIVALENT.get(module, {}).items()
    found = (changes.get(mutant.change) for start, changes in of_module if line.startswith(start))
    return next(filter(None, found), None)
