"""Compare: two runs on the same images; which are refused, and the results."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.cli.terminal import lines_of_verdicts
from pipeline.comparison.compare import Comparison, compare
from pipeline.errors import AuditError, ConfigError
from pipeline.reporting.comparison_page import difference_lines
from pipeline.reporting.first_screen import sentence_of
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.verdict import verdicts
from pipeline.store.tables import write_table
from tests.damage.run_folders import make_sound_run
from tests.statistics.runs import write_run

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
    assert "A minus B" in found.index.read_text()


def test_only_headline_scores_that_are_defined_are_compared(tmp_path: Path) -> None:
    rows = [("c0", "gradcam", metric, 0.5) for metric in ("hit", "iou", "dice", "recall")]
    first, second = (write_run(tmp_path / name, rows) for name in "ab")
    assert {row["metric"] for row in compared(first, second).rows} == {"hit", "iou"}


def test_images_are_known_by_their_uid_under_whatever_pseudonym(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6), ("x0", "x1"))
    second = run_of(tmp_path / "b", (0.3, 0.2), ("y1", "y0"))  # the uid is that of the last figure
    (row,) = compared(first, second).rows
    assert (row["n"], row["difference"]) == (2, pytest.approx((0.5 - 0.2 + 0.6 - 0.3) / 2))


def test_different_images_are_refused_without_intersect(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", (0.5, 0.6, 0.9), ("c0", "c1", "c2"))
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.1), ("c0", "c1", "c3"))
    with pytest.raises(
        ConfigError, match="1 are only in a, 1 only in b; use --intersect to compare the 2 in both"
    ):
        compared(first, second)
    found = compared(first, second, intersect=True)
    assert (found.images, found.rows[0]["n"], found.rows[0]["difference"]) == (2, 2, pytest.approx(0.1))


def test_runs_without_a_common_image_are_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", (0.5,), ("c0",)), run_of(tmp_path / "b", (0.5,), ("c1",))
    with pytest.raises(
        ConfigError, match="a and b have no image in common; choose two runs on the same images"
    ):
        compared(first, second, intersect=True)


def test_two_methods_of_one_run_are_compared(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    (row,) = compared(run, run, methods=("gradcam", "location_prior")).rows
    assert row["difference"] == pytest.approx(0.55)


def test_an_unknown_method_and_a_folder_without_a_run_are_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    with pytest.raises(ConfigError, match="has no method 'gradcan'; did you mean 'gradcam'"):
        compared(run, run, methods=("gradcan", None))
    with pytest.raises(ConfigError, match="not the folder of a finished run"):
        compared(run, tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 200_000, "is not JSON in UTF-8: too many brackets within each other; rerun"),
        ("[]", "holds a list, wanted an object; rerun to regenerate it"),
        ("{}", "findings: is missing; rerun to regenerate it, or give the run folder as it was written"),
    ],
)
def test_a_folder_without_a_valid_manifest_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    (run / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match=rf"a/manifest\.json: {complaint}"):
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
    assert "4 images in both runs" in printed
    assert "scored against different annotations" in printed
    assert "0.650  0.550  0.100 [" in printed
    shutil.rmtree(second)
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 2


def with_annotations(run: Path, drawn: dict[str, dict[str, Any]]) -> Path:
    """The run with a case.json for each image: reader → what it drew, and "labels" → the label."""
    for case_id, by_reader in drawn.items():
        references = [
            {"finding": "nodule", "reader": reader, "kind": "mask", "outlines": outlines, "boxes": []}
            for reader, outlines in by_reader.items()
            if reader != "labels"
        ]
        content = {
            **dict.fromkeys(("rows", "columns"), 64), "case_id": case_id, "patient_id": "p", "frame": 0,
            "attributes": {}, "spacing_mm": None, "references": references,
            "labels": {"nodule": by_reader.get("labels")},
            **{name: [] for name in ("predictions", "regions", "scores", "peaks", "maps", "skipped")},
        }  # fmt: skip
        folder = run / "cases" / case_id
        folder.mkdir(parents=True)
        (folder / "case.json").write_text(json.dumps(content))
    return run


SQUARE, LARGER = ([[[0, 0], [side, 0], [side, side]]] for side in (4, 5))


def test_annotations_that_differ_are_named_by_reader_and_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same: dict[str, Any] = {"anna": SQUARE, "ben": SQUARE, "labels": 1}
    first = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8), annotations="cd")
    with_annotations(first, {"c0": same, "c1": same, "c2": same, "c3": {"anna": SQUARE}})
    without_ben = {"anna": SQUARE, "labels": 0}
    with_annotations(
        second, {"c0": same, "c1": same | {"anna": LARGER}, "c2": without_ben, "c3": {"anna": SQUARE}}
    )
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    told = [
        "nodule: annotations of anna differ on 1 of 4 images: c1",
        "nodule: annotations of ben differ on 1 of 3 images: c2",
        "nodule: labels differ on 1 of 3 images: c2",
    ]
    assert [line.strip() for line in printed.splitlines() if " differ on " in line] == told
    (page,) = (tmp_path / "out").glob("*/index.html")
    assert all(line in page.read_text() for line in told)


def test_other_files_with_the_same_annotations_are_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run_of(tmp_path / name, (0.5, 0.6, 0.7, 0.8), annotations=name) for name in "ab"]
    for run in runs:
        with_annotations(run, {case: {"anna": SQUARE} for case in CASES})
    assert main(["compare", *map(str, runs), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "The annotation files differ, but not the annotations of the common images" in printed
    assert "Warning" not in printed


def test_of_many_images_the_first_are_named_and_the_others_counted() -> None:
    row = {"finding": "nodule", "reader": "anna", "n": 90, "differing": 12, "images": ["c0", "c1"]}
    (line,) = difference_lines([row])
    assert line == "nodule: annotations of anna differ on 12 of 90 images: c0, c1 and 10 more"


def test_images_without_a_uid_are_known_by_their_pseudonym(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8))
    for run in (first, second):
        text = (run / "crosswalk.csv").read_text()
        (run / "crosswalk.csv").write_text(re.sub(r",1\.\d,", ",,", text))
    assert compared(first, second).rows[0]["n"] == 4


def test_a_run_against_itself_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    with pytest.raises(
        ConfigError, match="A and B are this run with gradcam, so nothing can differ; give an"
    ):
        compared(run, tmp_path / "a" / ".." / "a", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_against_its_copy_is_identical(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    page = compared(run, shutil.copytree(run, tmp_path / "copy")).index.read_text()
    assert "identical" in page
    assert "not shown to differ" not in page


def edited(run: Path, **changes: object) -> Path:
    """The run with other values in its manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | changes))
    return run


