"""Overview: the variables of index.html."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import (
    charts,
    crossings,
    facts,
    forest,
    headline_numbers,
    limits,
    lines,
    notices,
    tables,
    tuning,
    words,
)
from pipeline.reporting.causal import on_used
from pipeline.reporting.chance import warnings_of_chance
from pipeline.reporting.examples import Example, examples
from pipeline.reporting.figure import READER_COLOURS
from pipeline.reporting.first_screen import first_screen, summary_of, suspected_of_all
from pipeline.reporting.lesion_sizes import lesion_sizes
from pipeline.reporting.map_tests import map_tests
from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.probes import needs
from pipeline.reporting.provenance import provenance
from pipeline.reporting.readouts import alike, readouts
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.study_set import study_set
from pipeline.reporting.survey import Row, Survey
from pipeline.reporting.suspects import suspects
from pipeline.reporting.typical import Pair, typical_pairs, typical_rows
from pipeline.reporting.verdict import gate_note
from pipeline.run_files.outputs import changed_results, sentence_about

CHARTS = (
    ("hit", "Hit rate against masks"),
    ("box_hit", "Hit rate against boxes"),
    ("iou", "Mean IoU against masks"),
    ("box_iou", "Mean IoU against boxes"),
)
EXTREMES = 4
"""Number of worst and of best cases shown per finding."""
SKIPPED_SHOWN = 300
"""Most skipped inputs, and most warnings, that the page lists."""
POLICY = {
    "pass": "The policy is met.",
    "warn": "The estimates meet the policy; their intervals do not.",
    "unknown": "The policy needs numbers that this run does not have.",
    "fail": "The policy is not met.",
}


@dataclass(frozen=True, slots=True)
class Extremes:
    """The worst and best cases of a finding."""

    finding: str
    worst: tuple[Example, ...]
    best: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows whose pictures the overview shows, by finding."""

    pairs: Mapping[str, Pair]
    typical: Mapping[str, tuple[Row, ...]]
    extremes: Mapping[str, tuple[list[Row], list[Row]]]
    """The worst and the best."""

    @property
    def rows(self) -> list[Row]:
        """All of them, in the order of the page."""
        pairs = [row for pair in self.pairs.values() for row in pair if row]
        typical = [row for rows in self.typical.values() for row in rows]
        return [*pairs, *typical, *(row for pair in self.extremes.values() for rows in pair for row in rows)]


def overview(run: RunFolder, survey: Survey) -> dict[str, Any]:
    """The variables of overview.html."""
    shown = _shown(run, survey)
    found = examples(run, survey, shown.rows)
    rows = first_screen(run, shown.pairs, found)
    policy = headline_numbers.worst(tuple(limit for row in rows for limit in row.limits))
    return {
        "rows": rows,
        "summary": summary_of(run),
        "outcomes_shown": _outcomes_shown(shown.pairs),
        "suspected_of_all": suspected_of_all(run),
        "suspects": suspects(run),
        **_probes(run),
        "squares": crossings.squares(run),
        "turned": crossings.turned(run),
        "units": run.manifest.get("statistics", {}).get("units", "patients"),
        "policy_outcome": policy,
        "policy_words": POLICY,
        "shown_readers": [(name, number % READER_COLOURS) for number, name in enumerate(survey.readers)],
        "gate_note": gate_note(run),
        "warnings": _warnings(run),
        "guesses": notices.guesses(run.manifest),
        "intervals": [c for c in (charts.interval_chart(run, *chart) for chart in CHARTS) if c],
        "histograms": _histograms(run, survey),
        "bins": {"width": charts.BAR_WIDTH, "height": charts.BAR_HEIGHT},
        "localisation": tables.localisation(run),
        "more": tables.further(run),
        "lesions": tables.lesions(run),
        "lesion_sizes": lesion_sizes(run),
        "comparisons": tables.comparisons(run),
        "frocs": _each(lines.froc, run),
        "thresholds": _each(lines.thresholds, run),
        "calibrations": _each(lines.calibration, run),
        "forests": forest.forest_charts(run),
        "classification": tables.classification(run),
        "extremes": _extremes(shown, found),
        "typical": {name: tuple(found[row] for row in chosen) for name, chosen in shown.typical.items()},
        "cautions": survey.cautions[:SKIPPED_SHOWN],
        "caution_groups": Counter(words.reason(reason) for _, reason, _ in survey.cautions).most_common(),
        "skipped_groups": facts.skipped_groups(run.skipped),
        "skipped": run.skipped[:SKIPPED_SHOWN],
        "skipped_count": len(run.skipped),
        **study_set(run, survey),
        "facts": [
            ("Heatmaps", facts.external_maps(run)) if run.has_external_maps else ("Model", facts.model(run)),
            ("Data", facts.data(run, survey)),
            ("Method", facts.method(run, survey)),
            ("Provenance", provenance(run)),
        ],
        "checks": run.manifest.get("checks", []),
        "emptiness": facts.emptiness(run),
        "limits": list(limits.limits(run, survey)),
        "headline": _headline(run),
        "confidence": f"{run.confidence:g}",
        "scored": run.is_scored,
        "predicted": {finding: _predicted(survey, finding) for finding in run.findings},
        "all_findings": ALL_FINDINGS,
    }


