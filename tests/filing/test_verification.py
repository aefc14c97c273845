"""Verification: every change of a run's folder is named; what Heatproof wrote later is told from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cohort.pseudonyms import open_pseudonyms, write_key
from pipeline.errors import ConfigError
from pipeline.filing.verification import verify_run
from pipeline.review.results import review
from pipeline.run.crosswalk import SEAL, crosswalk_seal
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run.report import redraw, report
from pipeline.run_files.outputs import LATER, OUTPUTS
from tests.damage.run_folders import make_sound_run
from tests.review.test_results import by_turns, decided

CASE = "cases/0000c0ffee"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run as its command left it, with its key beside it."""
    folder = tmp_path_factory.mktemp("runs")
    run = make_sound_run(folder / "run")
    write_key(open_pseudonyms(folder / "pseudonym.key"), folder / "pseudonym.key")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest |= crosswalk_seal(run, open_pseudonyms(folder / "pseudonym.key"))
    (run / "manifest.json").write_text(json.dumps(manifest))
    write_output_hashes(run, hash_outputs(run))
    report(run)
    write_output_hashes(run, hash_outputs(run))
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made.parent / "pseudonym.key", tmp_path)
    return Path(shutil.copytree(made, tmp_path / "run"))


def faults(run: Path) -> dict[str, str]:
    return {file.name: file.state for file in verify_run(run).faults}


def test_an_untouched_run_is_as_it_was_written(run: Path) -> None:
    found = verify_run(run)
    assert found.passed
    assert set(found.counts) == {"as_written"}
    there = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert {file.name for file in found.files} == there - {OUTPUTS, "crosswalk.csv"}
    assert found.crosswalk == "is as the run wrote it"


@pytest.mark.parametrize(
    "name",
    [
        "summary.csv", "manifest.json", "provenance.json", "index.html", "static/report.css",
        "static/page.js", "cases/run.js", f"{CASE}/index.html", f"{CASE}/case.json", f"{CASE}/case.js",
        f"{CASE}/pixels.js", f"{CASE}/thumbnail.jpg", "baselines.npz", "regions.json",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b" "), "changed"),
        (lambda path: path.write_bytes(b""), "changed"),
        (lambda path: path.unlink(), "missing"),
    ],
    ids=["longer", "emptied", "removed"],
)
def test_a_changed_or_missing_file_is_named(
    run: Path, name: str, change: Callable[[Path], object], state: str
) -> None:
    if name == "manifest.json" and state == "missing":
        pytest.skip("without its manifest it is no run, and is refused")
    if name == "manifest.json":
        content = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(content | {"title": "Other"}))
    else:
        change(run / name)
    assert faults(run) == {name: state}


@pytest.mark.parametrize(
    "name", ["notes.txt", f"{CASE}/more.json", "static/evil.js", "new/deep/file", ".hidden", "review.csv"]
)
def test_an_added_file_is_named(run: Path, name: str) -> None:
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_text("x")
    assert faults(run) == {name: "added"}


def test_links_are_named_and_not_followed(run: Path) -> None:
    (run / "summary.csv").rename(run.parent / "summary.csv")
    (run / "summary.csv").symlink_to(run.parent / "summary.csv")
    (run / "elsewhere").symlink_to(run.parent)
    assert faults(run) == {"summary.csv": "unreadable", "elsewhere": "unreadable"}


def test_a_removed_line_makes_its_file_an_added_one(run: Path) -> None:
    lines = (run / OUTPUTS).read_text().splitlines(keepends=True)
    (run / OUTPUTS).write_text("".join(line for line in lines if "  summary.csv" not in line))
    assert faults(run) == {"summary.csv": "added"}


def test_a_run_without_hashes_is_refused(run: Path) -> None:
    (run / OUTPUTS).unlink()
    with pytest.raises(ConfigError, match=r"has no outputs.sha256, because it was not finished"):
        verify_run(run)


@pytest.mark.parametrize("content", [b"abc", b"\xff\xfe", b"a" * 64 + b"  ../../etc/passwd\n"])
def test_damaged_hashes_are_refused(run: Path, content: bytes) -> None:
    (run / OUTPUTS).write_bytes(content)
    with pytest.raises(ConfigError, match=r"outputs.sha256: line 1"):
        verify_run(run)


def test_redrawing_the_same_pages_notes_nothing(run: Path) -> None:
    redraw(run)
    assert not (run / LATER).exists()
    assert verify_run(run).counts["as_written"] == len(verify_run(run).files)


