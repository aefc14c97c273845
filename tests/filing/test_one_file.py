"""One file: a single-file report states its own hash and that of its run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run.report import report, report_in_one_file
from pipeline.run_files.outputs import OUTPUTS, sha256_of
from pipeline.run_files.sealing import is_sealed, sealed
from tests.reporting.run_folder import make_run


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    run = make_run(tmp_path / "run", cases=3)
    report(run)
    write_output_hashes(run, hash_outputs(run))
    report_in_one_file(run, tmp_path / "sent.html", cases=1)
    return tmp_path / "sent.html"


@pytest.mark.parametrize("content", [b"a\n", b"\n\n", "ä\nb\n".encode()])
def test_a_seal_fits_its_content_and_no_other(content: bytes) -> None:
    assert is_sealed(sealed(content)) is True
    assert is_sealed(b"b" + sealed(content)) is False
    assert is_sealed(content) is None
    assert is_sealed(sealed(content) + b"<script>") is None


def test_a_single_file_states_its_run_and_itself(sent: Path) -> None:
    text = sent.read_text()
    assert sha256_of(sent.parent / "run" / OUTPUTS) in text
    assert text.count("SHA-256 of outputs.sha256: ") == 1
    assert is_sealed(sent.read_bytes()) is True


def test_the_command_tells_a_changed_file(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(sent)]) == 0
    assert "sent.html is as Heatproof wrote it" in capsys.readouterr().out
    sent.write_text(sent.read_text().replace("better", "worse", 1).replace("points", "looks", 1))
    assert main(["verify", str(sent)]) == 1
    assert "sent.html is not as Heatproof wrote it" in capsys.readouterr().out


def test_a_file_with_nothing_to_compare_is_refused(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = sent.read_text().splitlines(keepends=True)
    sent.write_text("".join(lines[:-1]))
    assert main(["verify", str(sent)]) == 2
    assert (
        "has neither a seal, as single-file reports have in their last line, nor a" in capsys.readouterr().err
    )


def test_sharing_changes_no_file_of_the_run(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sent.parent / "run"
    page = run / "index.html"
    page.write_text(page.read_text() + "<!-- as an older version drew it -->")
    write_output_hashes(run, hash_outputs(run))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*")}
    out = sent.parent / "again.html"
    assert main(["report", str(run), "--single-file", str(out), "--cases", "1"]) == 0
    assert "(1 of 3 cases; --cases 3 takes all of them, " in capsys.readouterr().out
    after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*")}
    assert after == before
    assert "as an older version" not in out.read_text()
    assert sorted(path.name for path in sent.parent.iterdir()) == ["again.html", "run", "sent.html"]


def test_a_damaged_file_is_named_by_its_place_in_the_run(
    sent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = sent.parent / "run"
    damaged = next(run.glob("cases/*/case.json"))
    damaged.write_text("{}")
    assert main(["report", str(run), "--single-file", str(sent.parent / "again.html")]) == 2
    said = capsys.readouterr().err
    assert f"{damaged}: " in said
    assert ".sharing-" not in said
