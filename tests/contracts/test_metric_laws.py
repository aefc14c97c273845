"""Laws that every registered metric obeys."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts import Metric
from pipeline.errors import CaseError
from pipeline.geometry import whole
from pipeline.metrics import METRICS
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Drawing, Heatmap, Point, Reference, Region, Score

SHAPE = (12, 16)
KINDS = ("mask", "box", "point")


SPACING_MM = (20.0, 30.0)
"""Spacing so large that a shift by one pixel exceeds every tolerance."""


def drawn(row: int, column: int) -> Drawing:
    """A drawing of one region of 4 × 5 pixels, relevance 1 inside and 0 outside, peak in the middle."""
    inside = np.ones((4, 5), np.bool_)
    mask = np.zeros(SHAPE, np.bool_)
    mask[row : row + 4, column : column + 5] = True
    region = Region("case", "nodule", "m", "fraction", 0.6, (row, column), inside, (), 1.0)
    return Drawing((region,), mask, (row + 2, column + 2), heatmap=heatmap(mask))


def heatmap(relevance: object) -> Heatmap:
    return Heatmap("case", "nodule", "m", np.array(relevance, np.float32), "logit", whole(SHAPE))


NOTHING = Drawing((), np.zeros(SHAPE, np.bool_), None)
BLANK = replace(NOTHING, heatmap=heatmap(NOTHING.mask))
IDENTICAL, SHIFTED, APART = drawn(3, 4), drawn(3, 7), drawn(8, 11)


def reference(kind: str, *, present: bool = True) -> Reference:
    """A reference with the region of IDENTICAL, or one that says that the finding is absent."""
    if kind == "mask":
        masks = (IDENTICAL.mask,) if present else ()
        return Reference("case", "nodule", "r", "mask", masks=masks)
    if kind == "point":
        points = (Point(x=6, y=5),) if present else ()
        return Reference("case", "nodule", "r", "point", points=points)
    boxes = (Box(x=3.5, y=2.5, width=5, height=4),) if present else ()
    return Reference("case", "nodule", "r", "box", boxes=boxes)


def scores(metric: Metric, drawing: Drawing, kind: str, *, present: bool = True) -> list[Score]:
    truth = reference(kind, present=present)
    return score_drawing(
        drawing, truth, method="m", shape=SHAPE, spacing_mm=SPACING_MM, metrics=(metric.name,)
    )


def is_of_healthy_images(metric: Metric) -> bool:
    """Whether the metric scores images without the finding rather than localisation."""
    return isinstance(metric.emptiness.healthy_clear, float)


PAIRS = [(name, kind) for name, metric in METRICS.items() for kind in sorted(metric.against)]
"""(metric, kind of reference) for every kind that the metric applies to."""
LOCALISING = [pair for pair in PAIRS if not is_of_healthy_images(METRICS[pair[0]])]
OF_MAPS = [pair for pair in LOCALISING if METRICS[pair[0]].reads == "map"]
PUBLISHED_WITHOUT_MISSES = {"iou_true_positives"}
"""Follows a published protocol, although it rewards a network that draws only where it is sure."""
OF_CONTOURS = [p for p in LOCALISING if p not in OF_MAPS and p[0] not in PUBLISHED_WITHOUT_MISSES]
SHARES = [pair for pair in PAIRS if not METRICS[pair[0]].unit]


def worth(metric: Metric, drawing: Drawing, kind: str) -> float:
    """The score, negated if lower is better; metrics of healthy images get a healthy reference."""
    (row,) = scores(metric, drawing, kind, present=not is_of_healthy_images(metric))
    assert row.value is not None
    return row.value if metric.better == "higher" else -row.value


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_registered_under_its_name(name: str) -> None:
    assert METRICS[name].name == name


@pytest.mark.parametrize("name", METRICS)
def test_direction_unit_and_kinds_are_declared(name: str) -> None:
    metric = METRICS[name]
    assert metric.title
    assert metric.better in {"higher", "lower"}
    assert metric.unit in {"", "mm", "px"}
    assert metric.level in {"image", "lesion"}
    assert metric.reads in {"contours", "peak", "map"}
    assert metric.against
    assert metric.against <= set(KINDS)


@pytest.mark.parametrize("name", METRICS)
def test_what_says_where_is_of_one_kind_so_that_masks_and_boxes_are_never_averaged(name: str) -> None:
    assert is_of_healthy_images(METRICS[name]) or len(METRICS[name].against) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", METRICS)
def test_it_has_rows_for_its_kinds_of_reference_alone(name: str, kind: str) -> None:
    assert bool(scores(METRICS[name], IDENTICAL, kind)) == (kind in METRICS[name].against)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_identical_beats_shifted_and_shifted_is_no_worse_than_apart(name: str, kind: str) -> None:
    metric = METRICS[name]
    best = NOTHING if is_of_healthy_images(metric) else IDENTICAL
    assert worth(metric, best, kind) > worth(metric, SHIFTED, kind) >= worth(metric, APART, kind)


@pytest.mark.parametrize(("name", "kind"), SHARES)
def test_a_perfect_drawing_gets_the_best_share_that_is_possible(name: str, kind: str) -> None:
    metric = METRICS[name]
    best = NOTHING if is_of_healthy_images(metric) else IDENTICAL
    assert worth(metric, best, kind) == (1 if metric.better == "higher" else 0)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_every_kind_of_empty_has_a_value_or_a_reason(name: str, kind: str) -> None:
    for drawing in (IDENTICAL, NOTHING):
        for present in (True, False):
            (row,) = scores(METRICS[name], drawing, kind, present=present)
            assert (row.value is None) == bool(re.fullmatch("[a-z_]+", row.undefined_because))
            assert row.value is None or np.isfinite(row.value)


@pytest.mark.parametrize(("name", "kind"), OF_CONTOURS)
def test_a_miss_is_no_better_than_a_wrong_place(name: str, kind: str) -> None:
    assert worth(METRICS[name], NOTHING, kind) <= worth(METRICS[name], APART, kind)


@pytest.mark.parametrize("name", sorted(PUBLISHED_WITHOUT_MISSES))
def test_what_hides_misses_says_so(name: str) -> None:
    (row,) = scores(METRICS[name], NOTHING, "mask")
    assert row.undefined_because == "nothing_drawn"


@pytest.mark.parametrize(("name", "kind"), OF_MAPS)
def test_a_blank_map_is_worth_less_than_the_right_one_and_no_map_nothing(name: str, kind: str) -> None:
    assert worth(METRICS[name], BLANK, kind) < worth(METRICS[name], IDENTICAL, kind)
    (row,) = scores(METRICS[name], NOTHING, kind)
    assert row.undefined_because == "no_map"


@pytest.mark.parametrize(("name", "kind"), OF_MAPS)
def test_what_a_map_is_worth_does_not_depend_on_the_gate(name: str, kind: str) -> None:
    closed = replace(NOTHING, heatmap=SHIFTED.heatmap)
    assert worth(METRICS[name], closed, kind) == worth(METRICS[name], SHIFTED, kind)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_binary_metric_is_0_or_1_and_a_share_lies_between(name: str, kind: str) -> None:
    metric = METRICS[name]
    for drawing in (IDENTICAL, SHIFTED, APART, NOTHING, BLANK):
        for present in (True, False):
            for row in scores(metric, drawing, kind, present=present):
                assert row.value is None or 0 <= row.value <= (np.inf if metric.unit else 1)
                assert row.value in {None, 0, 1} or not metric.binary


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_score_does_not_depend_on_the_case_before(name: str, kind: str) -> None:
    alone = scores(METRICS[name], SHIFTED, kind)
    scores(METRICS[name], APART, kind)
    assert scores(METRICS[name], SHIFTED, kind) == alone


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_lesions_are_numbered_where_there_are_any(name: str, kind: str) -> None:
    metric = METRICS[name]
    (present,) = scores(metric, IDENTICAL, kind)
    (absent,) = scores(metric, IDENTICAL, kind, present=False)
    assert (present.lesion, absent.lesion) == (1 if metric.level == "lesion" else None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_unlike_grids_are_refused(kind: str) -> None:
    with pytest.raises(CaseError) as caught:
        score_drawing(IDENTICAL, reference(kind), method="m", shape=(SHAPE[1], SHAPE[0]))
    assert caught.value.reason == "mask_size"
