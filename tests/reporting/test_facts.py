from dataclasses import replace

import pytest

from pipeline.records import Skipped
from pipeline.reporting import facts
from pipeline.reporting.limits import limits
from pipeline.reporting.run_folder import Method, read_run
from pipeline.reporting.survey import survey


def test_the_limits_name_the_grid_and_the_boxes(reported):
    run = read_run(reported)
    said = " ".join(limits(run, survey(run)))
    assert "Maps of gradcam have 9 × 12 cells" in said
    assert "Boxes are not masks" in said
    assert "One reader annotated" not in said


def test_of_the_card_only_what_is_known_to_be_harmless_is_shown(reported):
    shown = dict(facts.model(read_run(reported)))
    assert shown["Preprocessing"] == "channels: 3; resize: shorter side 256; crop: 224; intensity: ImageNet"
    assert shown["Weights, SHA-256"] == "ab" * 32
    assert "/nobody" not in str(shown)


def test_the_method_is_told_in_words(reported):
    run = read_run(reported)
    told = dict(facts.method(run, survey(run)))
    assert told["Contours"] == "pixels from 0.6 of the map’s maximum"
    assert told["Gate"] == "findings whose probability reaches the operating point get contours"
    assert told["Left out as smaller"] == "none"
    assert told["Intervals"] == (
        "95 % by bootstrap over patients (percentiles), 500 replicates, seed 0; "
        "Clopper–Pearson for shares where every patient has one image"
    )
    assert told["Map: gradcam"] == "layer features.norm5, 9 × 12 cells, unit: logit"


def test_what_a_baseline_never_saw_is_told(reported):
    run = read_run(reported)
    methods = [
        Method(name, "baseline", "", "relative") for name in ("center_prior", "random", "local_contrast")
    ]
    told = dict(facts.method(replace(run, methods=methods), survey(run)))
    seen = {name: told[f"Baseline: {name}"] for name in ("centre prior", "uniform random", "local contrast")}
    assert seen == {
        "centre prior": "one fixed spot in the middle of every image; never saw the image",
        "uniform random": "a map of random numbers; never saw the image",
        "local contrast": "the contrast of the image itself, without any network; never saw the network",
    }


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("all", "every finding gets contours, predicted positive or not"),
        ("predicted", "findings whose probability reaches the operating point get contours"),
        (
            "annotated",
            (
                "findings that a reader drew get contours, and so do, for contours on healthy images to be "
                "counted, findings whose probability reaches the operating point"
            ),
        ),
    ],
)
def test_the_gate_is_told_as_it_works(reported, gate, words):
    run = read_run(reported)
    run.manifest["contours"]["gate"] = gate
    assert dict(facts.method(run, survey(run)))["Gate"] == words


def test_what_was_dropped_is_told_a_finding_and_method(reported):
    run = read_run(reported)
    counted = {("gradcam", "malignant"): 1, ("gradcam", "benign"): 1200}
    told = dict(facts.method(run, replace(survey(run), dropped=counted)))
    assert told["Left out as smaller"] == "benign, gradcam: 1,200 regions; malignant, gradcam: 1 region"


def test_boxes_are_no_limit_where_there_are_none(reported):
    run = read_run(reported)
    unboxed = tuple(
        replace(row, n=0, estimate=None) if row.metric.startswith("box") else row for row in run.summaries
    )
    said = " ".join(limits(replace(run, summaries=unboxed), survey(run)))
    assert "Boxes are not masks" not in said


def test_emptiness_is_told_in_words(reported):
    told = dict(facts.emptiness(read_run(reported)))
    assert told["IoU"] == [
        "counts as 0",
        "left out: the finding is absent (see contours without the finding)",
        "left out: the finding is absent",
    ]
    assert told["Contours without the finding"] == [
        "left out: the finding is present",
        "counts as 1",
        "counts as 0",
    ]


def test_skipped_are_grouped_the_most_frequent_first():
    skipped = tuple(
        Skipped(name, "loaders", reason, "")
        for name, reason in [("a", "x"), ("b", "no_pixels"), ("c", "no_pixels")]
    )
    assert facts.skipped_groups(skipped) == [("loaders", "no pixels", 2), ("loaders", "x", 1)]


def test_reasons_are_told_in_words():
    skipped = (Skipped("a", "annotations", "ambiguous_image", ""),)
    assert facts.skipped_groups(skipped) == [("annotations", "several files have the name of the image", 1)]


def test_the_card_is_told_without_what_it_leaves_open(reported):
    shown = dict(facts.model(read_run(reported)))
    assert shown["Architecture"] == "class: DenseNet121; arguments: in channels: 3"
