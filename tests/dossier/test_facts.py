"""Facts: every answer stands where it says, with the numbers that it says, and nothing else is an answer."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.dossier.answers import Answer, Source
from pipeline.dossier.facts import QUESTIONS, answered
from pipeline.dossier.intended_use import FILE, STATEMENTS, as_yaml, read_intended_use
from pipeline.dossier.material import read_material
from pipeline.errors import ConfigError
from pipeline.store.cases import pack_case
from pipeline.store.tables import write_table
from tests.reporting.run_folder import HOSTILE, make_run

OF_ROW = ("estimate", "low", "high", "n", "patients", "corrected_p", "limit")
"""Columns whose numbers a sentence about one row shows."""
INTERSECTIONS = "results.intersections"
UNKNOWN_TO_ALL = {INTERSECTIONS}
"""What no run can answer."""
Answers = dict[str, tuple[Answer, ...]]


@pytest.fixture(scope="module")
def answers(run: Path, intended_use: Path) -> Answers:
    return answered(read_material(run, read_intended_use(intended_use)))


def all_answers(answers: Answers) -> Iterator[tuple[str, Answer]]:
    return ((name, answer) for name, found in answers.items() for answer in found)


def rows_of(run: Path, source: Source) -> list[dict[str, str]]:
    with (run / source.file).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [] or set(dict(source.row)) | set(source.fields) <= rows[0].keys(), source.place
    return [row for row in rows if all(row[column] == value for column, value in source.row)]


def value_at(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content[int(part)] if isinstance(content, list) else content[part]
    return content


def spellings(cell: str) -> set[str]:
    """The number in a cell as texts may show it."""
    value = float(cell)
    found = {f"{value:.2f}", f"{100 * value:.0f}", f"{value:.3f}", f"{value:g}", f"{value:,.0f}"}
    return found | {text.replace("-", "−") for text in found}


def test_a_whole_run_answers_most_questions_about_runs(answers: Answers) -> None:
    of_run = [name for name in QUESTIONS if name not in STATEMENTS]
    answered_by_run = [name for name in of_run if answers[name]]
    assert len(answered_by_run) > 40
    assert not UNKNOWN_TO_ALL & set(answered_by_run)


def test_every_file_that_an_answer_names_is_there(run: Path, answers: Answers) -> None:
    for _, answer in all_answers(answers):
        file = answer.source.file
        assert file == FILE or list(run.glob(file)), answer.source.place


def test_results_of_images_are_named_by_a_pattern_that_finds_them_with_and_without_a_page(
    run: Path, tmp_path: Path
) -> None:
    whole = shutil.copytree(run, tmp_path / "run")
    case_ids = [path.parent.name for path in whole.glob("cases/*/case.json")]
    pack_case(whole, case_ids[0])
    named = {answer.source.file for _, answer in all_answers(answered(read_material(whole, {})))}
    (pattern,) = (file for file in named if file.startswith("cases/"))
    assert sorted(path.parent.name for path in whole.glob(pattern)) == sorted(case_ids)


def test_every_row_that_an_answer_names_is_there_with_its_numbers(run: Path, answers: Answers) -> None:
    checked = 0
    for name, answer in all_answers(answers):
        source = answer.source
        if not source.file.endswith(".csv") or not source.row:
            continue
        rows = rows_of(run, source)
        assert rows, source.place
        wanted = [column for column in OF_ROW if column in source.fields and name != "results.verdicts"]
        for column in wanted:
            if rows[0][column]:
                assert any(text in answer.text for text in spellings(rows[0][column])), (column, answer)
                checked += 1
    assert checked > 100


def test_values_of_forms_are_those_of_their_rows(run: Path, answers: Answers) -> None:
    valued = [answer for _, answer in all_answers(answers) if answer.value is not None]
    assert len(valued) > 20
    for answer in valued:
        (row,) = rows_of(run, answer.source)
        value = answer.value
        assert value is not None
        assert value.estimate == float(row["estimate"])
        assert [value.low, value.high] == [
            float(row[name]) if row[name] else None for name in ("low", "high")
        ]


def test_every_key_of_the_manifest_is_there(run: Path, answers: Answers) -> None:
    content = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    keys = [
        (key, answer.text)
        for _, answer in all_answers(answers)
        if answer.source.file == "manifest.json"
        for key in answer.source.fields
    ]
    assert len(keys) > 20
    for key, _ in keys:
        value_at(content, key)
    assert ("studies.files", "Files below the study folder: 9 files.") in keys


def test_texts_of_the_intended_use_stand_in_its_copy(intended_use: Path, answers: Answers) -> None:
    copy = yaml.safe_load(as_yaml(read_intended_use(intended_use)))
    stated = [answer for name, answer in all_answers(answers) if name in STATEMENTS]
    assert len(stated) == 8
    for answer in stated:
        assert answer.source.file == FILE
        assert value_at(copy, answer.source.fields[0]) == answer.text


def test_counts_are_counted_again(run: Path, answers: Answers) -> None:
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file) if row["finding"] == "benign"]
    (benign,) = (a for a in answers["data.prevalence"] if a.text.startswith("benign"))
    assert f"present in {labels.count('1')}, absent in {labels.count('0')}" in benign.text
    (patients,) = answers["data.patients"]
    with (run / "cases.csv").open(encoding="utf-8", newline="") as file:
        assert patients.text.startswith(
            f"Audited: {len({row['patient_id'] for row in csv.DictReader(file)})} pat"
        )


def bare(folder: Path, **options: Any) -> Path:
    """A run of an old version: without labels and without most tables."""
    run = make_run(folder, cases=6, **options)
    write_table(run, "predictions.csv", [])
    return run


def blank(folder: Path, **options: Any) -> Answers:
    return answered(read_material(bare(folder, **options), {}))


def test_without_subgroups_labels_probes_and_policy_nothing_is_said_of_them(tmp_path: Path) -> None:
    answers = blank(tmp_path / "run")
    for name in ("results.groups", "results.small_groups", "robust.probes", "robust.repeatability",
                 "robust.map_tests", "robust.suspects", "design.policy", "run.started", "run.operator",
                 "reference.agreement", "results.sizes", "data.dates", "run.outputs"):  # fmt: skip
        assert answers[name] == (), name
    assert not any(answers[name] for name in STATEMENTS)


def test_without_baselines_there_is_no_smallest_difference(tmp_path: Path) -> None:
    assert blank(tmp_path / "run", baselines=False)["design.sample_size"] == ()


def test_one_group_only_is_said(tmp_path: Path) -> None:
    run = bare(tmp_path / "run")
    header = (run / "cases.csv").read_text(encoding="utf-8").splitlines()
    cells = ["F,US,", "F,US,", "F,,", "F,US,", ",US,", "F,US,"]
    lines = [f"{header[0]},sex,modality,view", *(f"{a},{b}" for a, b in zip(header[1:], cells, strict=True))]
    (run / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    texts = [answer.text for answer in answered(read_material(run, {}))["results.one_group"]]
    assert texts == [
        "Sex: one group only (F 5, unknown for 1); no groups to compare.",
        "View: unknown for all 6 images; no groups to compare.",
        "Modality: one group only (US 5, unknown for 1); no groups to compare.",
    ]


def test_no_answer_holds_a_path(answers: Answers) -> None:
    assert not [answer.text for _, answer in all_answers(answers) if re.search(r"/nobody|/tmp/", answer.text)]
    assert any(HOSTILE in answer.text for _, answer in all_answers(answers))


HOST = {"system": "Debian", "machine": "x86_64", "processor": "", "cores": 2, "usable_cores": 2}
ATTEMPT = {
    "started": "2026-11-30T19:00:00Z",
    "finished": None,
    "clock": "system",
    "operator": None,
    "command": ["audit"],
    "version": "0.7.0",
    "commit": None,
    "is_changed": None,
    "python": "CPython 3.11.2",
    "packages": {},
    "host": HOST | {"memory_gib": None},
}


def test_each_attempt_of_a_run_says_when_by_whom_and_how(tmp_path: Path) -> None:
    run = bare(tmp_path / "run")
    attempts = [
        ATTEMPT,
        ATTEMPT
        | {
            "started": "2026-11-30T20:00:00Z",
            "finished": "2026-11-30T20:30:00Z",
            "operator": "ward 7",
            "command": ["audit", "--out", "path-1"],
            "commit": "ab12",
        },
    ]
    content = {"run_id": "run", "is_lost": False, "attempts": attempts}
    (run / "provenance.json").write_text(json.dumps(content), encoding="utf-8")
    answers = answered(read_material(run, {}))
    said = {name: [answer.text for answer in answers[name]] for name in answers if name.startswith("run.")}
    assert said["run.started"] == [
        "Started 2026-11-30 19:00:00 UTC (attempt 1).",
        "Started 2026-11-30 20:00:00 UTC (attempt 2).",
    ]
    assert said["run.ended"] == ["Finished 2026-11-30 20:30:00 UTC (attempt 2)."]
    assert said["run.operator"] == ["Operator: ward 7 (attempt 2)."]
    assert said["run.command"][1] == "Command: audit --out path-1 (attempt 2)."
    assert said["run.commit"] == ["Commit ab12 (attempt 2)."]
    assert said["run.host"] == [
        f"Host: Debian; x86_64; 2 cores; no GPU used (attempt {number})." for number in (1, 2)
    ]


def test_one_group_is_no_performance_by_subgroup(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    with (copy / "subgroups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert answered(read_material(copy, {}))["results.groups"]
    write_table(copy, "subgroups.csv", [row for row in rows if row["group"] == "F"])
    answers = answered(read_material(copy, {}))
    assert answers["results.groups"] == answers["results.small_groups"] == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"attempts": {}}', '{"attempts": [1]}', "\0"])
def test_a_damaged_provenance_is_refused_and_not_taken_for_a_missing_one(
    tmp_path: Path, content: str
) -> None:
    run = bare(tmp_path / "run")
    assert answered(read_material(run, {}))["run.started"] == ()
    (run / "provenance.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"provenance\.json"):
        read_material(run, {})


def test_maps_of_an_unknown_network_leave_the_network_open(tmp_path: Path) -> None:
    run = bare(tmp_path / "run")
    content = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for key in ("card", "weights_sha256", "device", "precision"):
        del content[key]
    maps = {"maps": 12, "files": 12, "formats": ["npy"], "probabilities": False, "gate_opened": True}
    content["heatmaps"] = maps | {"sha256": "ab" * 32}
    (run / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    answers = answered(read_material(run, {}))
    for name in (
        "model.name",
        "model.architecture",
        "model.preprocessing",
        "model.thresholds",
        "model.device",
    ):
        assert answers[name] == (), name
    (weights,) = answers["model.weights"]
    assert weights.text == f"SHA-256 of the external heatmaps: {'ab' * 32}."
    assert any("The maps were computed elsewhere" in answer.text for answer in answers["robust.limits"])


@pytest.mark.parametrize(
    ("pixels", "said"),
    [(True, "share no patient and no identical image with"), (False, "share no patient with")],
)
def test_a_finished_run_says_which_part_it_shares_nothing_with(
    tmp_path: Path, pixels: object, said: str
) -> None:
    run = bare(tmp_path / "run")
    content = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert answered(read_material(run, {}))["data.independence"] == ()
    prior = {"location_prior": {"where": {"split": ["train"]}}}
    content["config"] = {"baselines": prior, "splits": {"compare_pixels": pixels}}
    (run / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    (answer,) = answered(read_material(run, {}))["data.independence"]
    assert said in answer.text
    assert "split: train" in answer.text


def test_annotated_lesions_are_counted_as_the_files_of_the_cases_hold_them(
    run: Path, answers: Answers
) -> None:
    drawn: Counter[str] = Counter()
    for path in run.glob("cases/*/case.json"):
        references = json.loads(path.read_text(encoding="utf-8"))["references"]
        drawn.update(
            {of["finding"] for of in references if of["outlines"] or of["boxes"] or of.get("points")}
        )
    said = [answer.text for answer in answers["reference.annotated"] if "lesions annotated on" in answer.text]
    counts = {text.split(":")[0]: int(text.split(" annotated on ")[1].split()[0]) for text in said}
    assert sum(drawn.values()) > 0
    assert counts == {finding: drawn[finding] for finding in counts}
