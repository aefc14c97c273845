"""PDF: the overview as Chromium prints it: run, hash and number on every page, white, without a path."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from pipeline.cli.main import main
from pipeline.errors import ConfigError
from pipeline.filing.overview_pdf import html_to_pdf
from pipeline.filing.printing import find_browser, print_pdf
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from tests.browser.conftest import CHROMIUM
from tests.damage.run_folders import make_sound_run
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

PAPER = (595, 842)
"""A4 in points."""


@pytest.fixture(autouse=True)
def browser_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", CHROMIUM)


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("filed") / "run", cases=9, shape=(180, 240))
    write_report(run)
    write_output_hashes(run, hash_outputs(run))
    return run


@pytest.fixture(scope="module")
def printed(filed: Path) -> Path:
    out = filed.parent / "out" / "report.pdf"
    os.environ["CHROMIUM"] = CHROMIUM
    assert main(["report", str(filed), "--pdf", str(out)]) == 0
    return out


def texts(pdf: Path) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


def test_every_page_has_run_hash_and_number(filed: Path, printed: Path) -> None:
    pages = texts(printed)
    sha256 = hashlib.sha256((filed / "outputs.sha256").read_bytes()).hexdigest()
    assert 4 <= len(pages) <= 12
    for number, text in enumerate(pages, start=1):
        assert "Run phantom-0123abcd" in text
        assert f"SHA-256 of outputs.sha256: {sha256}" in text
        assert f"{number} / {len(pages)}" in text
    assert "Does it look where the radiologists look?" in pages[0]
    assert any("Limits of this audit" in text for text in pages)


def test_a_path_may_be_relative(filed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(filed), "--pdf", "report.pdf"]) == 0
    assert len(pypdfium2.PdfDocument(tmp_path / "report.pdf")) >= 1


def test_paper_is_white_a4_and_nothing_runs_over_its_edge(printed: Path) -> None:
    for page in pypdfium2.PdfDocument(printed):
        assert [round(side) for side in page.get_size()] == list(PAPER)
        picture = page.render(scale=1).to_pil().convert("L")
        edge = [picture.crop(box) for box in ((0, 0, 20, 842), (575, 0, 595, 842))]
        assert [low for part in edge for low, _ in [part.getextrema()]] == [255, 255]
        assert picture.getpixel((40, 820)) == 255


def test_all_rows_of_the_worklist_and_the_charts_colours_are_there(printed: Path) -> None:
    text = "\n".join(texts(printed))
    assert all(f"000{number}c0ffee" in text for number in range(9))
    pictures = [page.render(scale=1).to_numpy() for page in pypdfium2.PdfDocument(printed)]
    blue = sum(int(((a[..., 0].astype(int) - a[..., 2]) > 60).sum()) for a in pictures)  # pixels are BGR
    assert blue > 500


def test_no_path_of_this_machine_and_no_link_out_of_the_file_is_in_it(filed: Path, printed: Path) -> None:
    raw = printed.read_bytes()
    assert b"file:" not in raw
    assert str(filed.parent).encode() not in raw
    assert b"/URI" not in raw


def test_a_dossier_is_printed_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filed, out = make_sound_run(tmp_path / "run"), tmp_path / "dossier.pdf"
    assert main(["dossier", str(filed), "--out", str(tmp_path / "dossier"), "--pdf", str(out)]) == 0
    pages = texts(out)
    assert f"PDF: {out} ({len(pages)} pages, " in capsys.readouterr().out
    sha256 = hashlib.sha256((filed / "outputs.sha256").read_bytes()).hexdigest()
    assert all("Run phantom-0123abcd" in text and sha256 in text for text in pages)
    assert all(f"{number} / {len(pages)}" in text for number, text in enumerate(pages, start=1))
    assert any("EU AI Act" in text for text in pages)
    assert b"file:" not in out.read_bytes()
    for page in pypdfium2.PdfDocument(out):
        edge = page.render(scale=1).to_pil().convert("L").crop((575, 0, 595, 842))
        assert edge.getextrema() == (255, 255)


def test_the_run_is_not_changed(filed: Path, printed: Path) -> None:
    assert printed.is_file()
    assert main(["verify", str(filed)]) == 0
    assert [path.name for path in printed.parent.iterdir()] == ["report.pdf"]


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and the paths that somebody asked it for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}", asked
        served.shutdown()


def test_nothing_is_fetched_while_a_page_is_printed(
    server: tuple[str, list[str]], filed: Path, tmp_path: Path
) -> None:
    address, asked = server
    html = f"""<!doctype html><html><head><title>Nosy</title><link rel="stylesheet" href="{address}/a.css">
<script src="{address}/b.js"></script></head><body><img src="{address}/c.png">
<img src="{address.replace("127.0.0.1", "localhost")}/d.png"><a href="{address}/e">out</a> <a href="#x">in</a>
<script>fetch("{address}/f"); navigator.sendBeacon("{address}/g");</script><p id="x">here</p></body></html>"""
    assert html_to_pdf(html, tmp_path / "nosy.pdf", run=filed) == 1
    assert asked == []
    assert "here" in texts(tmp_path / "nosy.pdf")[0]


def test_a_title_of_any_letters_is_recognised(tmp_path: Path) -> None:
    for title in ("Plain (a\\b)", "Größe – 肺", "x" * 300):
        html = f"<!doctype html><title>{title}</title><p>text"
        assert print_pdf(html, tmp_path / "a.pdf", title=title) == 1


@pytest.mark.parametrize("name", ["a.pdf", "reports/a.pdf"])
def test_a_relative_path_is_printed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert print_pdf("<!doctype html><title>Ours</title><p>text", Path(name), title="Ours") == 1
    assert "text" in texts(tmp_path / name)[0]
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == ["a.pdf"]


def test_another_page_than_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="made no PDF of the page"):
        print_pdf("<!doctype html><title>Error</title>", tmp_path / "a.pdf", title="Ours")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_browser_is_named_with_what_to_install(
    filed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "lost"))
    assert main(["report", str(filed), "--pdf", str(tmp_path / "a.pdf")]) == 2
    said = capsys.readouterr().err
    assert "lost is not a program; install Chromium (Debian: apt install chromium)" in said
    assert "or open index.html in any browser and print it" in said
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="a PDF is printed by Chromium, and Chromium is not installed"):
        find_browser()


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("Chromium 130.0.6723.1", "is version 130, and page numbers need 131"),
        ("?", "does not tell its version"),
    ],
)
def test_a_browser_that_cannot_number_pages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, complaint: str
) -> None:
    old = tmp_path / "chromium"
    old.write_text(f"#!/bin/sh\necho '{version}'\n")
    old.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(old))
    with pytest.raises(ConfigError, match=complaint):
        find_browser()
