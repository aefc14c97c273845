"""CHAI XML: the elements of the schema in its order, and metric values as JSON.

The schema itself (coalition-for-health-ai/mc-schema, v0.2) is not part of the project. OUTLINE is a
transcription: which elements it has, in which order, and which may be missing or repeated. A program that
read the schema's own file wrote the same outline, but for the optional signature at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from pipeline.dossier.answers import Answer, Estimate, Source
from pipeline.dossier.chai_xml import NAMESPACE, chai_xml, value_json
from pipeline.dossier.facts import QUESTIONS
from pipeline.dossier.form import fill
from pipeline.dossier.forms.chai import CHAI
from pipeline.dossier.write import CARD, Dossier
from tests.reporting.run_folder import HOSTILE

KEY_METRIC = """
  MetricGoal
  Results
    MetricResult+
      Label
      ValueJson
  Interpretation
  TestType
  TestingDataDescription
  ValidationProcessAndJustification"""
OUTLINE = f"""
AppliedModelCard
  BasicInfo
    ModelName
    ModelDeveloper
    DeveloperContact
  ReleaseInfo
    ReleaseStage
    ReleaseDate
    ReleaseVersion
    GlobalAvailability
    EHRCompatibility?
      EHR*
    RegulatoryApproval?
  ModelSummary
    Summary
    Keywords
      Keyword*
  UsesAndDirections
    IntendedUseAndWorkflow
    PrimaryIntendedUsers
    HowToUse
    TargetedPatientPopulation
    CautionedOutOfScopeSettings
  Warnings
    KnownRisksAndLimitations
    KnownBiasesOrEthicalConsiderations
    ClinicalRiskLevel
  TrustIngredients
    AISystemFacts
      OutcomesAndOutputs
      ModelType
      FoundationModels?
      InputDataSource
      OutputAndInputDataTypes
      DevelopmentDataCharacterization
      BiasMitigationApproaches
      OngoingMaintenance
      Security?
      Transparency?
    TransparencyInformation
      FundingSource
      ThirdPartyInformation?
      StakeholdersConsulted
  KeyMetrics
    UsefulnessUsabilityEfficacy{KEY_METRIC.replace(chr(10), chr(10) + "    ")}
    FairnessEquity{KEY_METRIC.replace(chr(10), chr(10) + "    ")}
    SafetyReliability{KEY_METRIC.replace(chr(10), chr(10) + "    ")}
  Resources
    EvaluationReferences?
    ClinicalTrial?
    PeerReviewedPublications
    ReimbursementStatus?
    PatientConsentOrDisclosure
  Bibliography
"""
"""Element, a deeper indent per level; ? may be missing, * any number, + one or more."""


def pattern(lines: Sequence[str], depth: int = 0) -> str:
    """A regular expression of the names of elements as `shape` writes them."""
    start = "  " * depth
    text, number = "", 0
    while number < len(lines):
        line = lines[number]
        below = number + 1
        while below < len(lines) and lines[below].startswith(f"{start}  "):
            below += 1
        name, sign = re.fullmatch(r" *(\w+)([?*+]?)", line).groups()  # type: ignore[union-attr]
        text += rf"(?:<{name}>{pattern(lines[number + 1 : below], depth + 1)}</>){sign}"
        number = below
    return text


def shape(element: Element) -> str:
    """The names of an element and those below it: "<a><b></></>"; no text beside elements."""
    if len(element):
        assert not (element.text or "").strip()
    return f"<{element.tag.removeprefix(f'{{{NAMESPACE}}}')}>{''.join(map(shape, element))}</>"


def is_valid(document: str) -> bool:
    outline = pattern(OUTLINE.strip("\n").splitlines())
    return re.fullmatch(outline, shape(fromstring(document))) is not None


def open_card() -> str:
    return chai_xml(fill(CHAI, dict.fromkeys(QUESTIONS, ())))


def texts(document: str) -> Iterator[tuple[str, str]]:
    for element in fromstring(document).iter():
        yield element.tag.removeprefix(f"{{{NAMESPACE}}}"), element.text or ""


def test_the_card_of_a_run_has_the_elements_of_the_schema(written: Dossier) -> None:
    document = (written.index.parent / CARD).read_text(encoding="utf-8")
    assert is_valid(document)
    said = dict(texts(document))
    assert said["ModelName"] == "Phantom DenseNet-121"
    assert said["TargetedPatientPopulation"] == "adults"
    assert said["ModelDeveloper"] == "OPEN: developer, manufacturer or provider"


def test_a_card_without_any_answer_is_valid_and_names_each_blank() -> None:
    document = open_card()
    assert is_valid(document)
    said = list(texts(document))
    assert ("PatientConsentOrDisclosure", "OPEN: consent or disclosure to patients") in said
    assert ("ValueJson", '{"kind": "single", "value": null}') in said
    assert "ClinicalTrial" not in dict(said)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (r"<ReleaseDate>.*?</ReleaseDate>", ""),
        (r"(<ModelName>.*?</ModelName>)(\s*<ModelDeveloper>.*?</ModelDeveloper>)", r"\2\1"),
        (r"<MetricResult>.*?</MetricResult>", ""),
        (r"<Keywords/>", "<Keywords><Word/></Keywords>"),
        (r"<Bibliography>", "<Extra/><Bibliography>"),
    ],
)
def test_the_outline_refuses_other_documents(found: str, instead: str) -> None:
    changed = re.sub(found, instead, open_card(), flags=re.DOTALL)
    assert changed != open_card()
    assert not is_valid(changed)


def test_metric_values_are_json_with_estimate_and_interval(written: Dossier) -> None:
    document = (written.index.parent / CARD).read_text(encoding="utf-8")
    values = [json.loads(text) for name, text in texts(document) if name == "ValueJson"]
    assert "estimate_ci" in {value["kind"] for value in values}
    for value in values:
        if value["kind"] == "estimate_ci":
            assert set(value) - {"unit"} == {"kind", "estimate", "lower", "upper", "level"}
            assert value["lower"] <= value["estimate"] <= value["upper"]
            assert value["level"] == 95


def test_a_value_without_an_interval_has_none() -> None:
    assert value_json(Estimate("AUPRC", 1 / 3, None, None, 95.0)) == {"kind": "single", "value": 0.3333}


def test_a_value_with_a_unit_names_it() -> None:
    said = value_json(Estimate("fall of the output", 0.5, 0.25, 0.75, 95.0, "SD"))
    assert said == {
        "kind": "estimate_ci", "estimate": 0.5, "lower": 0.25, "upper": 0.75, "level": 95.0, "unit": "SD",
    }  # fmt: skip


@pytest.mark.parametrize("text", [HOSTILE, "a\x00b\x0b\ud800￾]]>&lt;", "<!DOCTYPE x>", "-- * [a](b)"])
def test_no_text_changes_the_document(text: str) -> None:
    answer = Answer(text, Source("manifest.json"), Estimate(text, 0.5, None, None, 95.0))
    document = chai_xml(fill(CHAI, dict.fromkeys(QUESTIONS, (answer,))))
    assert is_valid(document)
    assert "<script" not in document


def test_the_document_is_utf_8(written: Dossier) -> None:
    assert (written.index.parent / CARD).read_bytes().startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert Path(CARD).suffix == ".xml"
