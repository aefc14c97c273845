"""Tests of PNG masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline.annotations import find_annotations
from pipeline.annotations.png import find, read
from pipeline.errors import CaseError
from pipeline.records import Reference

STUDIES = Path(__file__).parents[2] / "../shared/studies"
VALUES = np.array([[0, 1, 0], [2, 2, 0]], np.uint8)


def reference(path: Path, shape: tuple[int, int] = (2, 3), **options: object) -> Reference:
    (item,) = find(path, **options)
    return read(item, case_id="case", finding="mass", shape=shape)


def check_values(found: Reference) -> None:
    assert [mask.astype(int).tolist() for mask in found.masks] == [
        [[0, 1, 0], [0, 0, 0]],
        [[0, 0, 0], [1, 1, 0]],
    ]


def coloured(*colours: int) -> Image.Image:
    """A PNG with VALUES as indices into a palette."""
    image = Image.fromarray(VALUES).convert("P")
    image.putdata(VALUES.ravel().tolist())
    image.putpalette(colours)
    return image


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(VALUES),
        Image.fromarray(VALUES.astype(np.uint16) * 300),
        Image.fromarray(np.stack([VALUES] * 3, axis=-1)),
        Image.fromarray(np.stack([VALUES, VALUES, VALUES, np.full_like(VALUES, 255)], axis=-1)),
        Image.fromarray(np.stack([VALUES, np.full_like(VALUES, 255)], axis=-1)),
        coloured(0, 0, 0, 10, 10, 10, 20, 20, 20),
        coloured(0, 0, 0, 128, 0, 0, 0, 128, 0),
    ],
    ids=["8 bits", "16 bits", "grey RGB", "opaque RGBA", "opaque LA", "grey palette", "coloured palette"],
)
def test_values_are_instances_in_every_kind_of_png(tmp_path: Path, image: Image.Image) -> None:
    image.save(tmp_path / "1.png")
    check_values(reference(tmp_path, instances="values"))


def test_one_bit_is_one_instance(tmp_path: Path) -> None:
    Image.fromarray(VALUES > 0).save(tmp_path / "1.png")
    (mask,) = reference(tmp_path).masks
    assert mask.astype(int).tolist() == [[0, 1, 0], [1, 1, 0]]


def test_a_grey_palette_that_starts_with_white_is_read_by_its_grey(tmp_path: Path) -> None:
    coloured(255, 255, 255, 0, 0, 0, 0, 0, 0).save(tmp_path / "1.png")
    (mask,) = reference(tmp_path, instances="whole").masks
    assert mask.astype(int).tolist() == [[1, 0, 1], [0, 0, 1]]


def test_an_empty_mask_says_not_there(tmp_path: Path) -> None:
    Image.fromarray(VALUES * 0).save(tmp_path / "1.png")
    found = reference(tmp_path)
    assert (found.kind, found.masks, found.boxes) == ("mask", (), ())


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.stack([VALUES == 1, VALUES == 2, VALUES == 3], axis=-1).astype(np.uint8), "not_a_mask"),
        (np.stack([VALUES, VALUES, VALUES, VALUES], axis=-1), "not_a_mask"),
        (np.zeros((3, 2), np.uint8), "mask_size"),
        (np.zeros((4, 6), np.uint8), "mask_size"),
    ],
    ids=["colour", "transparent", "swapped", "twice as large"],
)
def test_what_is_no_mask_of_the_image_is_refused(tmp_path: Path, values: np.ndarray, reason: str) -> None:
    Image.fromarray(values).save(tmp_path / "1.png")
    with pytest.raises(CaseError) as refused:
        reference(tmp_path)
    assert refused.value.reason == reason


def test_soft_edges_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.arange(100, dtype=np.uint8)[None]).save(tmp_path / "1.png")
    with pytest.raises(CaseError, match="99 different values"):
        reference(tmp_path, shape=(1, 100))


@pytest.mark.parametrize(
    ("instances", "count"), [("auto", 2), ("components", 2), ("half", 2), ("values", 1), ("whole", 1)]
)
def test_what_an_instance_is_can_be_set(tmp_path: Path, instances: str, count: int) -> None:
    Image.fromarray(np.array([[255, 0, 255]], np.uint8)).save(tmp_path / "1.png")
    assert len(reference(tmp_path, shape=(1, 3), instances=instances).masks) == count


ROWS, COLUMNS = np.mgrid[:24, :20]
FIRST = (abs(ROWS - 7) < 4) & (abs(COLUMNS - 7) < 4)
SECOND = (abs(ROWS - 18) < 3) & (abs(COLUMNS - 14) < 3)
RIM = (abs(ROWS - 7) < 5) & (abs(COLUMNS - 7) < 5) & ~FIRST


def grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype(np.uint8))


def inverted_palette() -> Image.Image:
    image = grey(~FIRST).convert("P")
    image.putdata((~FIRST).astype(int).ravel().tolist())
    image.putpalette([0, 90, 0, 0, 0, 0])
    return image


@pytest.mark.parametrize(
    ("image", "lesions"),
    [
        (grey(255 * (FIRST | SECOND)), [49, 25]),
        (grey(255 * (FIRST | SECOND) + 90 * RIM), [49, 25]),
        (grey(FIRST + 2 * SECOND), [49, 25]),
        (grey(FIRST + 255 * RIM), [49]),
        (grey(1 + FIRST), [49]),
        (inverted_palette(), [49]),
    ],
    ids=["two parts", "soft", "numbers", "void", "background 1", "palette"],
)
def test_a_guess_that_is_pinned_reads_the_same_and_is_none(
    tmp_path: Path, image: Image.Image, lesions: list[int]
) -> None:
    image.save(tmp_path / "1.png")
    guessed = reference(tmp_path, shape=(24, 20))
    (notice,) = guessed.notices
    assert notice.kind == "guess"
    source = {"format": "png", **yaml.safe_load("{" + notice.line() + "}")}
    (item,) = find_annotations(tmp_path, [source])
    pinned = read(item, case_id="case", finding="mass", shape=(24, 20))
    assert pinned.notices == ()
    assert [mask.sum() for mask in guessed.masks] == [mask.sum() for mask in pinned.masks] == lesions


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    values = np.random.default_rng(0).integers(0, 2, (40, 50), np.uint8)
    file = tmp_path / "1.png"
    Image.fromarray(values).save(file)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(CaseError) as refused:
        reference(tmp_path, shape=(40, 50))
    assert refused.value.reason == "annotation_unreadable"


def test_damaged_files_raise_nothing_but_case_errors(tmp_path: Path) -> None:
    file = tmp_path / "1.png"
    Image.fromarray(VALUES).save(file)
    whole = file.read_bytes()
    reasons = set()
    for position in range(len(whole)):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            reference(tmp_path)
        except CaseError as error:
            reasons.add(error.reason)
    assert reasons == {"annotation_unreadable"}


def test_another_format_under_the_name_is_refused(tmp_path: Path) -> None:
    Image.fromarray(VALUES).save(tmp_path / "1.png", format="BMP")
    with pytest.raises(CaseError, match="not a readable PNG"):
        reference(tmp_path)


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
def test_breast_ultrasound_masks_keep_their_lesions_apart() -> None:
    folder = STUDIES / "breast_ultrasound"
    items = list(find(folder, pattern=("masks_instances/{image}.png", "masks/{image}.png")))
    assert len(items) == 623
    with_instances = {file.stem for file in (folder / "masks_instances").iterdir()}
    for item in [item for item in items if item.image in with_instances]:
        with Image.open(folder / "masks" / f"{item.image}.png") as union:
            expected = np.asarray(union) > 0
        found = read(item, case_id="case", finding="benign", shape=expected.shape)
        assert len(found.masks) > 1
        np.testing.assert_array_equal(np.any(found.masks, axis=0), expected)
