"""Figures of a run: where contours lie, how long scale bars are, what text says, and that nobody is named."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.geometry import resample_to_image
from pipeline.reporting.figures import figure as figures
from pipeline.reporting.figures.options import CLASSIC, FigureOptions
from pipeline.reporting.figures.primitives import POINTS_PER_INCH, Drawing, Line, Picture, rgb_of
from pipeline.reporting.figures.stored import stored_map
from pipeline.reporting.figures.style import BAR_STROKE, NETWORK
from pipeline.reporting.run_folder import read_run
from pipeline.run.figure import write_figure
from tests.reporting.run_folder import make_run

CASE, FINDING = "0000c0ffee", "benign"
SHAPE = (180, 240)
SPACING = 0.4
SVG = "{http://www.w3.org/2000/svg}"
PLAIN = FigureOptions(contours="network", dpi=100)
FINE = replace(PLAIN, dpi=300)
LENGTH = re.compile(r"[\d.]+ mm")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), cases=4, shape=SHAPE)


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """The drawings that figures are made of."""
    made: list[Drawing] = []
    lay_out = figures.lay_out
    monkeypatch.setattr(figures, "lay_out", lambda *a, **k: made.append(lay_out(*a, **k)) or made[-1])
    return made


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def scale_bar(drawing: Drawing) -> tuple[Line, float]:
    """The only scale bar, and the millimetres that are written at it."""
    (bar,) = (item for item in drawing.items if isinstance(item, Line) and item.width == BAR_STROKE)
    (words,) = (text for text in drawing.texts() if LENGTH.fullmatch(text))
    return bar, float(words.split()[0])


def panels(drawing: Drawing) -> list[Picture]:
    """Image, reference and maps, without scales."""
    return [item for item in drawing.items if isinstance(item, Picture) and item.frame.height > 20]


def test_contours_lie_on_the_edges_of_their_regions(
    run: Path, tmp_path: Path, drawings: list[Drawing]
) -> None:
    write_figure(run, [CASE], tmp_path / "a.png", options=FINE)
    shown, frame = pixels(tmp_path / "a.png"), panels(drawings[0])[-1].frame
    scale = FINE.dpi / POINTS_PER_INCH
    folder = read_run(run)
    case = folder.case(CASE)
    heatmap = stored_map(folder, case, FINDING, "gradcam")
    (level, *_) = {region["level"] for region in case["regions"] if region["finding"] == FINDING}
    inside = resample_to_image(np.maximum(heatmap.relevance, 0), heatmap.placement) >= level
    left, pixel = frame.x * scale, frame.width * scale / SHAPE[1]
    cyan = np.abs(shown - rgb_of(NETWORK)).max(axis=2) < 40
    checked = 0
    for row in np.flatnonzero(inside.any(axis=1))[4:-4:5]:  # edges there are steep enough to be crossed
        line = cyan[round((frame.y + (row + 0.5) * frame.height / SHAPE[0]) * scale)]
        columns = np.flatnonzero(inside[row])
        first, last = left + (columns[0] + 0.5) * pixel, left + (columns[-1] + 0.5) * pixel
        crossings = runs(line[int(left) : round(left + frame.width * scale)])
        starts, ends = crossings[0], crossings[-1]
        assert first - pixel - 0.5 <= left + np.mean(starts) <= first + 0.5  # between the last pixel outside
        assert (
            last - 0.5 <= left + np.mean(ends) <= last + pixel + 0.5
        )  # and the first inside, ± half a pixel
        checked += 1
    assert checked > 5


def runs(line: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of True, widths of a stroke."""
    edges = np.flatnonzero(np.diff(np.r_[0, line.astype(int), 0]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_the_scale_bar_is_as_long_as_it_says(run: Path, tmp_path: Path, drawings: list[Drawing]) -> None:
    write_figure(run, [CASE], tmp_path / "a.png", options=FINE)
    frame = panels(drawings[0])[0].frame
    scale = FINE.dpi / POINTS_PER_INCH
    bar, words = scale_bar(drawings[0])
    row = pixels(tmp_path / "a.png")[round(bar.points[0, 1] * scale), : round(frame.width * scale)]
    (start, end), *_ = [run for run in runs((row > 250).all(axis=1)) if run[1] - run[0] > 20]
    assert words == 20
    assert end - start == pytest.approx(words / SPACING * frame.width * scale / SHAPE[1], abs=1.5)


@pytest.mark.parametrize("spacing", [(0.4, 0.2), (0.2, 0.4)])
def test_pixels_that_are_not_square_keep_their_shape(
    tmp_path: Path, drawings: list[Drawing], spacing: tuple[float, float]
) -> None:
    run = make_run(
        tmp_path / "run", cases=2, shape=(90, 120), vary=lambda case: replace(case, spacing_mm=spacing)
    )
    write_figure(run, [CASE], tmp_path / "a.svg", options=PLAIN)
    frame = panels(drawings[0])[0].frame
    assert frame.height / frame.width == pytest.approx(90 * spacing[0] / (120 * spacing[1]), rel=0.01)
    bar, words = scale_bar(drawings[0])
    length = bar.points[1, 0] - bar.points[0, 0]
    assert length == pytest.approx(words / spacing[1] * frame.width / 120, rel=0.01)


def test_without_a_spacing_there_is_no_bar_and_the_caption_says_so(
    tmp_path: Path, drawings: list[Drawing]
) -> None:
    run = make_run(tmp_path / "run", cases=2, spacing=False)
    write_figure(run, [CASE], tmp_path / "a.svg", options=PLAIN)
    assert not [text for text in drawings[0].texts() if LENGTH.fullmatch(text)]
    assert "No scale bar: the pixel spacing is unknown." in caption(drawings[0])


def caption(drawing: Drawing) -> str:
    return drawing.description


def test_an_svg_is_xml_with_its_caption_as_text_and_loads_nothing(run: Path, tmp_path: Path) -> None:
    write_figure(run, [CASE, "0001c0ffee"], tmp_path / "a.svg", options=FigureOptions(dpi=100))
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert root.get("width") == "180mm"
    texts = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
    for words in (
        "Model: Phantom DenseNet-121 (weights, SHA-256: abababababab…).",
        "Maps: gradcam (layer features.norm5).",
        "Run phantom-0123abcd (2026-11-22, Heatproof 0.1.0).",
        "Contours: pixels at or above 0.6 of the map’s maximum.",
        "0.4 mm between rows, 0.4 mm between columns",
        "0000c0ffee, benign: probability ",
        "0001c0ffee, malignant: probability ",
        "reader: Reader A",
        "reader: Reader B",
    ):
        assert words in texts, words
    addresses = [element.get("href") for element in root.iter() if element.get("href")]
    assert len(addresses) == 2 * 3 + 2
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_pictures_in_an_svg_are_as_fine_as_asked_for(run: Path, tmp_path: Path) -> None:
    widths = []
    for dpi in (75, 150):
        write_figure(run, [CASE], tmp_path / "a.svg", options=replace(PLAIN, dpi=dpi))
        root = ET.parse(tmp_path / "a.svg").getroot()
        data = next(root.iter(f"{SVG}image")).get("href").partition(",")[2]
        with Image.open(BytesIO(base64.b64decode(data))) as image:
            widths.append(image.width)
    assert widths[1] == pytest.approx(2 * widths[0], abs=3)


def test_names_of_any_kind_are_written_as_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=2)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["card"]["name"] = "<b>&\"' \x01 ]]>"
    (run / "manifest.json").write_text(json.dumps(manifest))
    for ending in ("svg", "png"):
        write_figure(run, [CASE], tmp_path / f"a.{ending}", options=PLAIN)
    texts = [element.text for element in ET.parse(tmp_path / "a.svg").getroot().iter(f"{SVG}text")]
    assert any("Model: <b>&\"' \N{REPLACEMENT CHARACTER} ]]>" in text for text in texts)


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        first, second = (
            write_figure(run, [CASE], tmp_path / f"{number}.{ending}", options=PLAIN).content
            for number in (1, 2)
        )
        assert first == second
        assert (tmp_path / f"1.{ending}").read_bytes() == first


def test_a_png_has_its_width_in_pixels_or_millimetres(run: Path, tmp_path: Path) -> None:
    write_figure(run, [CASE], tmp_path / "a.png", options=replace(PLAIN, width=600 / 150 * 72, dpi=150))
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 600
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.02)


