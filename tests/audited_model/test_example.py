"""Example: the network's logits for an image in a file, compared with those of the card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from pipeline.audited_model.example import close, logits_of
from pipeline.audited_model.example_image import LARGEST_VALUES, read_input
from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.audited_model.self_checks import run_self_checks
from pipeline.classifiers import Preprocessing
from pipeline.errors import ConfigError
from tests.study import GRID, picture, write_image, write_model

RECIPE = Preprocessing.model_validate({"window": "full", "resize": {"rule": "exact", "size": GRID}})
WINDOWED = RECIPE.model_copy(update={"window": (40.0, 80.0)})


def opened(card: Path, precision: str = "float32") -> AuditedModel:
    return open_model(
        card, weights=None, allow_pickle=False, device="cpu", precision=precision, methods=("gradcam",)
    )  # type: ignore[arg-type]


def saved(path: Path, values: NDArray[np.generic]) -> Path:
    np.save(path, values)
    return path


def test_every_kind_of_file_gives_the_same_input(tmp_path: Path) -> None:
    grey = picture(7)
    right = grey.astype(np.float32)[None] / 255
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(tmp_path / "as_rgb.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    paths = [
        *(tmp_path / name for name in ("grey.png", "as_rgb.png", "deep.png")),
        saved(tmp_path / "bytes.npy", grey),
        saved(tmp_path / "floats.npy", right[0]),
        saved(tmp_path / "input.npy", right),
        saved(tmp_path / "batch.npy", right[None]),
        write_image(tmp_path, 1, grey),
    ]
    for path in paths:
        np.testing.assert_allclose(read_input(path, RECIPE).tensor, right, atol=1e-6, err_msg=path.name)


def test_files_that_are_no_example_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.stack([picture(1), picture(2), picture(3)], axis=2)).save(tmp_path / "colour.png")
    Image.fromarray(picture(1)).save(tmp_path / "grey.png")
    (tmp_path / "text.dcm").write_text("no DICOM")
    np.save(tmp_path / "pickle.npy", np.array([{}]), allow_pickle=True)
    rows = LARGEST_VALUES // 2**13 + 1
    Image.new("1", (2**13, rows)).save(tmp_path / "large.png")
    refused = {
        "large.png": f"has {2**13 * rows:,} values, wanted {LARGEST_VALUES:,} or fewer; give a smaller image",
        saved(
            tmp_path / "large.npy", np.zeros((rows, 2**13), np.uint8)
        ).name: "or fewer; give a smaller image",
        "lost.png": "is not a file; put the image beside the card",
        "colour.png": "has colours or transparency; wanted DICOM",
        "text.dcm": "wanted DICOM, a grey PNG, or .npy",
        "pickle.npy": "without pickled objects",
        saved(tmp_path / "range.npy", np.full((4, 4), 2.0)).name: "has values 2 … 2, wanted 0 … 1",
        saved(tmp_path / "shape.npy", np.zeros((1, 4, 4))).name: f"wanted 1 x {GRID} x {GRID}",
        saved(tmp_path / "vector.npy", np.zeros(4)).name: "is 4 of float64",
    }
    for name, complaint in refused.items():
        with pytest.raises(ConfigError, match=complaint):
            read_input(tmp_path / name, RECIPE)
    with pytest.raises(ConfigError, match=r"a PNG has no unit for preprocessing\.window"):
        read_input(tmp_path / "grey.png", WINDOWED)


@pytest.mark.parametrize("way", ["../other.png", "{root}/other.png", "link.png", "linked/other.png", "\0"])
def test_an_example_outside_the_folder_of_the_card_is_not_read(tmp_path: Path, way: str) -> None:
    card = write_model(tmp_path / "model")
    Image.fromarray(picture(7)).save(tmp_path / "other.png")
    (card.parent / "link.png").symlink_to(tmp_path / "other.png")
    (card.parent / "linked").symlink_to(tmp_path)
    example = {"image": way.format(root=tmp_path), "logits": [0.0, 0.0]}
    card.write_text(yaml.safe_dump(yaml.safe_load(card.read_text()) | {"example": example}))
    with pytest.raises(ConfigError, match=r"example\.image: leads out of the folder"):
        opened(card)


def test_an_example_that_is_met_is_one_of_the_checks_and_of_the_identity(tmp_path: Path) -> None:
    card = write_model(tmp_path)
    assert opened(card).example is None
    image = saved(tmp_path / "example.npy", picture(7))
    logits = logits_of(opened(card).classifier, image, RECIPE)
    stated = yaml.safe_load(card.read_text()) | {"example": {"image": image.name, "logits": list(logits)}}
    card.write_text(yaml.safe_dump(stated))
    model = opened(card)
    assert model.example is not None
    assert run_self_checks(model)[0].name == "example"
    assert opened(card, "bfloat16").example == model.example
    saved(image, picture(7)[None].astype(np.float32) / 255)
    changed = opened(card).example
    assert changed is not None
    assert changed.sha256 != model.example.sha256
    assert changed.detail.startswith("the network's input: ")


def test_logits_agree_to_a_thousandth() -> None:
    assert close(0.5, 0.5009)
    assert not close(0.5, 0.5011)
    assert close(100.0, 100.09)
    assert not close(100.0, 100.11)
    assert not close(float("nan"), 0.0)
