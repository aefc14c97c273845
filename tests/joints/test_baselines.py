"""Baselines: which there are, and the fixed ones, made of nothing or of other patients' annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from pipeline.config import Baselines, load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.joints.baselines import center_maps, chosen, location_maps, packed
from pipeline.joints.intake import take_in
from pipeline.joints.plan import make_plan
from pipeline.joints.selection import selected
from pipeline.joints.steps import baseline_maps
from pipeline.joints.truth import Truth, gather
from pipeline.records import AnnotationItem, Mask
from tests.joints.cases import case, pseudonym
from tests.study import FINDINGS, square, uid, write_model, write_study

CASES = [case("a", shape=(4, 4)), case("b", shape=(8, 8))]


def item(
    folder: Path, name: str, mask: Mask, finding: str = "nodule", *, absent: bool = False
) -> AnnotationItem:
    Image.fromarray(mask.astype(np.uint8)).save(folder / f"{name}.png")
    payload = {"path": str(folder / f"{name}.png"), "instances": "values"}
    return AnnotationItem("png", name, finding, "anna", payload=payload, absent=absent)


def truth(*items: tuple[str, AnnotationItem]) -> Truth:
    by_case: dict[str, tuple[AnnotationItem, ...]] = {}
    for case_id, one in items:
        by_case[case_id] = (*by_case.get(case_id, ()), one)
    return Truth(by_case, {}, (), {}, "mask", "anna", "")


def priors(found: Truth) -> dict[str, np.ndarray]:
    return location_maps(CASES, found, findings=("nodule", "effusion"), executor=Here())


def test_the_centre_prior_is_the_same_for_every_finding() -> None:
    assert list(center_maps()) == ["center_prior"]  # no finding in its key


def test_baselines_are_chosen_by_their_names_in_the_order_of_tables() -> None:
    assert chosen(Baselines()) == ("center_prior", "random")
    everything = Baselines.model_validate(
        {"local_contrast": True, "location_prior": {"where": {"split": "train"}}}
    )
    assert chosen(everything) == ("center_prior", "location_prior", "random", "local_contrast")
    assert chosen(Baselines(center_prior=False, random=False)) == ()


def test_the_location_prior_is_the_mean_cover_whatever_the_images_sizes(tmp_path: Path) -> None:
    left = np.arange(4)[None] < np.full((4, 1), 2)
    top = (np.arange(8)[None] < np.full((8, 1), 4)).T
    maps = priors(truth(("case-a-0", item(tmp_path, "a", left)), ("case-b-0", item(tmp_path, "b", top))))
    assert list(maps) == ["location_prior/nodule"]  # nobody drew an effusion
    quarters = [maps["location_prior/nodule"][row, column] for row in (28, 196) for column in (28, 196)]
    assert quarters == [1, 0.5, 0.5, 0]


def test_what_cannot_be_used_is_left_out_of_the_mean(tmp_path: Path) -> None:
    whole = np.ones((4, 4), bool)
    found = truth(
        ("case-a-0", item(tmp_path, "a", whole)),
        ("case-a-0", item(tmp_path, "wrong size", np.ones((3, 3), bool))),
        ("case-a-0", item(tmp_path, "nothing there", np.zeros((4, 4), bool))),
        ("case-b-0", item(tmp_path, "labels say no", np.eye(8) > 0, absent=True)),
        ("case-c-0", item(tmp_path, "not asked for", whole)),
    )
    assert (priors(found)["location_prior/nodule"] == 1).all()


def test_a_prior_of_no_annotation_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"location_prior\.where: the chosen images have no annotation"):
        priors(truth())


def test_baselines_are_written_without_pickle_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "baselines.npz").write_bytes(packed({"prior/Größe": np.eye(2, dtype=np.float32)}))
    with np.load(tmp_path / "baselines.npz", allow_pickle=False) as arrays:
        assert {name: array.tolist() for name, array in arrays.items()} == {"prior/Größe": [[1, 0], [0, 1]]}


def test_a_prior_of_an_audited_patient_is_refused(tmp_path: Path) -> None:
    """Image 1 is audited, 3 is of its patient; the prior is of all others, or of all but 3."""
    write_study(tmp_path)
    data = dcmread(tmp_path / "images" / "image3.dcm")
    data.PatientID = "HOSPITAL-1"
    data.save_as(tmp_path / "images" / "image3.dcm")
    with pytest.raises(ConfigError) as refused:
        prior_of_split(tmp_path, {1: "dev"})
    assert str(refused.value) == (
        "baselines.location_prior.where: 1 patient in both select.where and baselines.location_prior.where "
        "(1 of the 1 images of select.where, 1 of the 5 images of baselines.location_prior.where); "
        "split by patient, or take these images out of one of the two"
    )
    maps = prior_of_split(tmp_path, {1: "dev", 3: "neither"})
    only = square((61, 61), 20, 8, 20)  # of image 5
    expected = np.asarray(
        Image.fromarray(only.astype(np.float32), "F").resize((224, 224), Image.Resampling.BILINEAR)
    )
    assert np.allclose(maps["location_prior/nodule"], expected)


def prior_of_split(tmp_path: Path, splits: dict[int, str]) -> dict[str, np.ndarray]:
    """The prior of the images of split train, where those of dev are audited; others are of train."""
    rows = [f"{uid(n)},{splits.get(n, 'train')}" for n in range(1, 7)]
    (tmp_path / "splits.csv").write_text("\n".join(["sop_instance_uid,split", *rows]))
    settings = {
        "studies": str(tmp_path / "images"),
        "annotations.path": str(tmp_path),
        "model": str(write_model(tmp_path / "model")),
        "select": {"file": "splits.csv", "where": {"split": "dev"}},
        "baselines.location_prior": {"where": {"split": "train"}},
        "baselines.center_prior": False,
    }
    plan = make_plan(load_config(None, settings))
    intake = take_in(plan.studies, executor=Here(), pseudonym=pseudonym)
    audited = selected(
        intake.cases, tmp_path / "splits.csv", image="sop_instance_uid", where={"split": ["dev"]}
    )
    found = gather(
        tmp_path,
        sources=(),
        labels=None,
        names={},
        findings=FINDINGS,
        cases=intake.cases,
        pseudonym=pseudonym,
    )
    return baseline_maps(plan, intake, audited, found, Here())
