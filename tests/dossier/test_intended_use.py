"""Intended use: the template, and files that are read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.dossier.intended_use import (
    LARGEST_BYTES,
    LONGEST,
    STATEMENTS,
    as_yaml,
    read_intended_use,
    template,
)
from pipeline.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "use.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_has_every_key_and_says_nothing(tmp_path: Path) -> None:
    content = yaml.safe_load(template())
    assert [f"{section}.{key}" for section, keys in content.items() for key in keys] == list(STATEMENTS)
    assert all(f"# {name}" in template() for name in STATEMENTS.values())
    assert read_intended_use(written(tmp_path, template())) == {}


def test_what_the_issue_asks_for_has_a_key() -> None:
    assert {
        "use.purpose", "use.population", "study.sites", "reference.annotators", "acceptance.criteria",
        "product.contact", "product.version",
    } <= STATEMENTS.keys()  # fmt: skip


def test_a_filled_template_is_read_and_written_again(tmp_path: Path) -> None:
    text = template().replace("  population:", '  population: "adults: 18 and older" #')
    said = read_intended_use(written(tmp_path, text))
    assert said == {"use.population": "adults: 18 and older"}
    assert read_intended_use(written(tmp_path, as_yaml(said))) == said


def test_texts_of_several_lines_and_empty_ones(tmp_path: Path) -> None:
    said = read_intended_use(
        written(tmp_path, "use:\n  purpose: |\n    one\n    two\n  users: '  '\nstudy:\n")
    )
    assert said == {"use.purpose": "one\ntwo"}


def test_without_a_file_nothing_is_said() -> None:
    assert read_intended_use(None) == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("uses: {purpose: x}", "uses: unknown key; did you mean 'use'?"),
        ("use: {populatoin: adults}", "use.populatoin: unknown key; did you mean 'population'?"),
        ("product: {version: 2.1}", "product.version: wanted a text; put it in quotes"),
        ("product: {release_date: 2026-01-01}", "product.release_date: wanted a text; put it in quotes"),
        ("use: adults", "use: wanted keys and values"),
        ("- a\n- b\n", "holds a list, wanted keys and values"),
        (f"use: {{purpose: {'x' * (LONGEST + 1)}}}", f"wanted a text of {LONGEST} or fewer characters"),
        ("use: {purpose: a, purpose: b}", "the key 'purpose' occurs twice"),
        ("use: &a {purpose: *a}", "aliases are not supported"),
        ("#" * (LARGEST_BYTES + 1), "is larger than 256 KiB; shorten its texts"),
    ],
)
def test_other_files_are_refused_in_our_own_words(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_intended_use(path)
    assert why in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lost\.yaml"):
        read_intended_use(tmp_path / "lost.yaml")
