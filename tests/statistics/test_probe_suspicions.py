"""Tests of probe suspicions: each has effects that turn it, and a twin that does not."""

from dataclasses import replace
from typing import Any

from pipeline.records.names import ALL_FINDINGS
from pipeline.records.probes import Answer
from pipeline.statistics.learnt import Learnt
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_suspicions import probe_suspicions
from pipeline.statistics.readouts import ReadoutRow


def auroc(
    finding: str,
    answer: Answer,
    before: float,
    after: float,
    *,
    probe: str = "card",
    variant: str = "inverted",
) -> ProbeEffect:
    return ProbeEffect(
        finding, probe, variant, "auroc", answer, 64, 60, before, after, estimate=after - before
    )  # fmt: skip


def region(finding: str, answer: Answer) -> ProbeEffect:
    return ProbeEffect(finding, "lesion", "inpaint", "log_odds", answer, 20, 20, 0.1, 0.0, 0.1, -0.1, 0.3)


def found(*effects: ProbeEffect, **known: Any) -> list[tuple[str, str, str]]:
    """(finding, rule, suspect) of the strong ones."""
    return [
        (one.finding, one.rule, one.suspect)
        for one in probe_suspicions(Learnt(effects, **known))
        if one.strength == "strong"
    ]


INVERTED = auroc("mass", "rises", 0.5, 0.95)


def test_an_output_tells_what_most_images_show_whatever_the_order_of_probes() -> None:
    """Text is exchanged on the few images that have any."""
    few = replace(auroc("mass", "holds", 0.3, 0.3, probe="text"), n=6)
    assert Learnt([INVERTED, few]).told() == Learnt([few, INVERTED]).told() == {"mass": 0.5}


def test_a_card_that_tells_more_is_suspected() -> None:
    assert found(INVERTED, auroc("effusion", "holds", 0.6, 0.8)) == [("mass", "card_inverted", "card")]


def test_a_card_is_not_suspected_for_a_rise_to_chance_or_to_what_the_opposite_tells() -> None:
    assert found(auroc("mass", "rises", 0.1, 0.5)) == []
    assert found(auroc("mass", "rises", 0.2, 0.85)) == []


def test_a_card_is_not_suspected_where_another_finding_is_told_worse() -> None:
    assert found(INVERTED, auroc("effusion", "drops", 0.9, 0.5)) == []


LOST = [auroc(name, "holds", area, area) for name, area in (("mass", 0.5), ("effusion", 0.35))]
UNUSED = region("mass", "not_used")
WEIGHTS = ("(all)", "nothing_learnt", "weights")


def test_outputs_that_need_nothing_and_tell_nothing_are_of_broken_weights() -> None:
    lucky = [auroc(name, "holds", 0.8, 0.8) for name in ("nodule", "hernia")]
    assert found(*LOST, *lucky, UNUSED) == [WEIGHTS]
    *_, told = probe_suspicions(Learnt([*LOST, *lucky, UNUSED]))
    assert (told.estimate, told.n) == (0.5, 64)


def test_weights_are_not_suspected_where_anything_is_left() -> None:
    used, sound = region("effusion", "used"), region("nodule", "used")
    told = [auroc(name, "holds", 0.9, 0.9) for name in ("nodule", "hernia", "edema")]
    half_used = [auroc("effusion", "holds", 0.4, 0.4), used]
    for twin in ([*LOST, UNUSED, *half_used], [*LOST, UNUSED, *told], [*LOST, UNUSED, told[0], sound], LOST):
        assert WEIGHTS not in found(*twin)


def test_an_output_that_tells_the_opposite_without_need_of_its_region_is_of_broken_weights() -> None:
    turned, told = auroc("effusion", "holds", 0.2, 0.2), auroc("nodule", "holds", 0.9, 0.9)
    sound = [told, region("nodule", "used")]
    assert found(LOST[0], turned, *sound) == [WEIGHTS]
    assert found(LOST[0], turned, region("effusion", "used"), *sound) == []
    assert found(turned, *sound) == found(turned, replace(turned, finding="mass")) == []


def test_an_opposite_that_may_be_chance_accuses_no_weights() -> None:
    """Of a rare finding, or in a small study set, some AUROC is far below .5 in sound networks, too."""
    rows = [auroc("effusion", "holds", 0.2, 0.2), auroc("hernia", "holds", 0.65, 0.65)]
    own = {"finding": "effusion", "output": "effusion", "measure": "auroc", "estimate": 0.2}
    weights = [(ALL_FINDINGS, "nothing_learnt", "weights")]
    assert found(*rows) == found(*rows, cross=[own | {"high": 0.4}]) == weights
    assert found(*rows, cross=[own | {"high": 0.6}]) == []
    assert found(*(replace(row, n=12, patients=9) for row in rows)) == []


def test_of_broken_weights_no_card_is_suspected_unless_it_tells_most_of_what_is_lost() -> None:
    one, both = (auroc(name, "rises", 0.4, 0.9) for name in ("mass", "effusion"))
    hardly = auroc("effusion", "holds", 0.4, 0.9)  # few images: not shown to rise
    assert found(*LOST, UNUSED, one) == [WEIGHTS]
    assert found(*LOST, UNUSED, one, hardly) == [("mass", "card_inverted", "card")]
    found_by_both = [(f, "card_inverted", "card") for f in ("mass", "effusion", "(all)")]
    assert found(*LOST, UNUSED, one, both) == found_by_both


