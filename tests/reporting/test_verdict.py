from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.records import Summary
from pipeline.reporting.run_folder import Method, RunFolder
from pipeline.reporting.verdict import gate_note, verdict
from pipeline.statistics.verdict import Evidence, verdict_rows
from tests.reporting.run_folder import words_of

NETWORK = Method("gradcam", "network", "last", "logit")
PRIOR = Method("location_prior", "baseline", "", "relative", **words_of("location_prior"))
CENTRE = Method("center_prior", "baseline", "", "relative", **words_of("center_prior"))


def row(method, metric, estimate, low, high, *, n=42, patients=30, reader="A"):
    return Summary("malignant", reader, method, metric, n, {}, patients, estimate, low, high)


def paired(difference, low, high, p, *, metric="hit", second="location_prior", patients=30):
    return {
        "finding": "malignant", "reader": "A", "metric": metric, "first": "gradcam", "second": second,
        "patients": patients, "difference": difference, "difference_low": low, "difference_high": high,
        "corrected_p": p,
    }  # fmt: skip


def judged(*rows, comparisons=(), methods=(NETWORK, PRIOR, CENTRE)):
    """The verdict on a finding, computed from these rows, stored, and read back."""
    network = [method.name for method in methods if not method.is_baseline]
    baselines = [method.name for method in methods if method.is_baseline]
    stored = verdict_rows(Evidence(rows, comparisons, network, baselines), ["malignant"])
    texts = [{k: "" if v is None else str(v) for k, v in asdict(one).items()} for one in stored]
    tables = {"verdict": tuple(texts), "comparisons": tuple(row for row in comparisons if "p" in row)}
    run = RunFolder(Path(), {"findings": ["malignant"]}, methods, rows, (), (), tables)
    return verdict(run, "malignant")


HITS = (row("gradcam", "hit", 0.238, 0.12, 0.5), row("location_prior", "hit", 0.667, 0.34, 0.86))


def test_a_shown_difference_reads_worse_though_the_intervals_overlap():
    found = judged(*HITS, comparisons=[paired(-0.429, -0.62, -0.2, 0.012)])
    assert found.standing == "worse"
    assert found.title == "pointing worse than a baseline"
    assert found.sentences[0].text == (
        "The network points at the lesion in 24 % [12 to 50] of 42 images; the mean mask, the same for every "
        "image, does so in 67 % [34 to 86]. The network looks in the right place less often than a "
        "map that never saw the image: difference on the same images −43 points [−62 to −20], corrected p = "
        "0.012."
    )


def test_a_shown_difference_above_the_fixed_mask_reads_better():
    found = judged(*HITS, comparisons=[paired(0.3, 0.1, 0.5, 0.05)])
    assert found.standing == "better"
    assert found.sentences[0].text.endswith(
        "more often than a map that never saw the image: difference on the same images +30 points "
        "[+10 to +50], corrected p = 0.050."
    )


def test_a_difference_that_is_not_significant_is_not_reported_as_one():
    found = judged(*HITS, comparisons=[paired(-0.2, -0.4, 0.0, 0.051)])
    assert found.standing == "no_better"
    assert found.sentences[0].text.endswith(
        "This is not shown to be better than a map that never saw the image: "
        "difference on the same images −20 points [−40 to 0], corrected p = 0.051."
    )


@pytest.mark.parametrize(
    ("own", "why"),
    [(0.03, "all findings tested (Holm), is above 0.05."), (0.06, "for the exact sign test behind p.")],
)
def test_a_difference_apart_from_0_is_never_called_not_shown(own, why):
    apart = paired(0.46, 0.14, 0.79, 0.063)
    found = judged(*HITS, comparisons=[apart | {"p": str(own)}])
    assert (found.standing, found.title) == ("no_better", "pointing better, not confirmed")
    text = found.sentences[0].text
    assert f"+46 points [+14 to +79], p = {own:.3f}, corrected p = 0.063. The interval" in text
    assert "not shown" not in text
    assert text.endswith(why)
    below = judged(*HITS, comparisons=[paired(-0.46, -0.79, -0.14, 0.063)])
    assert below.title == "pointing worse, not confirmed"


@pytest.mark.parametrize(
    "comparisons", [(), (paired(0, 0, 0, None),), (paired(-1, -1, -1, 0.01, patients=9),)]
)
def test_without_a_test_or_with_few_patients_nothing_is_judged(comparisons):
    found = judged(*HITS, comparisons=comparisons)
    assert found.standing == "unknown"
    assert found.sentences[0].text.endswith("The data are too few to tell the two apart (30 patients).")


def test_the_strongest_fixed_map_is_the_one_to_beat():
    found = judged(
        row("gradcam", "hit", 0.6, 0.5, 0.7),
        row("location_prior", "hit", 0.3, 0.2, 0.4),
        row("center_prior", "hit", 0.8, 0.75, 0.9),
        comparisons=[paired(0.3, 0.1, 0.5, 0.01), paired(-0.2, -0.3, -0.1, 0.01, second="center_prior")],
    )
    assert found.standing == "worse"
    assert (
        "the image centre, the same spot in every image, does so in 80 % [75 to 90]"
        in found.sentences[0].text
    )


