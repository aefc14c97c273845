"""Tests of conclusions: each rule has facts that turn it, and a twin that does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.records import Suspect, Suspicion
from pipeline.records.names import Conclusion
from pipeline.reporting.verdict import CONCLUSIONS
from pipeline.statistics.conclusion import RULES, Facts, conclude, facts_of, with_conclusions
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.verdict import VerdictRow


def against(suspect: Suspect, strength: str = "strong") -> Suspicion:
    return Suspicion("mass", f"rule_{suspect}", suspect, strength, "A sentence.")  # type: ignore[arg-type]


MARK = Suspicion("mass", "shortcut_frame", "network", "strong", "A sentence.")
SOUND = Facts("better", (0.6, 0.9), "used")
CASES: list[tuple[Conclusion, Facts]] = [
    ("weights", replace(SOUND, suspicions=(against("weights"),))),
    ("card", replace(SOUND, suspicions=(against("card"),))),
    ("labels", replace(SOUND, suspicions=(against("labels"),))),
    ("labels", replace(SOUND, suspicions=(against("masks"), against("labels")))),
    ("masks", replace(SOUND, suspicions=(against("masks"),))),
    ("not_used", replace(SOUND, use="not_used")),
    ("shortcut", Facts("worse", (0.1, 0.4), "used", (MARK,))),
    ("shortcut", replace(SOUND, use="cannot_tell", suspicions=(MARK, against("masks")))),
    ("shown", SOUND),
    ("shown", replace(SOUND, suspicions=(MARK,))),
    ("shown", Facts("no_better", (0.6, 0.9), "used")),
    ("not_shown", Facts("worse", (0.1, 0.9), "used")),
    ("not_shown", Facts("no_better", (0.1, 0.4), "used")),
    ("used", Facts("unknown", (0.2, 0.8), "used")),
    ("used", Facts("no_better", None, "used")),
    ("too_few", Facts("better", (0.6, 0.9), "cannot_tell")),
]


@pytest.mark.parametrize(("conclusion", "facts"), CASES)
def test_each_conclusion_has_its_facts(conclusion: Conclusion, facts: Facts) -> None:
    assert conclude(facts)[0] == conclusion


def test_every_rule_is_turned_by_some_facts_and_has_a_sentence() -> None:
    assert [rule.conclusion for rule in RULES] == list(dict.fromkeys(name for name, _ in CASES))
    assert set(CONCLUSIONS) == {rule.conclusion for rule in RULES}
    assert all(rule.when for rule in RULES)


@pytest.mark.parametrize("suspect", ["weights", "card", "masks", "labels"])
def test_weak_suspicions_decide_nothing(suspect: Suspect) -> None:
    assert conclude(replace(SOUND, suspicions=(against(suspect, "weak"),))) == ("shown", ())


def test_contradictions_are_named() -> None:
    shortcut = against("network")
    assert conclude(replace(SOUND, suspicions=(shortcut,))) == ("shown", (shortcut,))
    assert conclude(replace(SOUND, use="not_used", suspicions=(shortcut,))) == ("not_used", ())
    card = against("card")
    assert conclude(replace(SOUND, suspicions=(shortcut, card))) == ("card", (shortcut,))


def test_facts_are_those_of_the_finding_and_of_all_findings() -> None:
    effects = [
        ProbeEffect("mass", "lesion", "inpaint", "log_odds", "cannot_tell"),
        ProbeEffect("mass", "lesion", "clone", "log_odds", "used"),
        ProbeEffect("other", "lesion", "inpaint", "log_odds", "not_used"),
        ProbeEffect("mass", "frame", "other", "auroc", "drops"),
    ]
    every, other = replace(against("card"), finding="(all)"), replace(against("masks"), finding="other")
    row = VerdictRow("mass", "better", "pointing", "better", low=0.5, high=1.0)
    facts = facts_of("mass", row, effects, [every, other])
    assert facts == Facts("better", (0.5, 1.0), "used", (every,))
    assert facts_of("other", None, effects, []) == Facts("unknown", None, "not_used", ())


def test_rows_get_the_conclusion_of_their_finding() -> None:
    rows = [
        VerdictRow("mass", "better", "pointing", "better", low=0.6, high=0.9),
        VerdictRow("mass", "better", "contours", "better"),
        VerdictRow("other", "unknown", "pointing", "unknown"),
    ]
    effects = [ProbeEffect("mass", "lesion", "inpaint", "log_odds", "used")]
    found = with_conclusions(rows, effects, [against("network")])
    assert [(row.conclusion, row.against) for row in found] == [
        ("shown", "rule_network"),
        ("shown", "rule_network"),
        ("too_few", ""),
    ]


def test_the_documentation_has_the_same_table() -> None:
    text = (Path(__file__).parents[2] / "reports" / "README.md").read_text()
    section = text.partition("## The conclusion")[2].partition("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{r.conclusion}` | {CONCLUSIONS[r.conclusion]} | {r.when} |" for r in RULES]
