"""Command line: what may name somebody is shown as a pseudonym, and the rest as it was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.arguments import parser_of
from pipeline.cli.settings import words_of
from pipeline.cohort.pseudonyms import Pseudonyms
from pipeline.run.command_line import shown_words

PSEUDONYMS = Pseudonyms(bytes(32))


def shown(*arguments: str) -> list[str]:
    return shown_words(words_of(parser_of().parse_args(arguments)), PSEUDONYMS.of)


def test_paths_become_pseudonyms_and_the_rest_stays() -> None:
    found = shown(
        "audit", "--studies", "/home/jane/ward 3", "--model=card.yaml", "--conf", "my.yaml",
        "--mask-burned-in", "--operator", "Jane Doe", "--set", "contours.threshold=0.5",
    )  # fmt: skip
    studies, model, config = (
        PSEUDONYMS.of("path", str(Path(path).absolute()))
        for path in ("/home/jane/ward 3", "card.yaml", "my.yaml")
    )
    assert found == [
        "heatproof", "audit", "--studies", studies, "--model", model, "--operator", "Jane Doe",
        "--config", config, "--mask-burned-in", "--set", "contours.threshold=0.5",
    ]  # fmt: skip


def test_a_path_has_one_pseudonym_however_it_is_written() -> None:
    assert shown("audit", "--studies", "a")[3] == shown("audit", "--studies", str(Path("a").absolute()))[3]
    assert shown("audit", "--studies", "a")[3] != shown("audit", "--studies", "b")[3]


@pytest.mark.parametrize(
    "setting",
    [
        "contours.rule=otsu",
        "methods=[gradcam, layercam@stride8]",
        "probes=off",
        "policy={min_skill: 0.2}",
        "tuning.minimum_patients=5",
        "device=cuda:0",
    ],
)
def test_settings_without_names_are_shown(setting: str) -> None:
    assert shown("audit", "--set", setting)[-1] == setting


@pytest.mark.parametrize(
    "setting",
    [
        "annotations.labels={file: /home/jane/labels.csv, image: image}",
        "studies=images",
        "select.where={patient: Mueller}",
        "subgroups.table.file=jane.csv",
        "weights=jane.pt",
        "title=../jane",
        "title=Audit of Jane Doe",
        "readers.consensus=[Jane]",
        "contours.rule={a: /home/jane}",
        "baselines.location_prior={where: {split: jane}}",
    ],
)
def test_settings_that_may_name_somebody_are_pseudonyms(setting: str) -> None:
    key, _, value = setting.partition("=")
    word = shown("audit", "--set", setting)[-1]
    assert word == f"{key}={PSEUDONYMS.of('value', value)}"
    assert "ane" not in word.partition("=")[2]
