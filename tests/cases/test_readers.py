from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from numpy.random import Generator
from scipy.ndimage import gaussian_filter, label

from pipeline.cases.readers import (
    MOST_READERS,
    NEIGHBOURS,
    READERS_SAMPLED,
    as_drawing,
    deepest_pixel,
    sampling_cautions,
    score_readers,
)
from pipeline.errors import CaseError
from pipeline.metrics import METRICS
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Kind, Mask, Point, Reference, Score, Tolerances, scored_as
from tests.metrics.samples import boxes, drawing, mask, masks

FOUR = mask("####", "....", "....")
TWO = mask("##..", "....", "....")
ONE = mask("....", "....", "...#")
SHAPE = (3, 4)


def reader(name: str, reference: Reference) -> Reference:
    return replace(reference, reader=name)


def scores(*references: Reference, metric: str = "iou") -> dict[tuple[str, str], float | str | None]:
    """(method, reader) → value or reason."""
    rows = score_readers(references, shape=SHAPE, spacing_mm=(1, 1), metrics=(metric,))
    return {(row.method, row.reader): row.undefined_because or row.value for row in rows}


def test_each_reader_is_scored_against_each_other_one() -> None:
    anna, ben, eva = (reader(name, masks(m)) for name, m in (("anna", FOUR), ("ben", TWO), ("eva", ONE)))
    assert scores(anna, ben, eva) == {
        ("reader anna", "ben"): 0.5,
        ("reader ben", "anna"): 0.5,
        ("reader anna", "eva"): 0,
        ("reader eva", "anna"): 0,
        ("reader ben", "eva"): 0,
        ("reader eva", "ben"): 0,
    }


def test_the_method_is_scored_and_the_reader_is_the_truth() -> None:
    found = scores(reader("anna", masks(FOUR)), reader("ben", masks(TWO)), metric="recall")
    assert found == {("reader ben", "anna"): 0.5, ("reader anna", "ben"): 1}


def test_a_reader_who_sees_nothing_misses_as_the_network_would() -> None:
    found = scores(reader("anna", masks(FOUR)), reader("ben", masks()))
    assert found == {
        ("reader ben", "anna"): 0,
        ("reader anna", "ben"): "counted_as_contour_on_healthy",
    }
    healthy = scores(reader("anna", masks(FOUR)), reader("ben", masks()), metric="contour_on_healthy")
    assert healthy == {("reader anna", "ben"): 1, ("reader ben", "anna"): "finding_present"}


def test_findings_and_masks_and_boxes_are_not_mixed() -> None:
    anna = reader("anna", masks(FOUR))
    assert scores(anna, replace(reader("ben", masks(TWO)), finding="effusion")) == {}
    assert score_readers([anna, reader("ben", boxes(Box(0, 0, 1, 1)))], shape=SHAPE) == []
    assert scores(anna) == {}


def test_what_needs_a_map_has_no_row() -> None:
    rows = score_readers(
        [reader("anna", masks(FOUR)), reader("ben", masks(TWO))], shape=SHAPE, metrics=tuple(METRICS)
    )
    assert not {row.metric for row in rows} & {"energy_inside", "pixel_auroc"}
    assert {"iou", "hd95", "panoptic_quality"} <= {row.metric for row in rows}


def test_instances_stay_apart() -> None:
    two = reader("anna", masks(TWO, ONE))
    found = score_readers([two, reader("ben", masks(TWO, ONE))], shape=SHAPE, metrics=("lesion_iou",))
    assert [(row.reader, row.lesion, row.value) for row in found] == [
        ("ben", 1, 1.0),
        ("ben", 2, 1.0),
        ("anna", 1, 1.0),
        ("anna", 2, 1.0),
    ]
    assert found[0] == Score("case", "nodule", "ben", "reader anna", "lesion_iou", 1.0, lesion=1)


def test_boxes_of_whole_pixels_are_scored_exactly() -> None:
    anna, ben = reader("anna", boxes(Box(-0.5, -0.5, 2, 2))), reader("ben", boxes(Box(0.5, -0.5, 2, 2)))
    assert scores(anna, ben, metric="box_iou") == {
        ("reader anna", "ben"): pytest.approx(1 / 3),
        ("reader ben", "anna"): pytest.approx(1 / 3),
    }


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(x=0.5, y=0.5, width=2, height=1), ["....", ".##.", "...."]),
        (Box(x=0.9, y=-0.2, width=1.3, height=0.7), [".##.", "....", "...."]),
        (Box(x=2.2, y=1.2, width=0.4, height=0.4), ["....", "....", "...#"]),
        (Box(x=9, y=9, width=1, height=1), ["....", "....", "...#"]),
        (Box(x=-5, y=-5, width=20, height=20), ["####", "####", "####"]),
    ],
    ids=["whole pixels", "centres inside", "between centres: the next", "beyond the image", "around it"],
)
def test_a_box_is_the_pixels_whose_centres_it_holds_at_least_one(box: Box, inside: list[str]) -> None:
    drawn = as_drawing(boxes(box), SHAPE)
    np.testing.assert_array_equal(drawn.mask, mask(*inside))
    assert len(drawn.regions) == 1


