"""Defects: every planted fault, whom it should be blamed on, and its clean twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np

from pipeline.phantoms.lesions import FINDINGS
from pipeline.records import Suspect
from tests.trust import breast, cards, few, shortcuts, study_sets, weights
from tests.trust.setups import Setup

Family: TypeAlias = Literal["weights", "card", "set", "shortcut", "statistics", "breast"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Plant: TypeAlias = Callable[[Setup, np.random.Generator, float], Setup]
Twin: TypeAlias = Callable[[Setup, np.random.Generator], Setup]
LESIONS = FINDINGS[:3]
"""The findings whose lesions are small enough that a control region fits beside them."""


@dataclass(frozen=True)
class Defect:
    """A fault as a function of a seed and a dose."""

    family: Family
    plant: Plant
    suspects: tuple[Suspect, ...]
    """Any of them is the right name."""
    doses: tuple[float, ...] = (1.0,)
    """In rising order; the last one is the full dose."""
    touches: tuple[str, ...] = LESIONS
    """The findings that it makes wrong."""
    twin: str = "plain"
    """Name of the clean setup that it is compared with."""


TWINS: Mapping[str, Twin] = {
    "plain": lambda setup, _rng: setup,
    "slightly_other": weights.slightly_other,
    "mirrored": cards.all_mirrored,
    "reordered": cards.all_reordered,
    "scaled": cards.all_scaled,
    "pairs": few.more_films_of_patients,
    **{f"{name}_anywhere": partial(shortcuts.irrelevant, name) for name in shortcuts.MARKS},
    "breast_plain": lambda setup, _rng: setup,
    "breast_marker_anywhere": partial(shortcuts.irrelevant, "marker"),
}
"""Setups in which nothing is wrong."""

_ONE = (shortcuts.FINDING,)
DEFECTS: Mapping[str, Defect] = {
    "random_head": Defect("weights", weights.random_head, ("weights",), twin="slightly_other"),
    "random_top": Defect("weights", weights.random_top, ("weights",), (2.0, 3.0, 4.0), twin="slightly_other"),
    "other_head": Defect("weights", weights.head_of_another_training, ("weights",), twin="slightly_other"),
    "layer_scaled": Defect(
        "weights", weights.layer_scaled, ("weights",), (3.0, 10.0, 100.0), twin="slightly_other"
    ),
    "layer_zeroed": Defect(
        "weights",
        lambda setup, rng, _: weights.layer_scaled(setup, rng, 0.0),
        ("weights",),
        twin="slightly_other",
    ),
    "garbage": Defect("weights", weights.garbage, ("weights",), (0.0001, 0.001, 0.01), twin="slightly_other"),
    "z_score": Defect("card", cards.z_score, ("card",), touches=FINDINGS[:2], twin="scaled"),
    "range_1024": Defect("card", cards.range_1024, ("card",), touches=FINDINGS, twin="scaled"),
    "inverted": Defect("card", cards.inverted, ("card",), touches=FINDINGS),
    "upside_down": Defect("card", cards.upside_down, ("card",), touches=("effusion",)),
    "mirrored": Defect("card", cards.mirrored, ("card",), touches=("cardiomegaly",), twin="mirrored"),
    "cropped": Defect("card", cards.cropped, ("card",), (0.8, 0.6, 0.4), touches=FINDINGS),
    "wide_window": Defect("card", cards.wide_window, ("card",), (1.5, 2.0, 3.0), touches=FINDINGS),
    "other_order": Defect("card", cards.other_order, ("labels", "card"), touches=FINDINGS, twin="reordered"),
    "softmax": Defect("card", cards.other_activation, ("card",), touches=FINDINGS),
    "labels": Defect("set", study_sets.labels_shuffled, ("labels",), (0.05, 0.15, 0.3, 1.0)),
    "masks_others": Defect("set", study_sets.masks_of_others, ("masks",), (0.3, 0.6, 1.0), FINDINGS[:2]),
    "masks_shifted": Defect("set", study_sets.masks_shifted, ("masks",), (0.03, 0.06, 0.1), FINDINGS[:2]),
    "masks_mirrored": Defect("set", study_sets.masks_mirrored, ("masks",)),
    "masks_transposed": Defect("set", study_sets.masks_transposed, ("masks",)),
    "masks_renamed": Defect("set", study_sets.masks_of_another_finding, ("masks", "labels")),
    "masks_dilated": Defect("set", study_sets.masks_dilated, ("masks",), (2.0, 4.0, 9.0), FINDINGS[:2]),
    **{
        name: Defect(
            "shortcut",
            partial(shortcuts.learnt, name),
            ("network",),
            (0.6, 0.8, 1.0),
            _ONE,
            f"{name}_anywhere",
        )
        for name in shortcuts.MARKS
    },
    "few_patients": Defect("statistics", few.few_patients, ("too_few",), (24.0, 12.0, 6.0)),
    "copies": Defect("statistics", few.copies_as_patients, ("too_few",), (16.0, 8.0), twin="pairs"),
    "maker_inverted": Defect("statistics", few.one_maker_inverted, ("card", "network")),
    "one_class": Defect("statistics", few.one_class, ("too_few", "labels"), touches=("nodule",)),
    "breast_mirrored": Defect(
        "breast", study_sets.masks_mirrored, ("masks",), touches=breast.TOLD, twin="breast_plain"
    ),
    "breast_shifted": Defect(
        "breast", study_sets.masks_shifted, ("masks",), (0.1,), breast.TOLD, "breast_plain"
    ),
    "breast_others": Defect(
        "breast", study_sets.masks_of_others, ("masks",), touches=breast.TOLD, twin="breast_plain"
    ),
    "breast_swapped": Defect(
        "breast", cards.other_order, ("labels", "card"), touches=breast.FINDINGS, twin="breast_plain"
    ),
    "breast_random_head": Defect(
        "breast", weights.random_head, ("weights",), touches=breast.FINDINGS, twin="breast_plain"
    ),
    "breast_marker": Defect(
        "breast", breast.marker_learnt, ("network",), touches=breast.TOLD, twin="breast_marker_anywhere"
    ),
}
"""Name → defect, in the order of tables."""


def is_of_breast(name: str) -> bool:
    """Whether a defect or twin is one of the breast set, which is audited only where its folder is given."""
    return name.startswith("breast_")


def rng_of(name: str, seed: int) -> np.random.Generator:
    """The random numbers of a defect or twin and a seed."""
    return np.random.default_rng([seed, *name.encode()])
