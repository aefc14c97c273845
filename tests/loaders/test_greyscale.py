"""Greyscale: each step of the greyscale pipeline against values calculated by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.loaders import greyscale
from pipeline.loaders.greyscale import (
    Greyscale,
    Rescale,
    Table,
    Window,
    modality_span,
    modality_values,
    presentation_values,
    voi_values,
)

BYTE = Greyscale(bits=8, signed=False, modality=Rescale(), voi=None, inverted=False, padding=None)


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float64)


def test_eight_bits_are_exactly_their_share_of_255() -> None:
    every = np.arange(256, dtype=np.uint8)
    expected = (np.arange(256) / 255).astype(np.float32)
    assert (presentation_values(every, BYTE) == expected).all()
    assert (presentation_values(every, replace(BYTE, voi=Window(128, 256))) == expected).all()
    assert (presentation_values(every, replace(BYTE, inverted=True)) == expected[::-1]).all()


def test_rescale_gives_hounsfield_units_and_a_falling_slope_turns_the_span() -> None:
    assert modality_values(values(0, 1024), Rescale(1, -1024)).tolist() == [-1024, 0]
    assert modality_span((0, 255), Rescale(-2, 10)) == (-500, 10)


def test_a_table_holds_its_ends() -> None:
    table = Table(values(10, 20, 30), first=-1, highest=255)
    assert modality_values(values(-9, -1, 0, 1, 9), table).tolist() == [10, 10, 20, 30, 30]
    assert modality_span((0, 1), table) == (0, 255)


def test_linear_window_as_the_standard_writes_it() -> None:
    # C.11.2.1.2.1: c = 2048, w = 4096 covers 0 … 4095; c = 0, w = 100 reaches from -50 to 49.
    assert voi_values(values(0, 4095), Window(2048, 4096), (0, 1)).tolist() == [0, 1]
    assert voi_values(values(-50, -0.5, 49), Window(0, 100), (0, 1)).tolist() == [0, 0.5, 1]


def test_exact_window_has_its_ends_at_half_its_width() -> None:
    shown = voi_values(values(-50, 0, 25, 50), Window(0, 100, "LINEAR_EXACT"), (0, 1))
    assert shown.tolist() == [0, 0.5, 0.75, 1]


def test_a_linear_window_of_width_one_is_a_step() -> None:
    # x <= c - 0.5 gives the lowest value, everything above the highest.
    assert voi_values(values(9, 9.5, 9.6, 10), Window(10, 1), (0, 1)).tolist() == [0, 0, 1, 1]


def test_a_linear_window_narrower_than_one_is_meant_exactly() -> None:
    assert voi_values(values(0.25, 0.5), Window(0.5, 0.5), (0, 1)).tolist() == [0, 0.5]


def test_sigmoid_window() -> None:
    shown = voi_values(values(0, 25, 1e9, -1e9), Window(0, 100, "SIGMOID"), (0, 1))
    assert shown[0] == 0.5
    assert shown[1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert shown[2:] == pytest.approx([1, 0])


def test_without_window_the_whole_modality_range_is_shown() -> None:
    scale = replace(BYTE, bits=12, signed=True, modality=Rescale(2, 100))
    assert scale.stored == (-2048, 2047)
    shown = presentation_values(np.array([-2048, 2047, 0], np.int16), scale)
    assert shown == pytest.approx([0, 1, 2048 / 4095])


def test_a_voi_table_is_a_share_of_its_highest_entry() -> None:
    scale = replace(BYTE, voi=Table(values(0, 512, 1023), first=100, highest=1023))
    assert presentation_values(np.array([99, 101, 200], np.uint8), scale) == pytest.approx([0, 512 / 1023, 1])


def test_padding_is_black_even_where_the_image_is_inverted() -> None:
    scale = replace(BYTE, inverted=True, padding=(0, 2))
    assert presentation_values(np.array([0, 2, 3, 255], np.uint8), scale) == pytest.approx(
        [0, 0, 252 / 255, 0]
    )


def test_padding_does_not_move_the_window() -> None:
    scale = replace(BYTE, bits=16, signed=True, voi=Window(0.5, 2), padding=(-2000, -2000))
    assert presentation_values(np.array([-2000, 0, 1], np.int16), scale).tolist() == [0, 0.5, 1]


def test_the_table_of_all_values_shows_what_each_value_would(monkeypatch: pytest.MonkeyPatch) -> None:
    scale = Greyscale(
        bits=10,
        signed=True,
        modality=Rescale(0.37, -5),
        voi=Window(20, 90, "SIGMOID"),
        inverted=True,
        padding=(-7, 3),
    )
    stored = np.arange(-512, 512, dtype=np.int16).reshape(32, 32)
    by_table = presentation_values(stored, scale)
    monkeypatch.setattr(greyscale, "TABLE_BITS", 0)
    assert (by_table == presentation_values(stored, scale)).all()
    assert by_table.dtype == np.float32
