"""Tests of probe suspicions: each has effects that turn it, and a twin that does not."""

from collections.abc import Iterable
from dataclasses import replace

from pipeline.records import Suspicion
from pipeline.records.probes import Answer
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_suspicions import probe_suspicions


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


def found(*effects: ProbeEffect, known: Iterable[Suspicion] = ()) -> list[tuple[str, str, str]]:
    """(finding, rule, suspect) of the strong ones."""
    return [
        (one.finding, one.rule, one.suspect)
        for one in probe_suspicions(effects, known)
        if one.strength == "strong"
    ]


INVERTED = auroc("mass", "rises", 0.5, 0.95)


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
    *_, told = probe_suspicions([*LOST, *lucky, UNUSED])
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


def test_of_broken_weights_no_card_is_suspected_unless_it_tells_most_of_what_is_lost() -> None:
    one, both = (auroc(name, "rises", 0.4, 0.9) for name in ("mass", "effusion"))
    hardly = auroc("effusion", "holds", 0.4, 0.9)  # few images: not shown to rise
    assert found(*LOST, UNUSED, one) == [WEIGHTS]
    assert found(*LOST, UNUSED, one, hardly) == [("mass", "card_inverted", "card")]
    found_by_both = [(f, "card_inverted", "card") for f in ("mass", "effusion", "(all)")]
    assert found(*LOST, UNUSED, one, both) == found_by_both


def test_outputs_in_another_order_are_no_broken_weights() -> None:
    def told(finding: str, area: float) -> Suspicion:
        return Suspicion(finding, "order_of_outputs", "labels", "strong", "Another tells it.", area)

    assert found(*LOST, UNUSED, known=[told("mass", 0.95), told("effusion", 0.99)]) == [
        ("(all)", "order_of_all", "labels")
    ]
    assert found(*LOST, UNUSED, known=[told("mass", 0.95), told("effusion", 0.75)]) == [WEIGHTS]


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
