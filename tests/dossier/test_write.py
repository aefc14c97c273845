"""Write: the files of a dossier, what they hold, and folders that are refused."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.dossier.forms import FORMS
from pipeline.dossier.intended_use import FILE
from pipeline.dossier.write import CARD, CONTENT, ITEMS, WHOLE, Dossier, write_dossier
from pipeline.errors import ConfigError
from tests.reporting.run_folder import HOSTILE, make_run

FILES = {
    "index.html", "README.md", WHOLE, ITEMS, CONTENT, CARD, FILE,
    *(f"{name}{suffix}" for name in FORMS for suffix in (".html", ".md")),
}  # fmt: skip


@pytest.fixture
def out(written: Dossier) -> Path:
    return written.index.parent


def test_the_folder_holds_every_form(out: Path) -> None:
    assert {path.name for path in out.iterdir()} == FILES


def test_counts_agree_wherever_they_stand(out: Path, written: Dossier) -> None:
    content = json.loads((out / CONTENT).read_text(encoding="utf-8"))
    index = (out / "index.html").read_text(encoding="utf-8")
    with (out / ITEMS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for filled, stored in zip(written.forms, content["forms"], strict=True):
        assert (stored["asked"], stored["filled"]) == (len(filled.items), filled.counts["filled"])
        assert f'aria-label="{filled.counted}"' in index
        assert f"Fields: {filled.counted}." in (out / f"{filled.form.name}.md").read_text(encoding="utf-8")
        open_items = {
            row["item"] for row in rows if row["form"] == filled.form.name and row["state"] == "open"
        }
        assert len(open_items) == filled.counts["open"] + filled.counts["partly"]


def test_every_blank_is_named_in_every_form_that_asks_for_it(out: Path, written: Dossier) -> None:
    for filled in written.forms:
        html = (out / f"{filled.form.name}.html").read_text(encoding="utf-8")
        text = (out / f"{filled.form.name}.md").read_text(encoding="utf-8")
        for item in filled.items:
            for name in item.open:
                assert f"Open: {name}".replace("'", "&#39;") in html
                assert f"* **OPEN:** {name}" in text
    assert written.open > 60


def test_pages_load_nothing_and_run_nothing(out: Path) -> None:
    for path in out.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert HOSTILE not in text
        assert re.findall(r'(?:src|href)="(?![#\w-]+(?:\.\w+)?")([^"]*)"', text) == ["data:,"]
        assert "default-src 'none'" in text.replace("&#39;", "'")


def test_links_of_pages_lead_somewhere(out: Path) -> None:
    for path in out.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r'href="([^"#]*)(?:#[^"]*)?"', text):
            assert target in {"", "data:,"} or (out / target).exists()
        ids = set(re.findall(r'id="([^"]+)"', text))
        assert set(re.findall(r'href="#([^"]+)"', text)) <= ids


def test_no_cell_is_a_formula_and_no_identifier_is_told(run: Path, out: Path) -> None:
    with (out / ITEMS).open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    with (run / "crosswalk.csv").open(encoding="utf-8", newline="") as file:
        secrets = {row["sop_instance_uid"] for row in csv.DictReader(file)} - {""}
    everything = "".join(path.read_text(encoding="utf-8") for path in out.iterdir())
    assert secrets
    assert not [uid for uid in secrets if uid in everything]


def test_the_same_run_gives_the_same_bytes_and_an_older_dossier_is_replaced(
    run: Path, intended_use: Path, out: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    write_dossier(run, again, intended_use=intended_use)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in out.iterdir()
    }
    (again / "notes.txt").write_text("mine")
    write_dossier(run, again)
    assert {path.name for path in again.iterdir()} == FILES - {FILE} | {"notes.txt"}


def test_the_dossier_says_what_was_changed_after_the_run(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / "summary.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "0.6"), encoding="utf-8")
    written = write_dossier(copy, tmp_path / "out")
    assert "summary.csv is not as the run wrote it" in written.index.read_text(encoding="utf-8")


def test_folders_of_strangers_are_refused(run: Path, tmp_path: Path) -> None:
    strange, file, link = tmp_path / "strange", tmp_path / "file", tmp_path / "link"
    strange.mkdir()
    (strange / "thesis.tex").write_text("x")
    file.write_text("x")
    link.symlink_to(strange)
    for out, why in (
        (strange, "holds files that are no dossier"),
        (file, "is a file"),
        (link, "is a link"),
        (run, "lies in the run's folder"),
        (run / "dossier", "lies in the run's folder"),
    ):
        with pytest.raises(ConfigError, match=why):
            write_dossier(run, out)
    assert [path.name for path in strange.iterdir()] == ["thesis.tex"]
    (strange / CONTENT).write_text('{"kind": "something else"}')
    with pytest.raises(ConfigError, match="no dossier"):
        write_dossier(run, strange)


def test_a_link_in_an_older_dossier_is_refused(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_dossier(run, out)
    (out / "index.html").unlink()
    (out / "index.html").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        write_dossier(run, out)


def test_a_run_of_an_old_version_is_filled_as_far_as_it_goes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=6, labels=False, baselines=False)
    (run / "predictions.csv").unlink()
    written = write_dossier(run, tmp_path / "out")
    assert all(filled.counts["open"] for filled in written.forms)
    fda = next(filled for filled in written.forms if filled.form.name == "fda-ai-device")
    states = {item.item.number: item.state for item in fda.items}
    assert (states["P6"], states["P3"], states["D3"]) == ("open", "open", "open")
