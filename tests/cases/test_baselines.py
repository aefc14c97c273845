"""Baselines: which there are, and the fixed ones, made of nothing or of other patients' annotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from pipeline.baselines import BASELINES
from pipeline.cases.baselines import baseline_maps, baselines_npz, image_baselines
from pipeline.cohort.index import Cohort, index
from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.plan import RunPlan, make_plan
from pipeline.records import AnnotationItem, Mask
from tests.cohort.cases import case, pseudonym
from tests.study import FINDINGS, square, uid, write_model, write_study

CASES = [case("a", shape=(4, 4)), case("b", shape=(8, 8))]


def item(
    folder: Path, name: str, mask: Mask, finding: str = "nodule", *, absent: bool = False
) -> AnnotationItem:
    Image.fromarray(mask.astype(np.uint8)).save(folder / f"{name}.png")
    payload = {"path": str(folder / f"{name}.png"), "instances": "values", "background": (0,)}
    return AnnotationItem("png", name, finding, "anna", payload=payload, absent=absent)


def truth(*items: tuple[str, AnnotationItem]) -> Truth:
    by_case: dict[str, tuple[AnnotationItem, ...]] = {}
    for case_id, one in items:
        by_case[case_id] = (*by_case.get(case_id, ()), one)
    return Truth(by_case, {}, (), {}, "mask", "anna", "")


def plan(folder: Path, **baselines: object) -> RunPlan:
    """A plan in which all of CASES are of split train."""
    rows = [f"{name},train" for name in "ab"]
    (folder / "splits.csv").write_text("\n".join(["sop_instance_uid,split", *rows]))
    settings = {"baselines": baselines, "select": {"file": "splits.csv", "where": {"split": "dev"}}}
    return RunPlan(AuditConfig.model_validate(settings), folder, folder, ("nodule", "effusion"))


def priors(folder: Path, found: Truth) -> dict[str, np.ndarray]:
    asked = plan(folder, center_prior=False, random=False, location_prior={"where": {"split": "train"}})
    cohort = Cohort(2, tuple(CASES), (), {}, chosen=())
    return baseline_maps(asked, cohort, found, executor=Here())


def test_the_centre_prior_is_the_same_for_every_finding(tmp_path: Path) -> None:
    maps = baseline_maps(plan(tmp_path), Cohort(0, (), (), {}), truth(), executor=Here())
    assert list(maps) == ["center_prior"]  # no finding in its key; random numbers are made of each image


def test_baselines_are_chosen_by_their_names_in_the_order_of_tables(tmp_path: Path) -> None:
    assert plan(tmp_path).baselines == ("center_prior", "random")
    everything = plan(tmp_path, local_contrast=True, location_prior={"where": {"split": "train"}})
    assert everything.baselines == ("center_prior", "location_prior", "random", "local_contrast")
    assert plan(tmp_path, center_prior=False, random=False).baselines == ()


def test_the_location_prior_is_the_mean_cover_whatever_the_images_sizes(tmp_path: Path) -> None:
    left = np.arange(4)[None] < np.full((4, 1), 2)
    top = (np.arange(8)[None] < np.full((8, 1), 4)).T
    maps = priors(
        tmp_path, truth(("case-a-0", item(tmp_path, "a", left)), ("case-b-0", item(tmp_path, "b", top)))
    )
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
    assert (priors(tmp_path, found)["location_prior/nodule"] == 1).all()


def test_a_prior_of_no_annotation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"location_prior\.where: the selected images have no annotation"):
        priors(tmp_path, truth())


def test_scaled_baselines_lie_between_their_extremes(tmp_path: Path) -> None:
    asked = plan(tmp_path)
    contours = asked.config.contours.model_copy(update={"scaling": "minmax"})
    scaled = replace(asked, config=asked.config.model_copy(update={"contours": contours}))
    nothing = Cohort(0, (), (), {})
    plain, found = (baseline_maps(one, nothing, truth(), executor=Here()) for one in (asked, scaled))
    lowest, highest = plain["center_prior"].min(), plain["center_prior"].max()
    assert lowest > 0
    np.testing.assert_allclose(
        found["center_prior"], (plain["center_prior"] - lowest) / (highest - lowest), atol=1e-6
    )


def test_maps_of_all_images_and_of_each_finding_stand_beside_each_other(tmp_path: Path) -> None:
    found = truth(
        ("case-a-0", item(tmp_path, "a", np.ones((4, 4), bool))),
        ("case-b-0", item(tmp_path, "b", np.eye(8) > 0, "effusion")),
    )
    asked = plan(tmp_path, random=False, location_prior={"where": {"split": "train"}})
    maps = baseline_maps(asked, Cohort(2, tuple(CASES), (), {}), found, executor=Here())
    assert list(maps) == ["center_prior", "location_prior/nodule", "location_prior/effusion"]


@pytest.mark.parametrize("by", ["chosen", "audited"])
def test_a_prior_is_refused_where_one_of_its_images_is_audited(tmp_path: Path, by: str) -> None:
    """By the config, or, of external maps, by what there are maps of."""
    asked = plan(tmp_path, center_prior=False, random=False, location_prior={"where": {"split": "train"}})
    of = truth(("case-b-0", item(tmp_path, "b", np.eye(8) > 0)))
    chosen = tuple(CASES[:1]) if by == "chosen" else ()
    audited = CASES[:1] if by == "audited" else None
    cohort = Cohort(2, tuple(CASES), (), {}, chosen=chosen)
    with pytest.raises(ConfigError, match=r"baselines\.location_prior\.where: 1 patient"):
        baseline_maps(asked, cohort, of, executor=Here(), audited=audited)
    apart = baseline_maps(asked, cohort, of, executor=Here(), audited=())
    assert list(apart) == ["location_prior/nodule"]


def test_of_an_image_those_baselines_are_made_that_look_at_it() -> None:
    pixels = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    found = image_baselines(["center_prior", "random", "local_contrast"], pixels)
    assert found.keys() == {"local_contrast"}
    np.testing.assert_array_equal(found["local_contrast"], BASELINES["local_contrast"].draw(pixels))


def test_a_baseline_that_draws_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = replace(BASELINES["center_prior"], draw=lambda: None)
    monkeypatch.setitem(BASELINES._loaded, "center_prior", empty)
    with pytest.raises(ConfigError, match=r"^baselines\.center_prior: "):
        baseline_maps(plan(tmp_path), Cohort(0, (), (), {}), truth(), executor=Here())


def test_baselines_are_written_without_pickle_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "baselines.npz").write_bytes(baselines_npz({"prior/Größe": np.eye(2, dtype=np.float32)}))
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
        "split by patient, or remove these images from one of the two"
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
    cohort = index(plan, executor=Here(), pseudonym=pseudonym)
    found = gather_truth(
        tmp_path,
        sources=(),
        labels=None,
        names={},
        findings=FINDINGS,
        cases=cohort.cases,
        pseudonym=pseudonym,
    )
    return baseline_maps(plan, cohort, found, executor=Here())


@pytest.mark.parametrize("made", [np.ones(3), np.ones((2, 2, 2)), np.zeros((0, 0)), np.full((2, 2), np.nan)])
def test_a_baseline_that_makes_no_map_of_finite_numbers_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, made: np.ndarray
) -> None:
    broken = replace(BASELINES["local_contrast"], draw=lambda _: made)
    monkeypatch.setitem(BASELINES._loaded, "local_contrast", broken)
    with pytest.raises(
        ConfigError, match=r"baselines\.local_contrast: made an array .*, wanted finite numbers"
    ):
        image_baselines(["local_contrast"], np.ones((4, 4), np.float32))
