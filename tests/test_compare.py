"""Compare: two runs on the same images; which are refused, and what is told."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.compare import Comparison, compare
from pipeline.errors import ConfigError
from tests.joints.runs import write_run

CASES = ("c0", "c1", "c2", "c3")


def run_of(
    folder: Path, values: tuple[float, ...], cases: tuple[str, ...] = CASES, **options: object
) -> Path:
    rows = [(case, "gradcam", "iou", value) for case, value in zip(cases, values, strict=True)]
    rows += [(case, "location_prior", "iou", 0.1) for case in cases]
    return write_run(folder, rows, **options)  # type: ignore[arg-type]


def compared(first: Path, second: Path, *, intersect: bool = False, **options: object) -> Comparison:
    given = {"methods": (None, None), "out": first.parent} | options
    return compare((first, second), intersect=intersect, **given)  # type: ignore[arg-type]


def test_the_difference_is_that_of_the_means_on_the_same_images(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8))
    found = compared(first, second)
    (row,) = found.rows
    assert (row["finding"], row["metric"], row["n"], row["patients"]) == ("nodule", "iou", 4, 4)
    assert (row["first_estimate"], row["second_estimate"]) == pytest.approx((0.65, 0.55))
    assert row["difference"] == pytest.approx(0.1)
    assert row["difference_low"] < 0.1 < row["difference_high"]
    with (found.index.parent / "comparison.csv").open() as table:
        assert float(next(csv.DictReader(table))["difference"]) == pytest.approx(0.1)
    assert "A less B" in found.index.read_text()


def test_images_are_known_by_their_uid_under_whatever_pseudonym(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6), ("x0", "x1"))
    second = run_of(tmp_path / "b", (0.3, 0.2), ("y1", "y0"))  # the uid is that of the last figure
    (row,) = compared(first, second).rows
    assert (row["n"], row["difference"]) == (2, pytest.approx((0.5 - 0.2 + 0.6 - 0.3) / 2))


def test_other_images_are_refused_unless_those_of_both_are_asked_for(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6, 0.9), ("c0", "c1", "c2"))
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.1), ("c0", "c1", "c3"))
    with pytest.raises(ConfigError, match="1 are only in a, 1 only in b; --intersect compares the 2 of both"):
        compared(first, second)
    found = compared(first, second, intersect=True)
    assert (found.images, found.rows[0]["n"], found.rows[0]["difference"]) == (2, 2, pytest.approx(0.1))


def test_runs_without_a_common_image_are_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", (0.5,), ("c0",)), run_of(tmp_path / "b", (0.5,), ("c1",))
    with pytest.raises(ConfigError, match="a and b have no image in common"):
        compared(first, second, intersect=True)


def test_two_methods_of_one_run_are_compared(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    (row,) = compared(run, run, methods=("gradcam", "location_prior")).rows
    assert row["difference"] == pytest.approx(0.55)


def test_an_unknown_method_and_a_folder_without_a_run_are_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    with pytest.raises(ConfigError, match="has no method 'gradcan'; did you mean 'gradcam'"):
        compared(run, run, methods=("gradcan", None))
    with pytest.raises(ConfigError, match="no folder of a finished run"):
        compared(run, tmp_path)


@pytest.mark.parametrize("text", ["[" * 200_000, "[]", "{}"])
def test_a_folder_whose_manifest_is_none_is_no_folder_of_a_run(tmp_path: Path, text: str) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    (run / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match="no folder of a finished run"):
        compared(run, run)


def test_classification_is_compared_on_images_that_both_label(tmp_path: Path) -> None:
    right = {"c0": (0.1, 0), "c1": (0.2, 0), "c2": (0.8, 1), "c3": (0.9, 1)}
    wrong = right | {"c1": (0.85, 0)}  # above one of the two positives
    first = run_of(tmp_path / "a", (0, 0, 1, 1), probabilities=right)
    second = run_of(tmp_path / "b", (0, 0, 1, 1), probabilities=wrong)
    auroc = compared(first, second).rows[-1]
    assert (auroc["metric"], auroc["first_estimate"], auroc["second_estimate"]) == ("auroc", 1, 3 / 4)
    assert auroc["difference"] == pytest.approx(1 / 4)


def test_the_command_prints_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8), annotations="cd")
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "4 images of both" in printed
    assert "scored against different annotations" in printed
    assert "0.650  0.550  0.100 [" in printed
    shutil.rmtree(second)
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 2


def test_images_without_a_uid_are_known_by_their_pseudonym(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8))
    for run in (first, second):
        text = (run / "crosswalk.csv").read_text()
        (run / "crosswalk.csv").write_text(re.sub(r",1\.\d,", ",,", text))
    assert compared(first, second).rows[0]["n"] == 4


def test_a_run_against_itself_is_identical(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    page = compared(run, run).index.read_text()
    assert "identical" in page
    assert "not shown to differ" not in page