def test_a_reader_points_at_the_deepest_pixel_of_the_largest_lesion() -> None:
    large, small = mask("###..", "###..", "###.."), mask(".....", ".....", "....#")
    assert deepest_pixel(drawing(small, large).regions) == (1, 1)
    assert deepest_pixel([]) is None
    everything = mask("###", "###", "###")
    assert deepest_pixel(drawing(everything).regions) == (
        1,
        1,
    )  # what lies beyond the image counts as outside


def test_a_reader_hits_where_the_other_drew_that_pixel() -> None:
    anna, ben = reader("anna", masks(FOUR)), reader("ben", masks(ONE))
    assert scores(anna, ben, metric="hit") == {("reader anna", "ben"): 0, ("reader ben", "anna"): 0}
    eva = reader("eva", masks(TWO))
    assert scores(anna, eva, metric="hit") == {("reader anna", "eva"): 1, ("reader eva", "anna"): 1}


def test_readers_who_drew_the_same_box_agree_though_it_ends_between_pixels() -> None:
    box = Box(0.3, 0.3, 1.4, 1.4)
    found = scores(reader("anna", boxes(box)), reader("ben", boxes(box)), metric="box_iou")
    assert found == {("reader anna", "ben"): 1, ("reader ben", "anna"): 1}


@pytest.mark.parametrize(
    ("x", "y", "pixel"),
    [(2.4, 0.6, (1, 2)), (-3.0, 1.0, (1, 0)), (1.0, -3.0, (0, 1)), (9.0, 1.0, (1, 3)), (1.0, 9.0, (2, 1))],
)
def test_a_point_is_the_pixel_around_it_within_the_image(x: float, y: float, pixel: tuple[int, int]) -> None:
    reference = Reference("case", "nodule", "anna", "point", points=(Point(x, y), Point(0, 0)))
    drawn = as_drawing(reference, SHAPE)
    assert (drawn.peak, drawn.regions, drawn.mask.any()) == (pixel, (), False)


def test_a_reference_as_a_drawing_is_a_region_an_instance_and_names_who_drew_it() -> None:
    box = Box(x=0.5, y=0.5, width=2, height=1)
    reference = replace(masks(TWO, ONE), case_id="case-7", reader="anna", boxes=(box,))
    drawn = as_drawing(reference, SHAPE)
    np.testing.assert_array_equal(drawn.mask, mask("##..", ".##.", "...#"))
    assert [(region.corner, region.mask.shape, region.drawn) for region in drawn.regions] == [
        ((0, 0), (1, 2), None),
        ((2, 3), (1, 1), None),
        ((1, 1), (1, 2), box),
    ]
    assert {(r.case_id, r.finding, r.method, r.outlines) for r in drawn.regions} == {
        ("case-7", "nodule", "reader anna", ())
    }
    assert drawn.heatmap is None


def test_instances_of_a_reader_are_equally_sure_and_were_drawn_at_no_level() -> None:
    regions = as_drawing(masks(FOUR, ONE), SHAPE).regions
    assert [(region.rule, region.level, region.peak) for region in regions] == [("", 0, 1)] * 2


def test_a_reader_is_not_scored_against_another_word_of_his_own() -> None:
    assert scores(reader("anna", masks(FOUR)), reader("anna", masks(TWO))) == {}


def test_a_polygon_is_scored_against_a_mask() -> None:
    found = scores(reader("anna", masks(FOUR)), replace(reader("ben", masks(TWO)), kind="polygon"))
    assert found == {("reader anna", "ben"): 0.5, ("reader ben", "anna"): 0.5}


def random_masks(random: Generator, shape: tuple[int, int]) -> tuple[Mask, ...]:
    """None, one or several instances, some of which touch the border, overlap, or fill the image."""
    field = gaussian_filter(random.standard_normal(shape), random.uniform(0.5, 4))
    inside = field >= np.quantile(field, random.choice([0, 0.6, 0.9, 0.98]))
    parts, count = label(inside)
    found = [parts == number for number in range(1, min(count, 4) + 1)]
    return tuple([[], [inside], found, [*found, found[0] | found[-1]]][random.integers(4)])