def test_pages_of_another_version_are_told_from_changes(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.reporting.pages.POLICY", "default-src 'none'")
    monkeypatch.setattr("pipeline.run.output_hashes.__version__", "9.9.9")
    redraw(run)
    found = verify_run(run)
    assert found.passed
    later = {file.name: file.by for file in found.files if file.state == "later"}
    assert later.keys() == {
        *("index.html", "glossary.html"),
        *(f"cases/{path.name}/index.html" for path in run.glob("cases/*c0ffee")),
    }
    assert set(later.values()) == {"heatproof report 9.9.9"}
    (run / "index.html").write_text("forged")
    assert faults(run) == {"index.html": "changed"}


def test_redrawing_does_not_hide_a_changed_table(run: Path) -> None:
    table = run / "summary.csv"
    table.write_text(table.read_text().replace("0.5", "0.6"))
    redraw(run)  # the overview shows what the table holds now, and warns of it
    assert faults(run) == {"summary.csv": "changed"}
    assert verify_run(run).counts["later"] >= 1


def test_a_page_that_a_later_version_no_longer_has_is_told_from_a_missing_one(run: Path) -> None:
    old = run / "static" / "worklist-7.js"
    old.write_text("old")
    write_output_hashes(run, hash_outputs(run))
    assert verify_run(run).passed
    redraw(run)
    assert not old.exists()
    (file,) = (file for file in verify_run(run).files if file.name == "static/worklist-7.js")
    assert (file.state, file.by.split()[:2]) == ("later", ["heatproof", "report"])


def test_a_review_is_told_from_added_files(run: Path) -> None:
    review(run, [decided(run, "Ann", by_turns)])
    found = verify_run(run)
    assert found.passed
    by_review = {file.name for file in found.files if file.by.startswith("heatproof review")}
    assert by_review == {"review.html", "review.csv", "review-summary.csv"}
    (run / "review.csv").write_text("forged")
    assert faults(run) == {"review.csv": "changed"}


def test_what_later_json_says_of_results_counts_for_nothing(run: Path) -> None:
    review(run, [decided(run, "Ann", by_turns)])
    content = json.loads((run / LATER).read_text())
    (run / "summary.csv").write_text("forged")
    content["files"]["summary.csv"] = {"sha256": hash_outputs(run)["summary.csv"], "by": "heatproof report 1"}
    content["removed"]["scores.csv"] = "heatproof report 1"
    (run / LATER).write_text(json.dumps(content))
    (run / "scores.csv").unlink()
    assert faults(run) == {"summary.csv": "changed", "scores.csv": "missing"}


def test_the_later_list_of_another_run_counts_for_nothing(run: Path) -> None:
    review(run, [decided(run, "Ann", by_turns)])
    content = json.loads((run / LATER).read_text())
    (run / LATER).write_text(json.dumps(content | {"outputs_sha256": "0" * 64}))
    assert faults(run)["review.csv"] == "added"
    assert faults(run)["index.html"] == "changed"


def test_the_crosswalk_is_checked_by_its_keyed_hash(run: Path) -> None:
    crosswalk = run / "crosswalk.csv"
    text = crosswalk.read_text()
    crosswalk.write_text(text.replace("1.0000c0ffee", "1.0000c0ffef"))
    found = verify_run(run)
    assert not found.passed
    assert "is not as the run wrote it" in found.crosswalk
    (run.parent / "pseudonym.key").unlink()
    assert "cannot be checked without pseudonym.key" in verify_run(run).crosswalk
    crosswalk.unlink()
    assert verify_run(run).passed
    assert verify_run(run).crosswalk == "is not here; it belongs to the owner of the data alone"
    assert not (run.parent / "pseudonym.key").exists()


def test_pages_of_a_run_of_an_older_version_are_not_doubted(run: Path) -> None:
    write_output_hashes(run, hash_outputs(run, with_pages=False))
    found = verify_run(run)
    assert found.passed
    assert found.counts["uncovered"] > 20


def test_the_command_names_files_and_ends_with_its_exit_code(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(run)]) == 0
    printed = capsys.readouterr().out
    count = len(verify_run(run).files)
    assert printed.startswith(f"{count} of {count} files as the run wrote them\ncrosswalk.csv is as the run")
    assert f"SHA-256 of outputs.sha256: {verify_run(run).sha256}" in printed
    (run / "summary.csv").write_text("x")
    (run / "scores.csv").unlink()
    (run / "a\x1b[31mb").write_text("x")
    assert main(["verify", str(run)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["state", "file"], ["added", r"a\x1b[31mb"], ["missing", "scores.csv"], ["changed", "summary.csv"],
    ]  # fmt: skip
    assert (
        lines[4] == f"{count - 2} of {count + 1} files as the run wrote them; 1 changed, 1 missing, 1 added"
    )


def test_the_command_refuses_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "manifest.json" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "lost.html")]) == 2
    assert "lost.html" in capsys.readouterr().err


def test_a_name_with_the_end_of_a_line_takes_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "a\n700 of 700 files as the run wrote them").write_text("x")
    assert main(["verify", str(run)]) == 1
    assert not any(line.startswith("700 of 700") for line in capsys.readouterr().out.splitlines())


def test_a_key_of_something_else_leaves_the_files_to_be_checked(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.parent / "pseudonym.key").write_bytes(b"of another program")
    assert main(["verify", str(run)]) == 0
    assert "crosswalk.csv cannot be checked, because pseudonym.key" in capsys.readouterr().out


def test_a_seal_that_is_no_hash_fits_nothing(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {SEAL: "é"}))
    assert not verify_run(run).crosswalk_is_sound