def test_a_finding_stands_where_its_less_favourable_sentence_stands():
    found = judged(
        *HITS,
        row("gradcam", "iou", 0.2, 0.1, 0.3),
        row("location_prior", "iou", 0.25, 0.2, 0.35),
        comparisons=[paired(0.3, 0.1, 0.5, 0.01), paired(-0.05, -0.1, 0.01, 0.2, metric="iou")],
    )
    assert [sentence.standing for sentence in found.sentences] == ["better", "no_better"]
    assert found.standing == "no_better"
    assert found.title == "pointing better, contours not shown better"
    assert "mean IoU of 0.20 [0.10 to 0.30] over 42 images" in found.sentences[1].text


def test_contours_are_compared_in_iou():
    found = judged(
        row("gradcam", "iou", 0.2, 0.1, 0.3),
        row("location_prior", "iou", 0.4, 0.3, 0.5),
        comparisons=[paired(-0.2, -0.25, -0.125, 0.01, metric="iou")],
    )
    assert found.sentences[0].text.endswith(
        "Its contours fit worse than those of a map that never saw the image: "
        "difference on the same images −0.20 [−0.25 to −0.12], corrected p = 0.010."
    )


def test_boxes_speak_where_there_are_no_masks():
    found = judged(
        row("gradcam", "box_hit", 0.238, 0.12, 0.38),
        row("location_prior", "box_hit", 0.667, 0.52, 0.80),
        row("gradcam", "box_iou", 0.2, 0.1, 0.3),
        row("location_prior", "box_iou", 0.5, 0.4, 0.6),
        comparisons=[
            paired(-0.43, -0.6, -0.2, 0.01, metric="box_hit"),
            paired(-0.3, -0.4, -0.2, 0.01, metric="box_iou"),
        ],
    )
    pointing, contours = found.sentences
    assert pointing.text.startswith(
        "The network points into the radiologist’s boxes in 24 % [12 to 38] of 42 images"
    )
    assert contours.text.startswith(
        "Its contours overlap the radiologist’s boxes with a mean IoU of 0.20 [0.10 to 0.30] over 42 lesions"
    )
    assert found.title == "pointing and contours worse than a baseline"


def test_contours_that_fit_worse_do_not_read_as_worse_pointing():
    ious = (row("gradcam", "iou", 0.2, 0.1, 0.3), row("location_prior", "iou", 0.4, 0.3, 0.5))
    worse = paired(-0.2, -0.3, -0.1, 0.01, metric="iou")
    found = judged(*HITS, *ious, comparisons=[paired(0.3, 0.1, 0.5, 0.01), worse])
    assert (found.standing, found.title) == ("no_better", "pointing better, contours worse")
    alone = judged(*ious, comparisons=[worse])
    assert (alone.standing, alone.title) == ("worse", "contours worse than a baseline")


def auroc(estimate, low, high):
    return Summary("malignant", "labels", "classifier", "auroc", 42, {}, 30, estimate, low, high)


@pytest.mark.parametrize(
    ("area", "title", "sentence"),
    [
        (
            (0.55, 0.4, 0.7),
            "cannot be judged: the network hardly tells it",
            "(42 images), and 0.5 is chance. Maps of such an output cannot be judged.",
        ),
        (
            (0.2, 0.1, 0.3),
            "cannot be judged: the output is inverted",
            "Its maps show what speaks against the finding and cannot be judged.",
        ),
        (
            (0.7, 0.48, 0.85),
            "cannot be judged: AUROC not shown above 0.5",
            "which is not shown to be above 0.5, chance, so that nothing good can be said of its maps.",
        ),
    ],
)
def test_a_badge_beside_an_auroc_at_chance_says_that_maps_cannot_judge(area, title, sentence):
    found = judged(*HITS, auroc(*area), comparisons=[paired(0.3, 0.1, 0.5, 0.01)])
    assert (found.standing, found.title) == ("unknown", title)
    assert found.sentences[0].text.endswith(sentence)


def test_a_finding_that_is_always_at_the_same_place_says_so():
    hits = (row("gradcam", "hit", 0.8, 0.7, 0.9), row("location_prior", "hit", 1.0, 0.9, 1.0))
    ious = (row("gradcam", "iou", 0.2, 0.1, 0.3), row("location_prior", "iou", 0.4, 0.3, 0.5))
    worse = [paired(-0.2, -0.3, -0.1, 0.001), paired(-0.2, -0.3, -0.1, 0.01, metric="iou")]
    found = judged(*hits, *ious, comparisons=worse)
    assert found.standing == "no_better"
    assert found.title == "pointing cannot be judged (always at the same place), contours worse"
    assert found.sentences[0].text.endswith(
        "The finding is always at the same place, so that pointing cannot show whether the network looks at "
        "the image: difference on the same images −20 points [−30 to −10], corrected p = 0.001."
    )
    elsewhere = judged(row("gradcam", "hit", 0.1, 0.0, 0.3), hits[1], comparisons=worse[:1])
    assert (elsewhere.standing, elsewhere.title) == ("worse", "pointing worse than a baseline")
    assert "always at the same place, and the network points elsewhere" in elsewhere.sentences[0].text