def with_verdict(run: Path, verdict: object, told: str = "better") -> Path:
    """The run with a verdict in its manifest and another one in verdict.csv."""
    row = {"finding": "nodule", "verdict": told, "question": "pointing", "standing": told}
    write_table(run, "verdict.csv", [row])
    return edited(run, verdict=verdict)


@pytest.mark.parametrize(
    "verdict", ["x", None, ["nodule"], {"nodule": "splendid"}, {"nodule": 3}, {"nodule": ["better"]}, {}]
)
def test_a_wrong_verdict_in_a_manifest_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: object
) -> None:
    first = with_verdict(run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), verdict)
    assert main(["compare", str(first), str(first), "--out", str(tmp_path / "out")]) == 2
    complaint = " ".join(capsys.readouterr().err.split())
    assert "manifest.json: verdict" in complaint
    assert "rerun to regenerate it" in complaint


def test_a_manifest_and_a_table_that_disagree_are_refused_with_both_values(tmp_path: Path) -> None:
    first = with_verdict(run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), {"nodule": "worse"})
    with pytest.raises(AuditError, match=r"nodule: found 'better', but manifest\.json has 'worse'"):
        compared(first, first)


def test_verdicts_are_said_plainly_and_an_older_run_still_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = with_verdict(run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), {"nodule": "unknown"}, "unknown")
    second = run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8))
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "nodule: A: cannot be judged nodule: B: not stored (run of an older version)" in printed
    (page,) = (tmp_path / "out").glob("*/index.html")
    assert "not stored (run of an older version)" in page.read_text()


def test_a_verdict_on_another_method_is_not_called_missing(tmp_path: Path) -> None:
    run = with_verdict(run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), {"nodule": "better"})
    found = compared(run, run, methods=("gradcam", "location_prior"))
    assert found.verdicts == [{"finding": "nodule", "first": "better", "second": "other_method"}]
    page = found.index.read_text()
    assert "There is no verdict on B: a run’s verdict is about its first method." in page
    assert "Verdict on A" in page
    assert "Verdict on B" not in page
    assert list(lines_of_verdicts(found.verdicts)) == [
        "nodule: A: better than every baseline",
        "Verdict on B: none, the run’s verdict is about its first method",
    ]


def test_two_methods_of_one_run_are_no_two_runs_and_have_one_auroc(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "a", (0.5, 0.6, 0.7, 0.8), probabilities=dict.fromkeys(CASES, (0.9, 1)) | {"c0": (0.1, 0)}
    )
    copied = shutil.copytree(run, tmp_path / "b")
    assert [row["metric"] for row in compared(run, copied).rows] == ["iou", "auroc"]
    found = compared(run, run, methods=("gradcam", "location_prior"))
    assert [row["metric"] for row in found.rows] == ["iou"]
    assert "Which method localises better?" in found.index.read_text()
    assert " is one and not compared" in found.index.read_text()


def test_the_verdict_is_that_of_the_report_in_its_words(tmp_path: Path) -> None:
    first, second = (make_sound_run(tmp_path / name) for name in "ab")
    found = compared(first, second, intersect=True)
    report = read_run(first)
    told = {one.finding: sentence_of(report, one) for one in verdicts(report)}
    assert {row["finding"]: row["first_sentence"] for row in found.verdicts} == told
    page = found.index.read_text()
    assert all(
        f"A: {told[row['finding']]}" in line
        for row, line in zip(found.verdicts, list(lines_of_verdicts(found.verdicts))[::2], strict=True)
    )
    assert all(page.count(sentence) >= 2 for sentence in told.values())


def test_findings_of_only_one_run_are_listed_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = edited(run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), findings=["mass", "nodule"])
    second = edited(run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8)), findings=["nodule", "effusion", "scar"])
    assert main(["compare", str(first), str(second), "--out", str(tmp_path / "out")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Findings that only A has, so they are not compared: mass Findings" in printed
    assert "Findings that only B has, so they are not compared: effusion, scar" in printed
    assert "mass: A" not in printed
    (page,) = (tmp_path / "out").glob("*/index.html")
    assert "only B has, so they are not compared: effusion, scar." in page.read_text()
    edited(second, findings=["effusion"])
    with pytest.raises(ConfigError, match="no finding is in both runs: a has mass, nodule, b has effusion; "):
        compared(first, second)


def test_a_run_without_a_method_of_a_network_is_refused_unless_one_is_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8))
    edited(run, methods=[{"name": "location_prior", "kind": "baseline"}])
    with pytest.raises(ConfigError, match="has no method of a network; name a baseline"):
        compared(run, run)
    edited(run, methods=["gradcam"])
    with pytest.raises(ConfigError, match=r"methods\.0: wanted an object \(found 'gradcam'\)"):
        compared(run, run)
