"""Inputs: `--explain-inputs` prints the mapping and stops before it loads torch or writes anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tests.study import square, write_mask, write_model, write_study

PROGRAM = """
import sys
from pipeline.cli.main import main
code = main(sys.argv[1:])
print("torch" in sys.modules)
sys.exit(code)
"""


def explained(command: str, folder: Path, *model: str) -> list[str]:
    """The lines that a command prints with --explain-inputs."""
    inputs = ["--studies", str(folder / "images"), "--annotations", str(folder), "--out", str(folder / "out")]
    options = [*model, "--set", "workers=1", "--explain-inputs"]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, command, *inputs, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_the_mapping_is_printed_with_examples_and_guesses_and_nothing_is_written(tmp_path: Path) -> None:
    write_study(tmp_path, count=3)
    write_model(tmp_path / "model")
    (tmp_path / "notes.txt").write_text("seen by anna")
    printed = explained("audit", tmp_path, "--model", str(tmp_path / "model" / "tiny.yaml"))
    assert printed[:2] == ["Studies: 3 images in 3 files, 3 selected", "Sources (guessed):"]
    assert "  nodule → nodule (reader 2)" in printed
    assert "Names of images: 3 by SOP instance UID, 2 by file name" in printed
    assert "  nodule = nodule: 2 present, 1 absent" in printed
    example = printed.index("Examples:") + 1
    assert printed[example] == "  image3 → image3.dcm: png annotation of effusion, reader reader"
    assert "  1 × other_format: the file is in no format of annotations" in printed
    config = yaml.safe_load("\n".join(printed[printed.index("A config that states all guesses:") + 1 : -1]))
    assert config["annotations"].keys() == {"sources", "labels", "join"}
    assert sum(line.startswith("Guess: ") for line in printed) == 3
    assert printed[-1] == "False"  # torch is not loaded
    assert not (tmp_path / "out").exists()


def test_words_are_shown_and_no_pseudonyms_of_a_crosswalk_that_is_not_written(tmp_path: Path) -> None:
    write_study(tmp_path, count=1)
    model = write_model(tmp_path / "model")
    (tmp_path / "boxes.csv").write_text("image,finding,x,y,width,height\nimage1,Rib,4,4,9,9\n")
    sources = "annotations.sources=[{format: boxes, file: boxes.csv}]"
    printed = explained("audit", tmp_path, "--model", str(model), "--set", sources)
    remedy = "map it to a finding in annotations.findings"
    assert f"  1 × unknown_finding: Rib is not a finding of the network; {remedy}" in printed
    assert not [line for line in printed if "crosswalk.csv" in line or "finding-" in line]


def test_a_validation_explains_its_inputs_too(tmp_path: Path) -> None:
    write_study(tmp_path, count=1)
    write_mask(tmp_path, "Rib", 1, square((40, 32), 4, 4, 9))
    printed = explained("validate", tmp_path, "--set", "annotations.findings={nodule: nodule}")
    assert "  nodule → nodule (reader 1)" in printed
    assert "  Rib → Rib (reader 1)" in printed
    assert printed[-1] == "False"