def test_hits_of_masks_speak_before_those_of_boxes():
    found = judged(row("gradcam", "box_hit", 0.9, 0.8, 1), row("gradcam", "hit", 0.5, 0.4, 0.6, n=10))
    assert len(found.sentences) == 1
    assert found.sentences[0].text.startswith(
        "The network points at the lesion in 50 % [40 to 60] of 10 images"
    )


def test_a_different_number_of_images_is_reported():
    found = judged(row("gradcam", "hit", 0.5, 0.4, 0.6), row("location_prior", "hit", 0.5, 0.4, 0.6, n=40))
    assert "50 % [40 to 60] of 40." in found.sentences[0].text


def test_readers_among_themselves_stand_beside_the_network():
    found = judged(
        row("gradcam", "iou", 0.2, 0.1, 0.3),
        row("location_prior", "iou", 0.4, 0.3, 0.5),
        row("reader B", "iou", 0.8, 0.7, 0.9, n=30),
        row("reader C", "iou", 0.6, 0.5, 0.7, n=10),
    )
    # 0.8 and 0.6, weighted by their images
    assert "; the readers compared with each other reach 0.75. " in found.sentences[0].text


def test_without_a_fixed_map_nothing_is_judged():
    found = judged(row("gradcam", "hit", 0.5, 0.4, 0.6), methods=(NETWORK,))
    assert found.standing == "unknown"
    assert "nothing to compare it with" in found.sentences[0].text


@pytest.mark.parametrize("rows", [(), (row("gradcam", "hit", None, None, None, n=0, patients=0),)])
def test_without_annotated_images_nothing_is_known(rows):
    found = judged(*rows)
    assert found.standing == "unknown"
    assert found.sentences[0].text.startswith("No image with this finding was annotated and scored")


def test_the_reader_is_named_only_where_there_are_several():
    one = row("gradcam", "hit", 0.5, 0.4, 0.6, reader="A")
    assert "(A)" not in judged(one).sentences[0].text
    assert "42 images (A)" in judged(one, replace(one, reader="B", n=10)).sentences[0].text


def test_a_gate_that_the_fixed_maps_share_is_reported():
    sentence = (
        "Where the network does not predict {}, no contours are drawn and no hit is counted, not even for "
        "the baselines; contours.gate: all draws and scores every map."
    )
    rules = {finding: {"gate": "predicted"} for finding in ("nodule", "effusion")}
    manifest = {"findings": ["nodule", "effusion"], "contours": {"rules": rules}}
    two = RunFolder(Path(), manifest, (NETWORK, PRIOR), (), (), (), {})
    assert gate_note(two) == sentence.format("a finding")
    rules["effusion"]["gate"] = "all"
    assert gate_note(two) == sentence.format("nodule")
    rules["nodule"]["gate"] = "annotated"
    assert gate_note(two) == ""


def test_contours_on_healthy_images_are_a_remark():
    found = judged(row("gradcam", "contour_on_healthy", 0.407, 0.22, 0.6, n=27))
    assert found.remark.endswith("it draws a contour, a false positive, in 41 % [22 to 60] of 27 images.")


@pytest.mark.parametrize(
    ("baseline", "subject", "never_saw"),
    [
        ("random", "a random map", "the image"),
        ("local_contrast", "the contrast of the image itself, without any network,", "the network"),
    ],
)
def test_a_sentence_names_what_each_baseline_never_saw(baseline, subject, never_saw):
    methods = (NETWORK, Method(baseline, "baseline", "", "relative", **words_of(baseline)))
    rows = (row("gradcam", "hit", 0.5, 0.4, 0.6), row(baseline, "hit", 0.5, 0.4, 0.6))
    found = judged(*rows, comparisons=[paired(0.0, -0.1, 0.1, 1, second=baseline)], methods=methods)
    assert found.sentences[0].text == (
        f"The network points at the lesion in 50 % [40 to 60] of 42 images; {subject} does so in 50 % "
        f"[40 to 60]. This is not shown to be better than a map that never saw {never_saw}: "
        "difference on the same images 0 points [−10 to +10], corrected p = 1.000."
    )


def test_the_networks_other_maps_are_reported_beside_the_first():
    methods = (NETWORK, Method("layercam@stride8", "network", "", "relative"), PRIOR)
    rows = (*HITS, row("layercam@stride8", "hit", 0.762, 0.62, 0.88))
    found = judged(*rows, methods=methods)
    assert (
        found.others == "The network’s other maps point at the lesion in: layercam@stride8 76 % [62 to 88]."
    )
    assert judged(*HITS).others == ""


def test_a_run_of_an_older_version_has_no_verdict_and_says_why():
    run = RunFolder(Path(), {"findings": ["malignant"]}, (NETWORK,), (), (), (), {})
    found = verdict(run, "malignant")
    assert (found.standing, found.title) == ("unknown", "cannot be judged")
    assert "no verdict.csv" in found.sentences[0].text
