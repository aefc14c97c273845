"""Pages: snippets, tables, links and names in README, CONTRIBUTING and SECURITY hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torch import nn

import pipeline
from pipeline import annotations, attribution, baselines, checks, contours, exports, metrics
from pipeline.annotations.published import TABLES
from pipeline.attribution import METHODS
from pipeline.classifiers.card import Example, ModelCard, load_card
from pipeline.classifiers.network_classes import NETWORKS
from pipeline.classifiers.weight_formats import PICKLE_SUFFIXES
from pipeline.config import AuditConfig
from pipeline.external_maps import formats
from pipeline.loaders.formats import FORMATS as IMAGES
from pipeline.registry import Registry
from pipeline.review import formats as review_formats
from pipeline.validation import checks as validation_checks
from tests.attribution.test_library_networks import NETWORKS as OF_LIBRARIES
from tests.readme.pages import (
    CONTRIBUTING,
    NEVER_RUN,
    PROJECT,
    README,
    SECURITY,
    blocks,
    coded,
    folder,
    run,
    table,
)
from tests.study import write_study

__all__ = ["folder"]

REGISTRIES: dict[str, Registry[Any]] = {
    "attribution method": attribution.METHODS,
    "metric": metrics.METRICS,
    "annotation format": annotations.FORMATS,
    "format of external maps": formats.FORMATS,
    "contour rule": contours.RULES,
    "baseline": baselines.BASELINES,
    "format of reviewers' masks": review_formats.FORMATS,
    "self-check of the model": checks.CHECKS,
    "check of annotations": validation_checks.CHECKS,
    "kind of exported object": exports.EXPORTS,
}


def test_the_config_is_one_that_the_program_reads() -> None:
    (text,) = blocks(README, "yaml")
    config = AuditConfig.model_validate(yaml.safe_load(text))
    assert config.contours.threshold == 0.6
    assert config.policy.min_auroc == 0.8


def test_the_snippet_runs_and_gives_maps_of_the_shape_it_says() -> None:
    _, _, text = blocks(README, "python")
    names: dict[str, Any] = {}
    exec(text, names)  # the README's own code
    said = re.search(r"\((\d+) images, (\d+) findings, (\d+) rows, (\d+) columns\)", text)
    assert said is not None
    assert names["maps"].shape == tuple(map(int, said.groups()))


def test_the_three_lines_print_an_example_that_a_card_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, _, _ = blocks(README, "python")
    assert len(lines.strip().splitlines()) == 3
    monkeypatch.chdir(tmp_path)
    Image.new("L", (4, 4), 51).save("example.png")
    own = {
        "Image": Image,
        "preprocess": lambda image: torch.from_numpy(np.asarray(image, np.float32) / 255),
        "model": lambda inputs: torch.stack([inputs.mean((1, 2)), -inputs.mean((1, 2))], dim=1),
    }
    exec(lines, own)  # the README's own code
    example = Example.model_validate(yaml.safe_load(capsys.readouterr().out)["example"])
    assert example == Example(image="example.png", logits=(0.2, -0.2))


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    named = {
        target
        for page in (README, CONTRIBUTING, SECURITY)
        for target in re.findall(r"\bmake ([a-z-]+)", page)
    }
    listed = re.search(r"lists the longer checks: (.+?)\.", CONTRIBUTING, re.DOTALL)
    assert listed is not None
    for target in named | set(coded(listed[1])):
        assert re.search(rf"^{target}: .*##", makefile, re.MULTILINE), target


@pytest.mark.parametrize("command", sorted(NEVER_RUN))
def test_commands_that_are_not_run_here_are_targets_of_make(command: str, folder: Path) -> None:
    assert run(f"{command} --dry-run --always-make", folder)


@pytest.mark.parametrize("page", ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"])
def test_links_lead_to_files(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (PROJECT / page).read_text(encoding="utf-8"))
    for link in links:
        assert ((PROJECT / page).parent / link).exists(), link


def test_exit_codes_are_those_of_the_command_line() -> None:
    from pipeline.cli.interruption import INTERRUPTED  # noqa: PLC0415
    from pipeline.cli.main import BUG, DONE, NOT_STARTED, POLICY_FAILED, STOPPED  # noqa: PLC0415

    said = [int(row[0]) for row in table(README, "| exit code |")]
    assert said == [DONE, POLICY_FAILED, NOT_STARTED, STOPPED, BUG, INTERRUPTED]


def test_the_inputs_are_variables_of_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for row in table(README, "| input |"):
        assert f"$(call flag,{coded(row[0])[0]}," in makefile


IN_WORDS = {
    "png": "PNG", "jpg": "JPEG", "volume": "NIfTI", "dicom_seg": "DICOM SEG",
    "rle_json": "run lengths in JSON", "siim_acr": "SIIM-ACR", "boxes": "tables of boxes",
    "points": "points", "coco": "COCO", "chexlocalize": "CheXlocalize", "labelme": "LabelMe",
    "pascal_voc": "Pascal VOC", "yolo": "YOLO", "cvat": "CVAT", "label_studio": "Label Studio",
    "supervisely": "Supervisely", "via": "VIA", "padchest_gr": "PadChest-GR",
    "rtstruct": "RT Structure Sets", "dicom_sr": "TID 1500",
    "gsps": "presentation states", "dicom_mask": "DICOM images", "overlay": "overlays",
}  # fmt: skip
"""Annotation format → what the README calls it."""


def test_all_formats_of_annotations_and_images_and_all_networks_are_in_the_table_of_inputs() -> None:
    rows = {row[0]: row[1] for row in table(README, "| in | formats |")}
    assert IN_WORDS.keys() == set(annotations.FORMATS)
    of_annotations = " ".join(rows[name] for name in ("masks", "outlines, boxes, points"))
    assert [word for word in IN_WORDS.values() if word not in of_annotations] == []
    assert [word for word in ("DICOM", *IMAGES) if word not in rows["images"]] == []
    families = {re.sub(r"[\d_]+$", "", name) for name in NETWORKS}
    assert [name for name in sorted(families) if name not in rows["networks by a card"]] == []
    tested = re.search(r"\(tested: (.+?);", rows["networks by a card"])
    assert tested is not None
    names = {name.partition(":")[2] for name in OF_LIBRARIES}
    for family in tested[1].lower().split(", "):
        assert any(name.startswith((family, f"legacy_{family}")) for name in names), family


def test_published_tables_and_suffixes_of_weights_are_those_that_are_recognised() -> None:
    rows = {row[0]: row[1] for row in table(README, "| in | formats |")}
    assert [name for name in TABLES if name.removeprefix("NIH ") not in rows["published tables"]] == []
    suffixes = {word for word in coded(rows["weights"]) if word.startswith(".")}
    assert suffixes
    assert suffixes <= set(PICKLE_SUFFIXES)


def test_every_card_is_in_the_table_of_cards_with_what_its_outputs_are() -> None:
    shown = {coded(card)[0]: outputs for card, outputs in table(README, "| card | outputs |")}
    cards = {path.name: load_card(path) for path in (PROJECT / "configs" / "models").glob("*.yaml")}
    assert shown.keys() == cards.keys()
    for name, outputs in shown.items():
        card = cards[name]
        assert ("softmax" in outputs) == (card.activation == "softmax")
        assert all(f"{word}".lower() in outputs.lower() for word in card.not_findings)
        said = {"a single logit": 1, "two findings": 2}.get(outputs)
        counted = said or (int(count[0]) if (count := re.match(r"\d+", outputs)) else len(card.findings))
        assert counted == len(card.findings)


def test_what_the_table_says_of_outputs_is_what_a_card_takes() -> None:
    (text,) = [row[1] for row in table(README, "| in | formats |") if row[0] == "outputs of networks"]
    values = yaml.safe_load((PROJECT / "configs" / "models" / "pneumonia_classes_resnet18.yaml").read_text())
    values["findings"][1] = yaml.safe_load(coded(text)[0])
    del values["codes"]  # one is of that output
    card = ModelCard.model_validate(values | yaml.safe_load(coded(text)[1]))
    assert card.findings == ("viral pneumonia",)


def test_what_the_table_says_of_codes_is_what_a_card_takes() -> None:
    (text,) = [row[1] for row in table(README, "| in | formats |") if row[0] == "codes of findings"]
    values = yaml.safe_load((PROJECT / "configs" / "models" / "pneumonia_densenet121.yaml").read_text())
    values["findings"] = ["nodule"]
    card = ModelCard.model_validate(values | yaml.safe_load(coded(text)[0]))
    assert card.codes["nodule"].value == "427359005"


def test_the_notebook_snippet_makes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text, _ = blocks(README, "python")
    write_study(tmp_path, count=2)
    (tmp_path / "masks" / "nodule").rename(tmp_path / "masks" / "mass")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 4, 9, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))
    names: dict[str, Any] = {"network": nn.Sequential(*layers)}
    exec(text, names)  # the README's own code
    assert names["outcome"].index.exists()


def test_it_counts_the_methods_right() -> None:
    assert f"Grad-CAM, or one of {len(METHODS) - 1} other methods" in README


def test_the_citation_is_of_this_version() -> None:
    (entry,) = blocks(README, "bibtex")
    assert f"version = {{{pipeline.__version__}}}" in entry


def test_the_contributors_table_names_contracts_folders_and_laws() -> None:
    rows = table(CONTRIBUTING, "| to add a … |")
    assert [row[0] for row in rows] == list(REGISTRIES)
    for name, contract, where, laws in rows:
        registry_module = coded(where)[-1].removesuffix("__init__.py").strip("/")
        wanted = {type(plugin) for plugin in REGISTRIES[name].values()}
        assert {kind.__name__ for kind in wanted} == {contract.split(" of ")[0].strip("`")}
        assert (PROJECT / "pipeline" / coded(where)[0]).is_dir()
        assert "= Registry" in (PROJECT / "pipeline" / registry_module / "__init__.py").read_text().replace(
            ": Registry", " = Registry"
        )
        assert (PROJECT / "tests" / coded(laws)[0]).is_file()


def test_the_groups_of_entry_points_are_those_of_the_registries() -> None:
    groups = {registry.group.removeprefix("heatproof.") for registry in REGISTRIES.values()} | {"backends"}
    start = CONTRIBUTING.index("The groups are")
    said = coded(CONTRIBUTING[start : CONTRIBUTING.index("[`tests/plugins`]")])
    assert {name.removeprefix("heatproof").removeprefix(".") for name in said} == groups


def test_the_entry_point_that_it_shows_is_the_example_packages() -> None:
    (text,) = blocks(CONTRIBUTING, "toml")
    assert text.strip() in (PROJECT / "tests" / "plugins" / "pyproject.toml").read_text()


def test_every_rule_of_the_page_is_one_of_the_code() -> None:
    page = (PROJECT / "reports" / "README.md").read_text(encoding="utf-8")
    lines = page.partition("### What speaks against whom")[2].partition("###")[0].splitlines()
    names = [
        name for line in lines if "|" in line for name in re.findall(r"`([a-z_]+…?)`", line.split("|")[1])
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "pipeline").rglob("*.py"))
    starts = [name.removesuffix("…") for name in names]
    assert len(starts) > 20
    assert [start for start in starts if not re.search(rf'"{start}["{{]', code)] == []