def test_contours_and_colours_are_as_asked_for(run: Path, tmp_path: Path, drawings: list[Drawing]) -> None:
    for contours in ("both", "network", "none"):
        write_figure(run, [CASE], tmp_path / "a.svg", options=replace(PLAIN, contours=contours))
    both, network, none = ([i for i in d.items if isinstance(i, Line) and i.clip] for d in drawings)
    of_reference = 2  # in the panel of the reference: a mask and a box
    assert len(both) == len(network) + of_reference
    assert len(none) == of_reference
    assert NETWORK not in {line.colour for line in none}
    write_figure(run, [CASE], tmp_path / "b.svg", options=replace(PLAIN, shading=CLASSIC, own_scale=True))
    plain, classic = (panels(drawing)[-1].pixels.astype(int) for drawing in (drawings[1], drawings[3]))
    assert (np.abs(plain - classic).max(axis=2) > 10).mean() > 0.9  # also where nothing is relevant
    assert "Colours: jet, opacity 0.4, the same everywhere; each map to its own maximum." in caption(
        drawings[3]
    )


def test_maps_in_logits_share_a_scale_unless_each_has_its_own(
    run: Path, tmp_path: Path, drawings: list[Drawing]
) -> None:
    for own in (False, True):
        write_figure(run, [CASE, "0003c0ffee"], tmp_path / "a.svg", options=replace(PLAIN, own_scale=own))
    shared, each = ([t for t in d.texts() if t.endswith(" logit")] for d in drawings)
    assert len(shared) == len(each) == 2
    assert len(set(shared)) == 1
    assert len(set(each)) == 2