def random_reader(random: Generator, name: str, finding: str, shape: tuple[int, int]) -> Reference:
    kind: Kind = random.choice(["mask", "mask", "polygon", "box", "point"])
    count, (height, width) = random.integers(4), shape
    corners = random.uniform(-3, (width, height), (count, 2))
    return Reference(
        "case",
        finding,
        name,
        kind,
        masks=random_masks(random, shape) if scored_as(kind) == "mask" else (),
        boxes=tuple(Box(*at, *random.uniform(0.2, 20, 2)) for at in corners) if kind == "box" else (),
        points=tuple(Point(*at) for at in corners) if kind == "point" else (),
    )


def pair_by_pair(readers: list[Reference], shape: tuple[int, int], **options: object) -> Iterator[Score]:
    """The scores of readers, where nothing that is known of one pair is used for another."""
    for one, truth in permutations(readers, 2):
        if one.finding == truth.finding and scored_as(one.kind) == scored_as(truth.kind):
            yield from score_drawing(
                as_drawing(one, shape), truth, method=f"reader {one.reader}", shape=shape, **options
            )  # type: ignore[arg-type]


@pytest.mark.parametrize("spacing_mm", [None, (0.3, 0.7)], ids=["in pixels", "in mm"])
@pytest.mark.parametrize("surface", ["border_pixel", "surfel"])
def test_what_pairs_share_changes_no_number(spacing_mm: tuple[float, float] | None, surface: str) -> None:
    random = np.random.default_rng(11)
    metrics = tuple(name for name in METRICS if METRICS[name].reads != "map")
    for _ in range(12):
        shape = (int(random.integers(4, 40)), int(random.integers(4, 40)))
        readers = [
            random_reader(random, f"r{number}", finding, shape)
            for number in range(5)
            for finding in ("nodule", "effusion")[: random.integers(1, 3)]
        ]
        options = {
            "spacing_mm": spacing_mm,
            "metrics": metrics,
            "tolerances": Tolerances(surface=surface),  # type: ignore[arg-type]
        }
        found = score_readers(readers, shape=shape, **options)  # type: ignore[arg-type]
        assert found == list(pair_by_pair(readers, shape, **options))


def test_the_deepest_pixel_is_that_of_the_whole_image() -> None:
    random = np.random.default_rng(2)
    for _ in range(40):
        inside = gaussian_filter(random.standard_normal((30, 20)), 3) > random.uniform(-0.1, 0.1)
        nearest = [
            (min(np.hypot(*(np.argwhere(~np.pad(inside, 1)) - pixel - 1).T)), *(-pixel))
            for pixel in np.argwhere(inside)
        ]
        _, row, column = max(nearest)  # the first in the order of reading, of several
        assert deepest_pixel(drawing(inside).regions) == (-row, -column)


def test_a_mask_of_another_size_is_refused() -> None:
    odd = reader("ben", masks(mask("##", "##")))
    with pytest.raises(CaseError, match="reference mask has 2 × 2 pixels, but the image has 3 × 4"):
        score_readers([reader("anna", masks(FOUR)), odd], shape=SHAPE)


def crowd(count: int) -> list[Reference]:
    return [reader(f"r{number}", masks(FOUR if number % 2 else TWO)) for number in range(count)]


def test_up_to_a_number_of_readers_each_is_scored_against_each_other_one() -> None:
    readers = crowd(MOST_READERS)
    rows = score_readers(readers, shape=SHAPE, metrics=("iou",))
    assert [(row.method, row.reader) for row in rows] == [
        (f"reader {one.reader}", truth.reader) for one, truth in permutations(readers, 2)
    ]
    assert list(sampling_cautions(readers)) == []


@pytest.mark.parametrize("count", [MOST_READERS + 1, 2 * MOST_READERS + 7])
def test_of_more_readers_each_is_scored_and_is_the_truth_equally_often_which_is_told(count: int) -> None:
    readers = crowd(count)
    rows = score_readers(readers, shape=SHAPE, metrics=("iou",))
    pairs = {(row.method, row.reader) for row in rows}
    assert len(pairs) == len(rows) == count * 2 * NEIGHBOURS
    assert set(Counter(method for method, _ in pairs).values()) == {2 * NEIGHBOURS}
    assert set(Counter(truth for _, truth in pairs).values()) == {2 * NEIGHBOURS}
    assert rows == score_readers(readers, shape=SHAPE, metrics=("iou",))
    (caution,) = sampling_cautions(readers)
    assert (caution.reason, f"{count} readers" in caution.message) == (READERS_SAMPLED, True)


def test_readers_of_different_findings_are_no_crowd() -> None:
    half = crowd(MOST_READERS)
    assert list(sampling_cautions([*half, *(replace(one, finding="effusion") for one in half)])) == []