def crossed(**areas: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {"measure": "auroc", "finding": finding, "output": output, "estimate": area}
        for finding, of in areas.items()
        for output, area in of.items()
    ]


EXCHANGED = crossed(mass={"mass": 0.5, "effusion": 0.95}, effusion={"mass": 0.99, "effusion": 0.35})


def test_outputs_in_another_order_are_no_broken_weights() -> None:
    assert found(*LOST, UNUSED, cross=EXCHANGED) == [("(all)", "order_of_all", "labels")]
    unsure = crossed(mass={"mass": 0.5, "effusion": 0.95}, effusion={"mass": 0.75, "effusion": 0.35})
    assert found(*LOST, UNUSED, cross=unsure) == [WEIGHTS]


def test_one_output_cannot_be_that_of_two_findings() -> None:
    areas = {"mass": 0.5, "effusion": 0.35, "nodule": 0.97}
    cross = crossed(mass=areas, effusion=areas, nodule={**areas, "nodule": 0.9})
    assert found(*LOST, UNUSED, cross=cross) == [WEIGHTS]


def readout(name: str, features: float, output: float, p: float) -> ReadoutRow:
    return ReadoutRow(
        "finding", name, n=64, patients=60, auroc=features, output=output, difference=features - output,
        corrected_p=p,
    )  # fmt: skip


BETTER = [readout(name, 0.95, 0.6, 0.01) for name in ("mass", "effusion")]
HEAD = ("(all)", "head_lost", "weights")


def test_features_that_tell_several_findings_better_than_their_outputs_accuse_the_head() -> None:
    assert found(readouts=BETTER) == [HEAD]
    (told,) = probe_suspicions(Learnt(readouts=BETTER))
    assert "mass, effusion" in told.sentence
    assert "0.95" in told.sentence
    assert "0.60" in told.sentence


def test_one_finding_of_several_or_what_may_be_chance_accuses_no_head() -> None:
    same = [readout(name, 0.9, 0.9, 1.0) for name in ("nodule", "hernia", "edema")]
    assert found(readouts=[BETTER[0], same[0]]) == []
    assert found(readouts=[*BETTER, *same]) == []
    assert found(readouts=[replace(row, corrected_p=0.2) for row in BETTER]) == []
    assert found(readouts=[replace(row, difference=0.05) for row in BETTER]) == []


def test_exchanged_outputs_broken_layers_and_another_card_are_no_fault_of_the_head() -> None:
    assert found(*LOST, readouts=BETTER, cross=EXCHANGED) == [("(all)", "order_of_all", "labels")]
    for state in ("broken", "other_card", "unlike"):
        assert found(*LOST, UNUSED, readouts=BETTER, state=state) == []


def test_outputs_behind_a_wrong_activation_accuse_no_head() -> None:
    read = Learnt([*LOST, UNUSED], readouts=BETTER)
    assert any(one.rule == "head_lost" for one in probe_suspicions(read))
    assert not any(one.suspect == "weights" for one in probe_suspicions(replace(read, wrong_activation=True)))


def test_layers_as_in_training_accuse_no_card_and_no_weights_where_features_tell_nothing() -> None:
    assert found(INVERTED, state="like_training") == []
    nothing = [readout(name, 0.5, 0.5, 1.0) for name in ("mass", "effusion")]
    assert found(*LOST, UNUSED, readouts=nothing, state="like_training") == []
    assert found(*LOST, UNUSED, readouts=nothing) == [WEIGHTS]


TOLD = [auroc(name, "holds", 0.9, 0.9) for name in ("mass", "effusion")]
BOTH_UNUSED = [region(name, "not_used") for name in ("mass", "effusion")]
DROP = auroc("mass", "drops", 0.9, 0.5, probe="frame", variant="of_another_image")


def test_annotations_that_no_told_finding_needs_are_of_other_images() -> None:
    assert found(*TOLD, *BOTH_UNUSED) == [("(all)", "nothing_needed", "masks")]
    assert found(TOLD[0], UNUSED) == []
    assert ("(all)", "nothing_needed", "masks") not in found(*TOLD, *BOTH_UNUSED, DROP)
    assert ("(all)", "nothing_needed", "masks") not in found(
        *TOLD, *BOTH_UNUSED, auroc("nodule", "holds", 0.9, 0.9), region("nodule", "used")
    )


def test_a_finding_whose_lesions_are_not_needed_is_surely_the_networks_fault_beside_sound_ones() -> None:
    network = ("mass", "lesion_not_used", "network")
    assert found(*TOLD, UNUSED) == []
    assert found(*TOLD, UNUSED, region("effusion", "used")) == [network]
    assert network in found(*TOLD, UNUSED, DROP)


def test_a_drop_is_a_shortcut_unless_the_card_is_changed() -> None:
    assert found(DROP) == [("mass", "shortcut_frame", "network")]
    assert found(replace(DROP, probe="card")) == []


def test_what_helps_without_being_a_card_accuses_nobody() -> None:
    assert found(*(replace(auroc(name, "rises", 0.5, 0.9), probe="low_pass") for name in ("a", "b"))) == []
