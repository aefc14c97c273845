"""Plan: every complaint about a config that needs neither torch nor a study, with key and remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.plan import AuditPlan, make_plan
from tests.study import write_model


def plan(folder: Path, **settings: Any) -> AuditPlan:
    """A plan of what is there in `folder`; `__` in a setting's name is a dot."""
    (folder / "images").mkdir(exist_ok=True)
    values = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(write_model(folder)),
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    return make_plan(load_config(None, {key: value for key, value in values.items() if value is not None}))


def test_a_plan_knows_where_everything_is(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert (made.studies, made.annotations) == (tmp_path / "images", tmp_path)
    assert made.card.findings == ("nodule", "effusion")
    assert made.labels() is None


SELECT = {"file": "t.csv", "where": {"a": "b"}}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"studies": None}, r"^studies: is missing; give --studies <folder>, or set the key in the config$"),
        ({"model": None}, r"^model: is missing; give --model <model card>"),
        (
            {"studies": "/nowhere/studies"},
            r"^studies: /nowhere/studies does not exist; correct the path, or give --studies <folder>$",
        ),
        (
            {"annotations__path": "/nowhere/a"},
            (
                r"^annotations\.path: /nowhere/a does not exist; correct the path, "
                r"or give --annotations <folder or file>$"
            ),
        ),
        (
            {"model": "/nowhere/card"},
            r"^model: /nowhere/card does not exist; correct the path, or give --model <model card>$",
        ),
        (
            {"weights": "/nowhere/w"},
            r"^weights: /nowhere/w does not exist; correct the path, or give --weights <file>$",
        ),
        (
            {"methods": ["gradcma"]},
            r"^methods: unknown attribution method 'gradcma'; did you mean 'gradcam'\?",
        ),
        ({"methods": ["gradcma@last"]}, r"^methods: .*did you mean 'gradcam'\?"),
        (
            {"contours__rule": "ostu"},
            r"^contours\.rule: unknown threshold rule 'ostu'; did you mean 'otsu'\?",
        ),
        (
            {"contours__threshold": 60},
            r"^contours\.threshold: found 60; rule 'fraction' takes a share of the maximum: set 0 … 1$",
        ),
        (
            {"contours__rule": "percentile", "contours__threshold": 101},
            r"^contours\.threshold: found 101; rule 'percentile' takes a percentile: set 0 … 100$",
        ),
        ({"baselines__location_prior": {"where": {"a": "b"}}}, r"^baselines\.location_prior: needs select"),
        (
            {"annotations__labels": {"file": "l.csv", "columns": {"nodul": "Mass"}}},
            (
                r"^annotations\.labels\.columns\.nodul: not a finding of the model tiny; "
                r"did you mean 'nodule'\?$"
            ),
        ),
        ({"methods": []}, r"^methods: is empty; choose at least one of: ablationcam, cam, "),
        (
            {"methods": ["gradcam", {"method": "flips", "of": "gradcma"}]},
            r"^methods: flips: of: unknown attribution method 'gradcma'; did you mean 'gradcam'\?$",
        ),
        ({"methods": ["cam", "cam"]}, r"^methods: the name 'cam' is taken; write \{method: cam, …, name: "),
        ({"methods": [{"method": "cam", "name": "random"}]}, r"^methods: the name 'random' is taken"),
        ({"methods": [{"method": "cam", "name": "classifier"}]}, r"^methods: the name 'classifier' is taken"),
        (
            {"out": __file__},
            r"^out: .*test_plan\.py is a file, wanted a folder; set --out <folder>$",
        ),
        ({"out": f"{__file__}/deep"}, r"^out: .*test_plan\.py is a file, wanted a folder"),
        (
            {"annotations__findings": {"mass": "nodul", "x": None}},
            r"^annotations\.findings: nodul: not a finding of the model tiny, which has nodule, effusion",
        ),
    ],
)
def test_a_complaint_says_what_was_found_where_and_what_to_do(
    tmp_path: Path, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        plan(tmp_path, **settings)


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        plan(
            tmp_path,
            studies="/nowhere/studies",
            annotations__path="/nowhere/a",
            weights="/nowhere/w",
            methods=["gradcma"],
            metrics=["ioo", "dicee"],
            contours={"rule": "ostu", "findings": {"nodul": {}, "effusoin": {}}},
            out=__file__,
        )
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == [
        "studies", "out", "annotations.path", "weights", "contours.findings.nodul",
        "contours.findings.effusoin", "methods", "contours.rule", "contours.findings.nodul.rule",
        "contours.findings.effusoin.rule", "metrics", "metrics",
    ]  # fmt: skip


def test_a_card_without_its_weights_is_named_beside_the_rest(tmp_path: Path) -> None:
    card = write_model(tmp_path / "model")
    card.with_suffix(".safetensors").unlink()
    with pytest.raises(ConfigError) as refusal:
        plan(tmp_path, model=str(card), studies="/nowhere/studies")
    studies, weights = str(refusal.value).splitlines()
    assert studies.startswith("studies: /nowhere/studies does not exist")
    assert weights == (
        f"{card}: weights: {card.parent}/tiny.safetensors does not exist; correct the path, or give "
        "--weights <file>"
    )


def test_a_folder_as_model_or_weights_is_answered_with_the_files_in_it(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model").parent
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError) as refusal:
        plan(tmp_path, model=str(folder), weights=str(folder))
    weights, card = str(refusal.value).splitlines()
    assert weights == (
        f"weights: {folder} is a folder, wanted a file with a state dict; name the file in it: "
        f"{folder}/tiny.safetensors"
    )
    assert card.startswith(f"model: {folder} is a folder, wanted a model card (YAML)")
    assert card.endswith(f"; name the file in it: {folder}/tiny.yaml")
    for number in range(8):
        (tmp_path / "empty" / f"{number}.yml").touch()
    with pytest.raises(ConfigError, match=r"0\.yml, .*4\.yml and 3 more$"):
        plan(tmp_path, model=str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match=r"wanted a file with a state dict; name the file in it$"):
        plan(tmp_path, weights=str(tmp_path / "images"))


def test_what_is_right_is_not_complained_of(tmp_path: Path) -> None:
    plan(
        tmp_path,
        methods=["cam", "gradcam@stride8", {"method": "smoothgrad", "of": "gradcam", "samples": 4}],
        contours__rule="percentile",
        contours__threshold=90,
        select=SELECT,
        baselines__location_prior={"where": {"a": "c"}},
        annotations__findings={"mass": "nodule", "x": None},
    )


def test_labels_have_columns_or_a_column_of_words(tmp_path: Path) -> None:
    labels = {"file": "labels.csv", "columns": {"nodule": "Mass"}, "words": "Finding Labels"}
    with pytest.raises(ConfigError, match=r"annotations\.labels: sets columns and words; keep columns"):
        plan(tmp_path, annotations__path=str(tmp_path), annotations__labels=labels).labels()
    del labels["columns"]
    made = plan(tmp_path, annotations__path=str(tmp_path), annotations__labels=labels)
    assert made.labels() == (tmp_path / "labels.csv", "sop_instance_uid", {}, "Finding Labels")


def test_tables_lie_in_the_annotations_folder_or_beside_the_annotations_file(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("")
    labels = {"file": "labels.csv", "image": "stem", "columns": {"nodule": "Mass"}}
    for path in (tmp_path, tmp_path / "boxes.csv"):
        made = plan(tmp_path, annotations__path=str(path), annotations__labels=labels, select=SELECT)
        assert made.labels() == (tmp_path / "labels.csv", "stem", {"nodule": ("Mass",)}, None)
        assert made.config.select
        assert made.table(made.config.select) == tmp_path / "t.csv"


def test_a_plan_is_made_without_loading_torch(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    made = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.config import load_config\n"
        "from pipeline.plan import make_plan\n"
        "make_plan(load_config(None, dict(a.split('=') for a in sys.argv[1:])))\n"
        "assert not {'torch', 'monai', 'pydicom'} & set(sys.modules)\n"
    )
    settings = [
        f"studies={tmp_path / 'images'}", f"annotations.path={tmp_path}", f"model={write_model(tmp_path)}",
    ]  # fmt: skip
    subprocess.run([sys.executable, "-c", made, *settings], check=True, cwd=Path(__file__).parents[2])


def test_a_map_may_not_be_called_as_a_reader_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the name 'reader anna' is taken"):
        plan(tmp_path, methods=[{"method": "gradcam", "name": "reader anna"}])
