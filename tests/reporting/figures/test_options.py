"""What a figure may be asked for; what the run lacks is named with what is near it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.figures.options import (
    FigureOptions,
    chosen_cases,
    chosen_findings,
    chosen_methods,
    points_of,
)
from pipeline.reporting.run_folder import RunFolder, read_run


@pytest.fixture(scope="module")
def run(reported: Path) -> RunFolder:
    return read_run(reported)


def test_cases_come_in_the_order_asked_for_and_once(run: RunFolder) -> None:
    assert chosen_cases(run, ["0002c0ffee", "0000c0ffee", "0002c0ffee"]) == ("0002c0ffee", "0000c0ffee")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0002coffee", "did you mean 0002c0ffee or "),
        ("0003", "did you mean 0003c0ffee"),
        ("zzz", "cases.csv lists all case ids"),
        ("", "cases.csv lists all case ids"),
    ],
)
def test_an_unknown_case_is_named_with_what_is_near(run: RunFolder, given: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        chosen_cases(run, ["0000c0ffee", given])
    assert str(raised.value).startswith(f"CASE: '{given}' is not a case of the run phantom-0123abcd")
    assert said in str(raised.value)


def test_unknown_findings_and_methods_are_named(run: RunFolder) -> None:
    with pytest.raises(ConfigError, match=r"--findings: 'bening' .* did you mean benign"):
        chosen_findings(run, FigureOptions(findings=("bening",)))
    with pytest.raises(ConfigError, match=r"--methods: 'xyz' .* choose from gradcam, location_prior"):
        chosen_methods(run, FigureOptions(methods=("xyz",)))


def test_without_a_choice_the_networks_methods_are_shown(run: RunFolder) -> None:
    assert [method.name for method in chosen_methods(run, FigureOptions())] == ["gradcam"]
    both = FigureOptions(methods=("center_prior", "gradcam"))
    assert [method.name for method in chosen_methods(run, both)] == ["center_prior", "gradcam"]


def test_widths_are_millimetres_or_pixels() -> None:
    assert points_of("25.4 mm", dpi=300) == 72
    assert points_of("600px", dpi=300) == 144


@pytest.mark.parametrize(
    ("width", "dpi", "said"),
    [
        ("180", 300, "wanted millimetres or pixels"),
        ("1mm", 300, "wanted 20 to 2000 mm"),
        ("9000px", 72, "9000px at 72 dpi are 3175 mm"),
        ("180mm", 5, "--dpi: found 5"),
        ("180mm", float("nan"), "--dpi: found nan"),
    ],
)
def test_impossible_sizes_are_refused(width: str, dpi: float, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        points_of(width, dpi=dpi)
