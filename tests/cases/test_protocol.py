"""Protocol: what a plan asks of every case, resolved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cases.burned_in_text import TextSearch
from pipeline.cases.protocol import Protocol, protocol_of
from pipeline.config import AuditConfig
from pipeline.ground_truth.matching import Truth
from pipeline.metrics import DEFAULT
from pipeline.plan import RunPlan
from pipeline.records import ContourRule, Tolerances

FINDINGS = ("nodule", "effusion")
TRUTH = Truth({}, {}, (), {}, "box", "anna", "")
RUN = Path("out/run")


def asked(truth: Truth = TRUTH, **config: Any) -> Protocol:
    plan = RunPlan(AuditConfig.model_validate(config), Path(), Path(), FINDINGS)
    return protocol_of(plan, truth, RUN)


def test_a_finding_has_its_own_rule_where_the_config_says_and_the_general_one_else() -> None:
    own = {"effusion": {"threshold": 0.3, "gate": "all"}}
    found = asked(contours={"rule": "percentile", "threshold": 90, "findings": own})
    assert found.rule_for("nodule") == ContourRule("percentile", 90, "predicted")
    assert found.rule_for("effusion") == ContourRule("percentile", 0.3, "all")


def test_a_finding_that_the_network_does_not_know_has_no_rule() -> None:
    with pytest.raises(KeyError):
        asked().rule_for("fracture")


def test_what_is_asked_of_contours_metrics_and_readers_is_that_of_the_config() -> None:
    found = asked(
        contours={"scaling": "minmax", "minimum_area_px": 7, "minimum_area_mm2": 2.5},
        metrics=["iou", "hd95"],
        tolerances={"surface_mm": 1, "pointing_px": 3},
        surface_distance={"definition": "surfel"},
        readers={"consensus": "staple"},
        baselines={"random": False, "local_contrast": True},
        burned_in_text={"look": "contrast", "mask": True},
    )
    assert found == Protocol(
        run=RUN,
        rules=tuple((finding, ContourRule("fraction", 0.6, "predicted")) for finding in FINDINGS),
        minimum_area_px=7,
        minimum_area_mm2=2.5,
        kind="box",
        negative_reader="anna",
        baselines=("center_prior", "local_contrast"),
        metrics=("iou", "hd95"),
        tolerances=Tolerances(surface_mm=1, pointing_px=3, surface="surfel"),
        scaling="minmax",
        consensus="staple",
        search=TextSearch("contrast", mask=True),
    )


def test_where_the_config_is_silent_the_defaults_of_the_records_hold() -> None:
    found, silent = asked(), Protocol(RUN, (), 0, 0, None, "anna")
    for name in ("metrics", "tolerances", "scaling", "consensus", "minimum_area_px", "minimum_area_mm2"):
        assert getattr(found, name) == getattr(silent, name), name
    assert found.metrics == DEFAULT


def test_a_protocol_can_be_the_key_of_what_is_drawn_once_for_many_images() -> None:
    assert hash(asked()) == hash(asked())
    assert asked() != asked(contours={"threshold": 0.5})
    assert len({asked(), asked(), replace(asked(), run=Path("elsewhere"))}) == 2


def test_annotations_of_several_kinds_and_no_consensus_are_recorded() -> None:
    found = asked(replace(TRUTH, kind=None, reader="labels"), readers={"consensus": None})
    assert (found.kind, found.negative_reader, found.consensus) == (None, "labels", None)