def test_baselines_are_drawn_by_the_rule_of_the_run(
    run: Path, tmp_path: Path, drawings: list[Drawing]
) -> None:
    options = replace(PLAIN, methods=("center_prior",))
    write_figure(run, [CASE], tmp_path / "a.svg", options=options)
    (contour,) = (i for i in drawings[0].items if isinstance(i, Line) and i.colour == NETWORK and i.clip)
    frame = panels(drawings[0])[-1].frame
    middle = (contour.points.min(axis=0) + contour.points.max(axis=0)) / 2
    assert middle == pytest.approx([frame.x + frame.width / 2, frame.y + frame.height / 2], abs=1)
    assert "never saw the image" in caption(drawings[0])


def test_what_was_not_drawn_is_said(run: Path, tmp_path: Path, drawings: list[Drawing]) -> None:
    cases = [json.loads(path.read_text()) for path in sorted(run.glob("cases/*/case.json"))]
    case_id, finding = next(
        (case["case_id"], entry["finding"])
        for case in cases
        for entry in case["predictions"]
        if entry["probability"] < entry["threshold"]
    )
    write_figure(run, [case_id], tmp_path / "a.svg", options=replace(PLAIN, findings=(finding,)))
    assert any("no contour: the finding" in text for text in drawings[0].texts())


def test_a_run_says_what_it_cannot_show(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--out: a\.gif ends in '\.gif', wanted \.svg, \.png, \.pdf"):
        write_figure(run, [CASE], tmp_path / "a.gif", options=PLAIN)
    with pytest.raises(ConfigError, match="panels side by side are"):
        write_figure(run, [CASE], tmp_path / "a.png", options=replace(PLAIN, width=60))
    large = replace(PLAIN, width=5000, dpi=1200)
    with pytest.raises(ConfigError, match="million pixels, wanted at most 100"):
        write_figure(run, [CASE], tmp_path / "a.png", options=large)
    assert list(tmp_path.iterdir()) == []


def test_letters_that_the_font_lacks_are_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=2)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["card"]["name"] = "肺"
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert write_figure(run, [CASE], tmp_path / "a.png", options=PLAIN).missing == "肺"
    assert write_figure(run, [CASE], tmp_path / "a.svg", options=PLAIN).missing == ""


def test_figures_hold_pseudonyms_and_no_paths(run: Path, tmp_path: Path) -> None:
    write_figure(run, [CASE], tmp_path / "a.svg", options=FigureOptions(dpi=100))
    write_figure(run, [CASE], tmp_path / "a.png", options=FigureOptions(dpi=100))
    text = (tmp_path / "a.svg").read_text()
    with Image.open(tmp_path / "a.png") as image:
        info = " ".join(str(value) for value in image.info.values())
    assert "phantom-0123abcd" in info
    for words in (re.sub(r'href="data:[^"]*"', "", text), info):
        assert "/nobody/should/see/this/path" not in words
        assert str(tmp_path) not in words
        assert str(run) not in words


def test_a_pdf_is_one_page_as_large_as_the_figure_with_its_text(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    made: Any = write_figure(run, [CASE], tmp_path / "a.pdf", options=FigureOptions(dpi=100)).content
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", made)) == 1
    (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", made)
    assert float(box[0]) == pytest.approx(180 / 25.4 * 72, abs=0.01)
    assert b"/FontFile2" in made  # the font is embedded
    assert b"/DCTDecode" not in made  # no loss
    assert made == write_figure(run, [CASE], tmp_path / "b.pdf", options=FigureOptions(dpi=100)).content
