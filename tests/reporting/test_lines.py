"""Lines: positions of points in the charts, and the charts' descriptions."""

from pathlib import Path

import pytest

from pipeline.records import Summary
from pipeline.reporting.forest import forest_charts
from pipeline.reporting.lines import (
    BOTTOM,
    HEIGHT,
    LABEL,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    calibration,
    froc,
    thresholds,
)
from pipeline.reporting.run_folder import Method, RunFolder

METHODS = (Method("gradcam", "network", "", "logit"), Method("random", "baseline", "", "relative"))
FLOOR, CEILING = HEIGHT - BOTTOM, TOP


def run(*summaries, **tables):
    return RunFolder(Path(), {"findings": ["nodule"]}, METHODS, summaries, (), (), tables)


def level(level, estimate, *, method="gradcam", reader="A", n="9"):
    return {
        "finding": "nodule", "reader": reader, "method": method, "level": level, "n": n,
        "estimate": str(estimate), "low": str(estimate - 0.1), "high": str(estimate + 0.1),
    }  # fmt: skip


def test_the_axis_ends_above_the_highest_bound_and_points_lie_at_their_share():
    found = thresholds(run(thresholds=(level("0.5", 0.2), level("0.95", 0.1))), "nodule")
    assert found.up == ((FLOOR, "0"), ((FLOOR + CEILING) / 2, "0.2"), (CEILING, "0.4"))
    (series,) = found.series
    assert series.dots[0] == (
        LEFT + 0.5 * (WIDTH - LEFT - RIGHT),
        pytest.approx(FLOOR - 0.5 * (FLOOR - CEILING)),
    )
    assert series.band.endswith("Z")
    assert found.description == "gradcam has its best mean IoU at 0.5 of the maximum, 0.20"


def test_each_line_is_named_beside_its_end_and_names_stay_apart():
    methods = ("random", "gradcam")
    equal = [level("0.5", 0.2, method=method) for method in methods]
    found = thresholds(run(thresholds=equal), "nodule").series
    first, second = sorted(line.label_y for line in found)
    assert second - first == LABEL
    assert {line.name for line in found} == set(methods)
    low = [level("0.5", 0.1, method="gradcam"), level("0.5", 0.0, method="random")]
    names = {line.mark: line.label_y for line in thresholds(run(thresholds=low), "nodule").series}
    assert names["random"] == FLOOR
    assert names["network"] == next(
        line.end[1] for line in thresholds(run(thresholds=low), "nodule").series if line.mark == "network"
    )


def test_baselines_lie_under_the_network_and_have_neither_dots_nor_band():
    rows = (level("0.5", 0.2), level("0.5", 0.1, method="random"))
    below, above = thresholds(run(thresholds=rows), "nodule").series
    assert (below.mark, below.dots, below.band) == ("random", (), "")
    assert above.mark == "network"


def test_thresholds_are_of_the_reader_with_most_images():
    rows = (level("0.5", 0.2), level("0.5", 0.3, reader="B", n="10"))
    assert "0.30" in thresholds(run(thresholds=rows), "nodule").description


def test_without_numbers_there_is_no_chart():
    assert thresholds(run(), "nodule") is None
    assert calibration(run(), "nodule") is None
    assert froc(run(), "nodule") is None
    assert forest_charts(run()) == ()


def test_rates_of_false_positives_double_along_the_axis():
    rates = (("0.125", 0.2), ("1", 0.5), ("8", 0.9))
    rows = [
        Summary("nodule", "A", "gradcam", f"lesion_froc_{rate}", 20, {}, 15, found, found - 0.1, found + 0.1)
        for rate, found in rates
    ]
    chart = froc(run(*rows), "nodule")
    assert [x for x, _ in chart.series[0].dots] == [LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT]
    assert [text for _, text in chart.across] == ["1/8", "1/4", "1/2", "1", "2", "4", "8"]
    assert chart.description == "gradcam finds 50 % of 20 lesions at 1 false positive per image"


def test_calibration_lies_beside_the_diagonal():
    rows = (
        {"finding": "nodule", "predicted": "0.1", "observed": "0.25", "low": "0", "high": "0.5"},
        {"finding": "nodule", "predicted": "0.9", "observed": "1.0", "low": "0.7", "high": "1"},
    )
    chart = calibration(run(calibration=rows), "nodule")
    ideal, network = chart.series
    assert ideal.path == f"M{LEFT} {FLOOR}L{WIDTH - RIGHT} {CEILING}"
    assert network.dots[1] == (pytest.approx(LEFT + 0.9 * (WIDTH - LEFT - RIGHT)), CEILING)
    assert "at a mean probability of 0.10 the finding is present in 25%" in chart.description


def group(attribute, name, estimate, *, p="1", differs="0", few="0", metric="hit"):
    return {
        "finding": "nodule", "reader": "A", "metric": metric, "attribute": attribute, "group": name,
        "n": "12", "patients": "7", "too_few": few, "estimate": estimate, "low": "", "high": "",
        "corrected_p": p, "differs": differs,
    }  # fmt: skip


def test_groups_have_a_line_each_and_the_few_no_number():
    rows = (
        group("sex", "F", "0.5", p="0.01", differs="1"),
        group("sex", "M", "", few="1", p="", differs=""),
        group("view", "PA", "0.5"),
        group("sex", "F", "0.25", metric="iou"),
    )
    (chart,) = forest_charts(run(subgroups=rows))
    ((attribute, lines),) = chart.groups  # one view alone is no comparison
    assert attribute == "sex"
    assert [(line.label, line.mark, line.text, line.n) for line in lines] == [
        ("F", "network", "50 % *", "12"),
        ("M", "none", "too few patients,", "7"),
    ]


def test_groups_have_a_chart_of_pointing_and_one_of_the_auroc():
    rows = [group("sex", name, "0.5", metric=metric) for metric in ("hit", "auroc", "brier") for name in "FM"]
    assert [chart.title for chart in forest_charts(run(subgroups=rows))] == [
        "nodule: Hit rate",
        "nodule: AUROC",
    ]
