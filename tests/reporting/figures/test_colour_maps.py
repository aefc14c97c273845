"""Images and maps as pixels: windows, colours and opacities by hand."""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import pytest

from pipeline.records import Display
from pipeline.reporting.figures.colour_maps import Shading, grey, overlaid, resized, table_of
from pipeline.reporting.figures.options import CLASSIC
from pipeline.reporting.figures.style import DASHES, NETWORK, READERS, dashes_of


def test_the_window_goes_from_black_to_white_and_may_be_turned() -> None:
    values = np.array([[0, 50, 75, 100, 200]], np.uint16)
    assert grey(Display(values, 50, 100))[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    assert grey(Display(values, 100, 50))[0, :, 0].tolist() == [255, 255, 128, 0, 0]


def test_jet_is_blue_green_red_and_inferno_ends_in_pale_yellow() -> None:
    jet, inferno = table_of("jet"), table_of("inferno")
    assert jet[[0, 128, 255]].tolist() == [[0, 0, 128], [130, 255, 126], [128, 0, 0]]
    assert inferno[[0, 255]].tolist() == [[0, 0, 4], [252, 255, 164]]


def test_relevance_below_half_of_the_scale_fades_and_none_leaves_the_image() -> None:
    image = np.full((1, 4, 3), 100, np.uint8)
    relevance = np.array([[0, 1, 2, 4]], np.float32)
    shown = overlaid(image, relevance, top=4, shading=Shading("inferno", 1.0))
    assert shown[0, 0].tolist() == [100, 100, 100]
    assert shown[0, 3].tolist() == table_of("inferno")[255].tolist()
    assert shown[0, 2].tolist() == table_of("inferno")[128].tolist()
    half = (table_of("inferno")[64].astype(float) + 100) / 2
    assert shown[0, 1].tolist() == pytest.approx(half, abs=2)


def test_the_classic_overlay_lies_over_the_whole_image() -> None:
    image = np.full((1, 2, 3), 100, np.uint8)
    shown = overlaid(image, np.array([[0, 5]], np.float32), top=5, shading=CLASSIC)
    assert shown[0].tolist() == [[60, 60, 111], [111, 60, 60]]


def test_pictures_keep_their_edges_when_they_change_their_size() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[:, 1] = 200
    assert resized(pixels, rows=4, columns=4)[0, :, 0].tolist() == [0, 50, 150, 200]
    assert resized(resized(pixels, rows=8, columns=8), rows=1, columns=1)[0, 0, 0] == 100


def test_colours_and_dashes_are_those_of_the_pages() -> None:
    css = resources.files("pipeline.reporting").joinpath("static", "figures.css").read_text()
    assert re.search(r"--network: (#\w+);", css)[1] == NETWORK
    assert tuple(re.findall(r"--reader-\d: (#\w+);", css)) == READERS
    dashes = re.findall(r"\.line\.reader-\d \{[^}]*stroke-dasharray: ([\d ]+);", css)
    assert [tuple(map(float, one.split())) for one in dashes] == list(DASHES)
    assert all(len(dashes_of(colour)) % 2 == 0 for colour in range(len(READERS)))
