"""Tests from an image and its annotation to the outputs of a network, and of an audit with probes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audit import audit
from pipeline.audited_model.loading import AuditedModel, load_model
from pipeline.cohort.index import index
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import match
from pipeline.plan import AuditPlan, make_plan
from pipeline.probes.drawing import Drawn, drawing_of, settings_of
from pipeline.probes.outputs import outputs_of
from pipeline.probes.selection import ProbeTask, tasks_of
from pipeline.records import Progress
from pipeline.run.opening import open_run
from tests.study import FINDINGS, write_model, write_study

IMAGES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, count=IMAGES)
    write_model(folder / "model")
    return folder


def plan(folder: Path, **settings: Any) -> AuditPlan:
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "statistics.replicates": 100,
        **settings,
    }
    return make_plan(load_config(None, overrides))


def tasks_and_model(planned: AuditPlan) -> tuple[list[ProbeTask], AuditedModel]:
    with open_run(planned, Here(), worker_modules=()) as run:
        cohort = index(planned, executor=run.executor, pseudonym=run.pseudonym)
        truth = match(planned, cohort, executor=run.executor, pseudonym=run.pseudonym)
    return tasks_of("quick", cohort.chosen, truth, planned.findings), load_model(planned)


def drawn(task: ProbeTask, model: AuditedModel) -> Drawn:
    return drawing_of(settings_of(model.classifier.findings, model.preprocessing, None))(task)


def test_every_version_has_the_output_of_the_network(folder: Path) -> None:
    tasks, model = tasks_and_model(plan(folder))
    versions = drawn(next(task for task in tasks if task.whole), model)
    assert versions.names[0] == ("unchanged", "", "")
    assert {probe for probe, _, _ in versions.names} >= {"low_pass", "stripes", "background", "card"}
    rows = list(outputs_of(versions, model, batch_size=4))
    one_by_one = [
        model.explainer.logits(model.classifier.tensor([i], batch_size=1))[0] for i in versions.inputs
    ]
    expected = {
        (probe, variant, finding): logits[number]
        for (probe, variant, asked), logits in zip(versions.names, one_by_one, strict=True)
        for number, finding in enumerate(FINDINGS)
        if asked in {"", finding}
    }
    found = {(row.probe, row.variant, row.finding): row.logit for row in rows}
    assert found.keys() == expected.keys()
    assert len(found) == len(rows)
    # A batch of another size adds in another order.
    np.testing.assert_allclose(list(found.values()), [expected[key] for key in found], rtol=1e-4, atol=1e-5)


def test_the_outputs_of_the_image_as_it_is_are_those_of_the_audit(folder: Path) -> None:
    result = audit(plan(folder), executor=Here())
    run = result.index.parent
    with (run / "predictions.csv").open() as file:
        logits = {(row["case_id"], row["finding"]): float(row["logit"]) for row in csv.DictReader(file)}
    probed = [json.loads(path.read_text()) for path in sorted((run / "probes").iterdir())]
    unchanged = {
        (one["case_id"], row["finding"]): row["logit"]
        for one in probed
        for row in one["outputs"]
        if row["probe"] == "unchanged"
    }
    assert unchanged
    for key, logit in unchanged.items():
        assert logit == pytest.approx(logits[key], rel=1e-4, abs=1e-5)


def test_probes_that_are_off_leave_nothing(folder: Path) -> None:
    result = audit(plan(folder, probes="off"), executor=Here())
    run = result.index.parent
    assert not (run / "probes").exists()
    with (run / "probes.csv").open() as file:
        assert list(csv.DictReader(file)) == []
    assert {row.conclusion for row in result.results.verdict} == {"too_few"}


def test_at_full_level_lesions_are_swapped_and_a_question_without_an_answer_says_why(folder: Path) -> None:
    run = audit(plan(folder, probes="full"), executor=Here()).index.parent
    with (run / "probes.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["probe"] == "swap"]
    assert {row["variant"] for row in rows} >= {"both_places", "surroundings"}
    assert all(row["because"] for row in rows if row["answer"] == "cannot_tell")
    probed = [json.loads(path.read_text()) for path in sorted((run / "probes").iterdir())]
    swapped = [
        (one["case_id"], row["finding"], row["variant"])
        for one in probed
        for row in one["outputs"]
        if row["probe"] == "swap"
    ]
    assert swapped
    assert len(set(swapped)) == len(swapped)


class StoppedError(Exception):
    """What ends a run in the middle."""


def test_an_interrupted_run_goes_on_with_the_next_image_and_ends_with_the_same_bytes(folder: Path) -> None:
    whole = audit(plan(folder, out=str(folder / "whole")), executor=Here()).index.parent
    out = folder / "stopped"
    out.mkdir()
    (out / "pseudonym.key").write_bytes((folder / "whole" / "pseudonym.key").read_bytes())

    def stop(progress: Progress) -> None:
        if progress.doing and progress.done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        audit(plan(folder, out=str(out)), executor=Here(), progress=stop)
    (stopped,) = (path for path in out.iterdir() if path.is_dir())
    kept = {path.name: path.stat().st_mtime_ns for path in (stopped / "probes").iterdir()}
    assert len(kept) == 2
    audit(plan(folder, out=str(out)), executor=Here())
    assert {name: (stopped / "probes" / name).stat().st_mtime_ns for name in kept} == kept
    for path in sorted((whole / "probes").iterdir()):
        assert (stopped / "probes" / path.name).read_bytes() == path.read_bytes()
    for table in ("probes.csv", "readouts.csv"):
        assert (stopped / table).read_bytes() == (whole / table).read_bytes()
