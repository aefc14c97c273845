"""`heatproof figure`: its options, what it says, and that it loads no network."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.cli import figure, main
from pipeline.reporting.figures import colour_maps, options
from tests.cli.test_main import ask
from tests.reporting.run_folder import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run", cases=3)


def test_a_figure_is_written_and_no_network_loaded(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "figure.png"
    line = ["figure", str(run), "0000c0ffee", "0001c0ffee", "--out", str(out), "--dpi", "72"]
    ((code, said, heavy),) = ask([line], tmp_path)
    assert code == main.DONE, said
    assert heavy == []
    assert "0000c0ffee: benign\n0001c0ffee: malignant\n" in said
    assert f"Figure: {out} (" in said
    with Image.open(out) as image:
        assert image.width == 510


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["000c0ffee"], "CASE: '000c0ffee' is not a case of the run phantom-0123abcd; did you mean"),
        (
            ["0000c0ffee", "--findings", "benin"],
            "--findings: 'benin' is not a finding of the run; did you mean",
        ),
        (
            ["0000c0ffee", "--methods", "cam"],
            "--methods: 'cam' is not a method of the run; did you mean gradcam",
        ),
        (["0000c0ffee", "--opacity", "2"], "--opacity: found 2, wanted 0 to 1"),
        (["0000c0ffee", "--opacity", "nan"], "--opacity: found nan, wanted 0 to 1"),
        (["0000c0ffee", "--width", "5cm"], "--width: found '5cm', wanted millimetres or pixels"),
        (["0000c0ffee", "--font", "lost.ttf"], "--font: lost.ttf is not a TrueType font"),
    ],
)
def test_what_cannot_be_done_is_named_and_nothing_written(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], complaint: str
) -> None:
    arguments = ["figure", str(run), *given, "--out", str(tmp_path / "a.svg")]
    assert main.main(arguments) == main.NOT_STARTED
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_classic_overlay_is_one_option_that_others_change(run: Path, tmp_path: Path) -> None:
    texts = []
    for given in (["--classic"], ["--classic", "--opacity", "0.6"], ["--colours", "viridis"]):
        out = tmp_path / "a.svg"
        assert (
            main.main(["figure", str(run), "0000c0ffee", *given, "--out", str(out), "--dpi", "72"])
            == main.DONE
        )
        texts.append(out.read_text())
    assert "Colours: jet, opacity 0.4, the same everywhere; each map to its own maximum." in texts[0]
    assert "Colours: jet, opacity 0.6, the same everywhere" in texts[1]
    assert "Colours: viridis, opacity 0.7, less below half of the scale; one scale per finding" in texts[2]


def test_methods_that_are_not_shown_are_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "MOST_MAPS", 0)
    assert main.main(["figure", str(run), "0000c0ffee", "--out", str(tmp_path / "a.svg")]) == main.DONE
    assert "Not shown: gradcam; choose maps with --methods" in capsys.readouterr().out


def test_choices_are_those_of_the_figures() -> None:
    assert figure.COLOURS == colour_maps.COLOUR_MAPS
    assert figure.CONTOURS == options.CONTOURS