def _warnings(run: RunFolder) -> list[tuple[str, str]]:
    """Text and further text of each warning about files, chance, tuning and inputs."""
    changed = sentence_about(changed_results(run.path, run.manifest))
    texts = [*([changed] if changed else []), *warnings_of_chance(run.summaries), *tuning.warnings(run)]
    return [*((text, "") for text in texts), *notices.warnings(run.manifest)]


def _outcomes_shown(pairs: Mapping[str, Pair]) -> list[tuple[str, str]]:
    """Text and meaning of each outcome that a picture of the first screen has, worst first."""
    seen = {row.outcome for pair in pairs.values() for row in pair if row}
    return [(one.text, one.meaning) for code, one in OUTCOMES.items() if code in seen]


def _probes(run: RunFolder) -> dict[str, Any]:
    """What changed images and the features of images show of the network, and tests of the maps."""
    return {
        "needs": needs(run),
        "on_used": on_used(run),
        "readouts": readouts(run),
        "alike": alike(run),
        "judged": map_tests(run),
    }


def _histograms(run: RunFolder, survey: Survey) -> list[charts.Histogram]:
    """The histogram of each finding that has scores, beside those of a baseline."""
    prior = next(iter(sorted(run.baselines, key=lambda name: name != "location_prior")), None)
    title = run.title_of(prior or "")
    found = (
        charts.histogram(survey, finding, network=run.network, baseline=prior, title=title)
        for finding in run.findings
    )
    return [entry for entry in found if entry]


def _each(chart: Callable[[RunFolder, str], lines.LineChart | None], run: RunFolder) -> list[lines.LineChart]:
    """The chart of each finding that has one."""
    return [found for finding in run.findings if (found := chart(run, finding)) is not None]


def ranked(rows: tuple[Row, ...], finding: str) -> list[Row]:
    """Annotated cases of a finding, worst first: by IoU, then highest probability, then case id."""
    scored = [row for row in rows if row.finding == finding and _overlap(row) is not None]
    return sorted(scored, key=lambda row: (_overlap(row), -(row.probability or 0), row.case_id))


def shown_cases(run: RunFolder, survey: Survey) -> tuple[str, ...]:
    """Case ids of all pictures of the overview, in its order."""
    return tuple(dict.fromkeys(row.case_id for row in _shown(run, survey).rows))


def _shown(run: RunFolder, survey: Survey) -> Shown:
    extremes = {finding: _extreme_rows(survey, finding) for finding in run.findings}
    return Shown(typical_pairs(run, survey), typical_rows(run, survey), extremes)


def _overlap(row: Row) -> float | None:
    return row.iou if row.iou is not None else row.box_iou


def _extremes(shown: Shown, found: Mapping[Row, Example]) -> list[Extremes]:
    """The worst and best cases of each finding that has any."""
    return [
        Extremes(finding, tuple(found[row] for row in worst), tuple(found[row] for row in best))
        for finding, (worst, best) in shown.extremes.items()
        if worst
    ]


def _extreme_rows(survey: Survey, finding: str) -> tuple[list[Row], list[Row]]:
    """The rows of the worst and of the best cases, without repetitions."""
    order = [row for row in ranked(survey.rows, finding) if OUTCOMES[row.outcome].is_scored]
    share = min(EXTREMES, max(1, len(order) // 2)) if order else 0
    return order[:share], [row for row in order[::-1][:share] if _overlap(row)]


def _predicted(survey: Survey, finding: str) -> str:
    """A sentence on how often the network predicts the finding; empty for maps without probabilities."""
    rows = [row for row in survey.rows if row.finding == finding and row.probability is not None]
    positive = sum(row.positive for row in rows)
    if not rows:
        return ""
    hint = "" if positive else " Set contours.gate to all to draw contours all the same."
    return f"The network predicts it on {positive:,} of {words.plural(len(rows), 'image')}.{hint}"


def _headline(run: RunFolder) -> str:
    """One line about the run: "reference_model on 72 images, explained by gradcam"."""
    audited = run.manifest.get("studies", {}).get("audited", len(run.case_ids))
    name = "Heatmaps" if run.has_external_maps else run.manifest.get("card", {}).get("name", "the network")
    method = f", explained by {run.network}" if run.network else ""
    return f"{name} on {words.plural(audited, 'image')}{method}"
