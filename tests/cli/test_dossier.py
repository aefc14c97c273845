"""Dossier: `heatproof dossier`, its output, its template, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipeline.cli import main
from pipeline.dossier.forms import FORMS
from tests.cli.test_main import ask
from tests.damage.run_folders import make_sound_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound_run(tmp_path_factory.mktemp("cli") / "run")


def test_it_prints_the_fields_filled_of_those_asked_per_form(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use, out = tmp_path / "use.yaml", tmp_path / "out"
    assert main.main(["dossier", "--template", str(use)]) == main.DONE
    use.write_text(use.read_text(encoding="utf-8").replace("  contact:", "  contact: me #"), encoding="utf-8")
    capsys.readouterr()
    assert main.main(["dossier", str(run), "--out", str(out)]) == main.DONE
    without = capsys.readouterr().out
    assert main.main(["dossier", str(run), "--out", str(out), "--intended-use", str(use)]) == main.DONE
    said = capsys.readouterr().out.splitlines()
    for form, line in zip(FORMS.values(), said, strict=False):
        assert re.fullmatch(rf"{re.escape(form.title)} +\d+ of \d+ filled, \d+ partly, \d+ open", line)
    assert said[-1] == f"Dossier: {out / 'dossier.html'}"
    blanks = [
        int(text.split(" different questions are open")[0].rsplit("\n", 1)[-1])
        for text in (without, "\n".join(said))
    ]
    assert blanks[0] - blanks[1] == 1
    assert yaml.safe_load((out / "intended-use.yaml").read_text(encoding="utf-8")) == {
        "product": {"contact": "me"}
    }


def test_it_loads_no_network_and_refuses_what_it_cannot_use(run: Path, tmp_path: Path) -> None:
    wrong, full = tmp_path / "wrong.yaml", tmp_path / "full"
    wrong.write_text("use: {populatoin: adults}", encoding="utf-8")
    full.mkdir()
    (full / "mine.txt").write_text("x")
    out = str(tmp_path / "out")
    lines = [
        ["dossier", str(run), "--out", out],
        ["dossier", str(run)],
        ["dossier", str(run), "--out", str(full)],
        ["dossier", str(run), "--out", out, "--intended-use", str(wrong)],
        ["dossier", str(run), "--out", out, "--intended-use", str(tmp_path / "lost.yaml")],
        ["dossier", "--template", str(wrong)],
        ["dossier", "lost", "--out", str(tmp_path / "other")],
    ]
    (code, _, heavy), *refused = ask(lines, tmp_path)
    assert (code, heavy) == (main.DONE, [])
    assert [code for code, _, _ in refused] == [main.NOT_STARTED] * 6
    whys = (
        "wants RUN and --out FOLDER, or --template FILE.yaml alone",
        "holds files that are no dossier; choose an empty or a new folder",
        "use.populatoin: unknown key; did you mean 'population'?",
        "lost.yaml: cannot be read",
        "wrong.yaml exists already",
        "manifest.json: cannot be read",
    )
    for (_, said, _), why in zip(refused, whys, strict=True):
        assert why in said
    assert not (tmp_path / "other").exists()
