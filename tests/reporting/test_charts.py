from dataclasses import replace

import pytest

from pipeline.reporting.charts import LEFT, RIGHT, WIDTH, histogram, whisker_chart
from pipeline.reporting.run_folder import Method, read_run
from pipeline.reporting.survey import Survey
from tests.reporting.run_folder import words_of


def test_a_dot_lies_at_its_share_of_the_axis(reported):
    run = read_run(reported)
    chart = whisker_chart(run, "iou", "IoU")
    line = chart.groups[0][2][0]
    row = next(r for r in run.summaries if (r.finding, r.method, r.metric) == ("benign", "gradcam", "iou"))
    assert line.x == pytest.approx(LEFT + row.estimate * (WIDTH - LEFT - RIGHT), abs=0.01)
    assert line.low <= line.x <= line.high
    assert chart.ticks[0] == (LEFT, "0")


def test_the_network_comes_first_and_findings_keep_their_order(reported):
    chart = whisker_chart(read_run(reported), "hit", "Hit rate")
    assert [finding for finding, _, _ in chart.groups] == ["benign", "malignant", "All findings"]
    assert [line.mark for line in chart.groups[0][2]] == ["network", "location_prior", "center_prior"]
    assert "benign: gradcam" in chart.description


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
    chart = whisker_chart(replace(run, summaries=summaries, methods=methods), "hit", "Hit rate")
    assert [(line.mark, line.label) for line in chart.groups[0][2]] == [
        ("network", "gradcam"), ("random", "uniform random"), ("local_contrast", "local contrast")
    ]  # fmt: skip


def test_a_metric_that_nobody_scored_has_no_chart(reported):
    assert whisker_chart(read_run(reported), "lesion_dice", "Lesion Dice") is None


def test_bars_are_as_high_as_their_counts():
    of_run = Survey((), (), {}, {}, {("cam", "f"): (4, 0, 2, *[0] * 8), ("prior", "f"): (1, *[0] * 10)}, {})
    chart = histogram(of_run, "f", network="cam", baseline="prior", title="a prior")
    assert [bar[2] for bar in chart.bars[:3]] == [96, 0, 48]
    assert chart.description == "IoU exactly 0: 4 images, IoU up to 0.2: 2 images"
    assert chart.baseline == "a prior"
    assert chart.steps.startswith("M0 96V72.00H20V96.00H40")
    assert histogram(of_run, "g", network="cam", baseline=None, title="") is None
