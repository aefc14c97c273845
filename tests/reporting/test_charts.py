from dataclasses import replace

import pytest

from pipeline.records import Summary
from pipeline.reporting import words
from pipeline.reporting.charts import finding_chart, histogram, interval_chart
from pipeline.reporting.run_folder import Method, read_run
from pipeline.reporting.survey import Survey
from tests.reporting.run_folder import words_of


def test_a_dot_lies_at_its_share_of_the_axis(reported):
    run = read_run(reported)
    chart = interval_chart(run, "iou", "IoU")
    line = chart.groups[0][1][0]
    row = next(r for r in run.summaries if (r.finding, r.method, r.metric) == ("benign", "gradcam", "iou"))
    assert line.x == pytest.approx(100 * row.estimate, abs=0.01)
    assert line.low <= line.x <= line.high
    assert (line.text, line.interval, line.n) == (f"{row.estimate:.2f}", words.interval(row), str(row.n))
    assert (chart.ticks[0], chart.ticks[-1]) == ((0, "0"), (100, "1"))


def test_the_network_comes_first_and_findings_keep_their_order(reported):
    chart = interval_chart(read_run(reported), "hit", "Hit rate")
    assert [finding for finding, _ in chart.groups] == ["benign", "malignant", "All findings"]
    assert [line.mark for line in chart.groups[0][1]] == ["network", "location_prior", "center_prior"]


def test_every_baseline_has_its_name_and_its_mark(reported):
    run = read_run(reported)
    summaries = tuple(
        replace(
            row,
            method={"center_prior": "random", "location_prior": "local_contrast"}.get(row.method, row.method),
        )
        for row in run.summaries
    )
    methods = [
        run.methods[0],
        *(Method(name, "baseline", "", "", **words_of(name)) for name in ("random", "local_contrast")),
    ]
    chart = interval_chart(replace(run, summaries=summaries, methods=methods), "hit", "Hit rate")
    assert [(line.mark, line.label) for line in chart.groups[0][1]] == [
        ("network", "gradcam"), ("random", "random map (chance)"), ("local_contrast", "local contrast")
    ]  # fmt: skip


def test_the_first_screens_chart_has_network_readers_and_baselines_on_one_axis(reported):
    run = read_run(reported)
    own = next(r for r in run.summaries if (r.finding, r.method, r.metric) == ("benign", "gradcam", "hit"))
    readers = [
        replace(own, method=f"reader {name}", estimate=0.5, low=0.25, high=0.75)
        for name in ("B", "C", "D", "E")
    ]
    other = Summary("benign", "Z", "gradcam", "hit", own.n - 1, {}, 2, 0.9, 0.8, 1.0)
    chart = finding_chart(replace(run, summaries=(*run.summaries, *readers, other)), "benign", "hit")
    ((name, lines),) = chart.groups
    assert name == ""
    assert [line.mark for line in lines] == ["network", *["reader"] * 3, "location_prior", "center_prior"]
    assert (lines[1].label, lines[1].x, lines[1].low, lines[1].high) == ("reader B", 50, 25, 75)
    assert chart.title == "Hit rate for benign, compared with Reader A"
    assert finding_chart(run, "benign", "point_hit") is None


def test_a_metric_that_nobody_scored_has_no_chart(reported):
    assert interval_chart(read_run(reported), "lesion_dice", "Lesion Dice") is None


def test_bars_are_as_high_as_their_counts():
    of_run = Survey((), (), {}, {}, {("cam", "f"): (4, 0, 2, *[0] * 8), ("prior", "f"): (1, *[0] * 10)}, {})
    chart = histogram(of_run, "f", network="cam", baseline="prior", title="a prior")
    assert [bar[2] for bar in chart.bars[:3]] == [96, 0, 48]
    assert chart.description == "IoU exactly 0: 4 images, IoU up to 0.2: 2 images"
    assert chart.baseline == "a prior"
    assert chart.steps.startswith("M0 96V72.00H20V96.00H40")
    assert histogram(of_run, "g", network="cam", baseline=None, title="") is None
