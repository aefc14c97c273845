"""Card: `heatproof card new` and `heatproof card check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from pipeline.cli import main
from tests.study import picture, write_model


@pytest.fixture
def card(tmp_path: Path) -> Path:
    Image.fromarray(picture(7)).save(tmp_path / "example.png")
    return write_model(tmp_path)


def test_a_new_card_lies_beside_the_weights_and_is_never_replaced(
    card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = card.with_suffix(".safetensors")
    assert main.main(["card", "new", str(weights)]) == 2
    assert "tiny.yaml: exists already; choose another file with --out" in capsys.readouterr().err
    card.unlink()
    assert main.main(["card", "new", str(weights)]) == 0
    assert "question marks to replace by answers" in capsys.readouterr().out
    assert yaml.safe_load(card.read_text())["weights"] == "tiny.safetensors"


def test_a_new_card_names_weights_below_its_folder_and_no_others(card: Path) -> None:
    weights = card.with_suffix(".safetensors")
    above, apart = card.parent.parent / f"{card.parent.name}.yaml", card.parent / "new" / "card.yaml"
    for out in (above, apart):
        assert main.main(["card", "new", str(weights), "--out", str(out)]) == 0
    assert yaml.safe_load(above.read_text())["weights"] == f"{card.parent.name}/tiny.safetensors"
    assert "weights" not in yaml.safe_load(apart.read_text())
    assert "copy tiny.safetensors beside the card and name it, or give it with --weights" in apart.read_text()


def test_an_image_that_is_not_below_the_card_is_not_written_into_it(
    card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = card.parent.parent / f"{card.parent.name}-elsewhere.png"
    Image.fromarray(picture(7)).save(image)
    before = card.read_text()
    assert main.main(["card", "check", str(card), "--image", str(image), "--write"]) == 2
    assert "or below; copy it there" in capsys.readouterr().err
    assert card.read_text() == before
    assert main.main(["card", "check", str(card), "--image", str(image)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"image: '{image.name}'" in printed
    assert f"The card can have this example once {image.name} is beside it." in printed


def test_a_check_reads_a_pickle_only_where_it_is_allowed_as_an_audit_does(
    card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    weights = card.with_suffix(".pth")
    torch.save(load_file(card.with_suffix(".safetensors")), weights)
    stated = yaml.safe_load(card.read_text())
    del stated["sha256"], stated["weights"]
    card.write_text(yaml.safe_dump(stated))
    command = [
        "card",
        "check",
        str(card),
        "--weights",
        str(weights),
        "--image",
        str(card.parent / "example.png"),
    ]
    assert main.main(command) == 2
    assert "with `heatproof card check`: the option --allow-pickle-weights" in " ".join(
        capsys.readouterr().err.split()
    )
    assert main.main([*command, "--allow-pickle-weights"]) == 0
    assert "example: {image: 'example.png'" in capsys.readouterr().out


def test_a_card_that_exists_is_refused_before_torch_is_loaded(card: Path) -> None:
    weights = str(card.with_suffix(".safetensors"))
    program = (
        "import sys; from pipeline.cli.main import main; code = main(sys.argv[1:]);"
        " print(code, sorted({'torch', 'monai'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "card", "new", weights],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.stdout.strip() == "2 []", ended.stderr


def test_the_example_that_is_written_is_met(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["card", "check", str(card)]) == 2
    assert (
        "states no example, so there is nothing to compare its logits with; give --image <file>"
        in capsys.readouterr().err
    )
    image = ["--image", str(card.parent / "example.png")]
    before = card.read_text()
    assert main.main(["card", "check", str(card), *image]) == 0
    assert "example: {image: 'example.png', logits: [" in capsys.readouterr().out
    assert card.read_text() == before
    assert main.main(["card", "check", str(card), *image, "--write"]) == 0
    assert "Compare them with your own framework's" in capsys.readouterr().out
    assert main.main(["card", "check", str(card)]) == 0
    assert "The example is met: an image, by the card's preprocessing" in capsys.readouterr().out
    assert main.main(["card", "check", str(card), *image, "--write"]) == 2
    assert "a card without an example" in capsys.readouterr().err
