from dataclasses import replace

import pytest

from pipeline.records import Skipped
from pipeline.reporting import facts
from pipeline.reporting.limits import limits
from pipeline.reporting.run_folder import Method, read_run
from pipeline.reporting.survey import survey
from tests.reporting.run_folder import words_of


def test_the_limits_name_the_grid_and_the_boxes(reported):
    run = read_run(reported)
    text = " ".join(limits(run, survey(run)))
    assert "Maps of gradcam have 9 × 12 cells" in text
    assert "Boxes are not masks" in text
    assert "Only one reader annotated" not in text


def test_of_the_card_only_what_is_known_to_be_harmless_is_shown(reported):
    shown = dict(facts.model(read_run(reported)))
    assert shown["Preprocessing"] == "channels: 3; resize: shorter side 256; crop: 224; intensity: ImageNet"
    assert shown["Weights"] == "path"
    assert shown["Weights, SHA-256"] == "ab" * 32
    assert "/nobody" not in str(shown)


def test_an_onnx_file_takes_the_place_of_class_and_weights(reported):
    run = read_run(reported)
    card = {**run.manifest["card"], "weights": None, "architecture": {"onnx": "network.onnx"}}
    shown = dict(facts.model(replace(run, manifest={**run.manifest, "card": card})))
    assert shown["ONNX file"] == "network.onnx"
    assert shown["ONNX file, SHA-256"] == "ab" * 32
    assert not {"Weights", "Weights, SHA-256", "Architecture"} & shown.keys()


@pytest.mark.parametrize(
    ("activation", "explained"),
    [
        ("sigmoid", "the log-odds of each finding, which are its logit"),
        ("none", "the network’s output, which is a probability"),
        (None, None),
    ],
)
def test_what_the_maps_are_of_is_stated(reported, activation, explained):
    run = read_run(reported)
    run = replace(run, manifest={**run.manifest, "card": {"activation": activation}})
    assert dict(facts.model(run)).get("Explained") == explained


def test_the_method_is_described_in_words(reported):
    run = read_run(reported)
    shown = dict(facts.method(run, survey(run)))
    assert shown["Contours"] == "pixels at or above 0.6 of the map’s maximum"
    assert shown["Gate"] == "findings whose probability reaches the operating point get contours"
    assert shown["Too small, left out"] == "none"
    assert shown["Intervals"] == (
        "95 % by bootstrap over patients (percentiles), 500 replicates, seed 0; "
        "Clopper–Pearson for shares if every patient has one image"
    )
    assert shown["Map: gradcam"] == "layer features.norm5, 9 × 12 cells, unit: logit"


def test_what_a_baseline_never_saw_is_reported(reported):
    run = read_run(reported)
    methods = [
        Method(name, "baseline", "", "relative", **words_of(name))
        for name in ("center_prior", "random", "local_contrast")
    ]
    shown = dict(facts.method(replace(run, methods=methods), survey(run)))
    seen = {name.removeprefix("Baseline: "): text for name, text in shown.items() if "Baseline" in name}
    assert seen == {
        "image centre (center_prior)": "the image centre, the same spot in every image; never saw the image",
        "random map (random)": "a random map; never saw the image",
        "local contrast": "the contrast of the image itself, without any network; never saw the network",
    }


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("all", "every finding gets contours, whether predicted or not"),
        ("predicted", "findings whose probability reaches the operating point get contours"),
        (
            "annotated",
            (
                "annotated findings get contours; so do findings whose probability reaches the operating "
                "point, so that contours on healthy images are counted"
            ),
        ),
    ],
)
def test_the_gate_is_described_as_it_works(reported, gate, words):
    run = read_run(reported)
    for rule in run.manifest["contours"]["rules"].values():
        rule["gate"] = gate
    assert dict(facts.method(run, survey(run)))["Gate"] == words


def test_dropped_regions_are_counted_per_finding_and_method(reported):
    run = read_run(reported)
    counted = {("gradcam", "malignant"): 1, ("gradcam", "benign"): 1200}
    shown = dict(facts.method(run, replace(survey(run), dropped=counted)))
    assert shown["Too small, left out"] == "benign, gradcam: 1,200 regions; malignant, gradcam: 1 region"


def test_boxes_are_no_limit_where_there_are_none(reported):
    run = read_run(reported)
    unboxed = tuple(
        replace(row, n=0, estimate=None) if row.metric.startswith("box") else row for row in run.summaries
    )
    text = " ".join(limits(replace(run, summaries=unboxed), survey(run)))
    assert "Boxes are not masks" not in text


def test_scores_of_empty_masks_are_described_in_words(reported):
    shown = dict(facts.emptiness(read_run(reported)))
    assert shown["IoU"] == [
        "counts as 0",
        "left out: the finding is absent (see false positives)",
        "left out: the finding is absent",
    ]
    assert shown["False positives"] == [
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


def test_reasons_are_given_in_words():
    skipped = (Skipped("a", "annotations", "ambiguous_image", ""),)
    assert facts.skipped_groups(skipped) == [("annotations", "several files have the name of the image", 1)]


def test_the_card_is_shown_without_its_empty_fields(reported):
    shown = dict(facts.model(read_run(reported)))
    assert shown["Architecture"] == "class: DenseNet121; arguments (in channels: 3)"


def test_rules_that_differ_are_listed_per_finding(reported):
    run = read_run(reported)
    own = run.manifest["contours"]["rules"]["malignant"]
    own |= {"words": "pixels above Otsu’s threshold", "filled": True, "probability": 0.3}
    shown = dict(facts.method(run, survey(run)))
    assert shown["Contours: benign"] == "pixels at or above 0.6 of the map’s maximum"
    assert shown["Contours: malignant"] == "pixels above Otsu’s threshold, with holes filled"
    assert shown["Gate: malignant"] == "findings whose probability reaches 0.3 get contours"
