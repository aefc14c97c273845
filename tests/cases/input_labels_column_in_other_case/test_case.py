"""A table of labels whose column is the finding in other letters, beside boxes.

Right: it is read, and the guess is shown with the line that states it. Before, the table was passed over
without a word, and images without the finding counted as not annotated. Source: mlmed/torchxrayvision#153,
mlmed/torchxrayvision#154. Shared case: input-labels-column-in-other-case.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.ground_truth.matching import Truth, gather_truth
from tests.cohort.cases import case, pseudonym


def gathered(folder: Path, **changes: object) -> Truth:
    (folder / "boxes.csv").write_text("image,finding,x,y,width,height\na,mass,1,1,2,2\n")
    options = {"sources": [], "labels": None, "names": {}, "findings": ["mass"], "pseudonym": pseudonym}
    return gather_truth(folder, **{**options, "cases": [case("a"), case("b")], **changes})


def test_the_column_is_read_and_shown_as_a_guess(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,Mass,Edema\na,1,0\nb,0,0\n")
    truth = gathered(tmp_path)
    assert truth.labels == {"case-a-0": {"mass": 1}, "case-b-0": {"mass": 0}}
    (guess,) = (notice for notice in truth.notices if notice.about == "annotations.labels")
    assert guess.pin == {
        "annotations": {"labels": {"file": "labels.csv", "image": "image", "columns": {"mass": ["Mass"]}}}
    }


def test_words_in_other_letters_are_shown_too(tmp_path: Path) -> None:
    truth = gathered(tmp_path, findings=["Mass"])
    assert [item.finding for item in truth.items["case-a-0"]] == ["Mass"]
    (guess,) = (notice for notice in truth.notices if notice.about == "annotations.findings")
    assert guess.pin == {"annotations": {"findings": {"mass": "Mass"}}}


def test_two_columns_that_may_be_the_finding_are_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,Mass,MASS\na,1,0\n")
    assert gathered(tmp_path).labels["case-a-0"] == {}


def test_a_translation_of_the_config_holds_for_columns_too(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,Rundherd\na,0\nb,1\n")
    truth = gathered(tmp_path, names={"Rundherd": "mass"})
    assert truth.labels == {"case-a-0": {"mass": 0}, "case-b-0": {"mass": 1}}
