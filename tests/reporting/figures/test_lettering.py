"""Text in lines, and letters that a font lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.figures.lettering import Lettering, writable


@pytest.fixture(scope="module")
def lettering() -> Lettering:
    return Lettering.bundled()


def test_lines_are_no_wider_than_allowed_and_lose_no_word(lettering: Lettering) -> None:
    text = "Run reference_model-ada3a185 of a very long name " * 4 + "x" * 200
    lines = lettering.lines(text, width=120, size=7)
    assert max(lettering.width(line, 7) for line in lines) <= 120
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_too_many_lines_end_in_an_ellipsis(lettering: Lettering) -> None:
    lines = lettering.lines("one two three four five six", width=30, size=7, most=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert lettering.width(lines[-1], 7) <= 30


def test_letters_of_europe_are_there_and_others_are_named(lettering: Lettering) -> None:
    assert lettering.missing(["Ödème à gauche – płuco, × ≥ 0.5 mm² Πνεύμονας лёгкое…’"]) == ""
    assert lettering.missing(["肺 nodule 肺", "結節"]) == "".join(sorted("肺結節"))


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_text("no font")
    for name in ("font.ttf", "lost.ttf"):
        with pytest.raises(ConfigError, match=f"--font: {name} is not a TrueType font"):
            Lettering.read(tmp_path / name)


def test_what_xml_does_not_allow_is_replaced() -> None:
    assert writable("a\0b\x1bc\ud800d\ufffe") == "a�b�c�d�"
    assert writable("tab\tline\n é 𝄞") == "tab\tline\n é 𝄞"
