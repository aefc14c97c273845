"""Outputs: files of a run that are no longer as it wrote them are named, in the terminal and on pages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.errors import ConfigError
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.outputs import OUTPUTS, changed_results
from tests.reporting.run_folder import make_run
from tests.statistics.runs import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run as its command left it."""
    folder = make_run(tmp_path / "run", cases=3)
    state_outputs(folder)
    return folder


def state_outputs(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"outputs": OUTPUTS}))
    write_output_hashes(run, hash_outputs(run))


def changed(run: Path) -> dict[str, str]:
    return changed_results(run, read_manifest(run))


def edit(run: Path) -> None:
    """Another number, within what the table may hold."""
    table = run / "summary.csv"
    text = table.read_text()
    place = text.index("0.") + 2
    table.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :])


def test_sha256sum_agrees(run: Path) -> None:
    command = ["sha256sum", "--check", "--strict", OUTPUTS]
    ended = subprocess.run(command, cwd=run, capture_output=True, check=False)
    assert ended.returncode == 0
    assert b"summary.csv: OK" in ended.stdout
    assert b"case.json: OK" in ended.stdout
    assert changed(run) == {}


def test_a_changed_table_and_a_missing_one_are_named(run: Path) -> None:
    edit(run)
    (run / "unmatched.csv").unlink(missing_ok=True)
    (run / "skipped.csv").unlink()
    found = changed(run)
    assert found["summary.csv"] == "is not as the run wrote it"
    assert found["skipped.csv"] == "is missing"


def test_runs_of_older_versions_are_not_doubted_and_others_miss_their_hashes(run: Path) -> None:
    (run / OUTPUTS).unlink()
    assert changed(run) == {OUTPUTS: "is missing"}
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["outputs"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert changed(run) == {}


@pytest.mark.parametrize(
    "line",
    ["abc  summary.csv", f"{'a' * 64} summary.csv", f"{'A' * 64}  x", f"{'a' * 64}  ", "\0", "", "x" * 9999],
)
def test_a_damaged_file_of_hashes_is_refused(line: str, run: Path) -> None:
    with (run / OUTPUTS).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ConfigError, match=r"outputs.sha256: line \d+: .*wanted a sha256 and the name"):
        changed(run)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "cases/../../secret", "./x", "summary.csv"])
def test_names_lead_nowhere_else_and_come_once(name: str, run: Path) -> None:
    (run.parent / "secret").write_text("x")
    with (run / OUTPUTS).open("a") as file:
        file.write(f"{'a' * 64}  {name}\n")
    with pytest.raises(ConfigError, match=r"outputs.sha256: line \d+: found .*wanted a file of the run"):
        changed(run)


def test_report_shows_what_was_changed_on_its_page_and_in_the_terminal(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run)]) == 0
    assert "changed after it" not in capsys.readouterr().out + (run / "index.html").read_text()
    edit(run)
    assert main(["report", str(run)]) == 0
    said = "summary.csv is not as the run wrote it"
    assert f"Warning: Files of the run run were changed after it: {said}." in capsys.readouterr().out
    assert f"Files of this run were changed after it: {said}." in (run / "index.html").read_text()
    one = tmp_path / "one.html"
    assert main(["report", str(run), "--single-file", str(one)]) == 0
    assert said in capsys.readouterr().out
    assert said in one.read_text()


def test_compare_shows_what_was_changed_on_its_page_and_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = [(f"c{number}", "gradcam", "iou", number / 4) for number in range(4)]
    runs = [write_run(tmp_path / name, scores) for name in ("one", "other")]
    for run in runs:
        state_outputs(run)
    out = ["--out", str(tmp_path / "out")]
    assert main(["compare", *map(str, runs), *out]) == 0
    assert "changed" not in capsys.readouterr().out
    table = runs[1] / "scores.csv"
    table.write_text(table.read_text().replace("0.25", "0.75"))
    assert main(["compare", *map(str, runs), *out]) == 0
    printed = capsys.readouterr().out
    said = "were changed after it: scores.csv is not as the run wrote it."
    assert f"Warning: Files of the run other {said}" in printed
    assert "the run one were" not in printed
    page = Path(printed.split("Page: ")[1].strip()).read_text()
    assert f"Files of run B {said}" in page
