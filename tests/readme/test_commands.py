"""Commands: all commands of the README run in its order and print what it shows. `make test-readme`"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.readme.pages import NEVER_RUN, README, blocks, coded, commands, folder, run, table
from tests.review.test_results import decided

__all__ = ["folder"]

ALIKE = 0.25
"""Differences that another CPU's arithmetic may make: two of 14 images move a bound from .232 to .428."""
DRAWN = " random "
"""Rows of the random baseline: its draws follow the pseudonyms, whose key is new in each output folder."""
UNSCORED = "reports/unscored/RUN"
PHANTOM_FINDINGS = ("nodule", "consolidation", "effusion", "cardiomegaly")


def write_maps(folder: Path, images: Path) -> None:
    """A map of each finding and image, highest in a corner."""
    corner = np.zeros((8, 8), np.float32)
    corner[0, 0] = 1
    folder.mkdir()
    for image, finding in itertools.product(images.iterdir(), PHANTOM_FINDINGS):
        np.save(folder / f"{image.stem}__{finding}.npy", corner)


def prepared(command: str, folder: Path) -> str:
    """The command with the inputs that a reader brings: maps, decisions, and a run's name."""
    place = "reports/unscored" if UNSCORED in command else "reports"
    (audited,) = folder.glob(f"{place}/reference_model-*") if "RUN" in command else (folder,)
    if "HEATMAPS=maps" in command:
        write_maps(folder / "maps", folder / "reports" / "phantoms" / "images")
    if answers := re.search(r"(\w+)/\*\.json", command):
        (folder / answers[1]).mkdir()
        path = decided(audited, "anna", lambda *_: "agree")
        path.rename(folder / answers[1] / "anna.json")
    if "CASE" in command:
        command = command.replace("CASE", min(path.name for path in (audited / "cases").glob("case-*")))
    return re.sub(r"\bRUN\b", str(audited.relative_to(folder)), command.replace(UNSCORED, "RUN"))


def test_the_commands_run_in_the_order_of_the_page_and_print_what_it_shows(folder: Path) -> None:
    printed: dict[str, str] = {}
    for command in commands(README):
        if command in NEVER_RUN:
            continue
        if "contours.threshold" in command:  # a second run of the same model, in a place of its own
            command = f"{command} OUT=others"  # noqa: PLW2901
            (folder / "others").mkdir()
            (folder / "others" / "phantoms").symlink_to(folder / "reports" / "phantoms")
        printed[command] = run(prepared(command, folder), folder)
    assert len(printed) == 15
    alike_but_for_numbers(blocks(README, "text")[0], printed["make audit"])
    (audited,) = folder.glob("reports/reference_model-*")
    listed_files(audited)
    assert yaml.safe_load((folder / "reports" / "tuned.yaml").read_text())["tuned"]["method"] == "gradcam"
    assert (folder / "reports" / "annotations" / "annotations.yaml").exists()
    assert (folder / "reports" / "report.html").stat().st_size > 10**6
    assert (folder / "reports" / "figure.svg").read_text().count(
        "<image "
    ) >= 3  # a fourth where a lesion is annotated


def alike_but_for_numbers(shown: str, printed: str) -> None:
    """The page's terminal output is the program's, with nearly its numbers except for random ones."""
    number = re.compile(r"−?-?\d+\.\d+")
    without_progress = re.sub(r"^(Probing, .*, )?\d+ of \d+ images, .*\n", "", printed, flags=re.MULTILINE)
    run_id = re.compile(r"reference_model-[0-9a-f]{8}")
    texts = [run_id.sub("<run>", text) for text in (shown, without_progress)]
    assert number.sub("0", texts[0]) == number.sub("0", texts[1])
    kept = ["\n".join(line for line in text.splitlines() if DRAWN not in line) for text in texts]
    first, second = ([float(n.replace("−", "-")) for n in number.findall(text)] for text in kept)
    assert len(first) > 70
    assert first == pytest.approx(second, abs=ALIKE)


def listed_files(audited: Path) -> None:
    """The table of output files names all files of a run, and no others."""
    listed = [name for row in table(README, "| in `reports/<run-id>/` |") for name in coded(row[0])]
    visible = [path for path in audited.iterdir() if not path.name.startswith(".")]
    assert sorted(listed) == sorted(f"{path.name}{'/' * path.is_dir()}" for path in visible)
