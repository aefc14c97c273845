"""Card: the commands `heatproof card new` and `heatproof card check`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.terminal import open_console
from pipeline.errors import ConfigError, refuse_all
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.reading import named, read_file
from pipeline.guards.yaml_models import LARGEST_CARD_BYTES
from pipeline.store.atomic import make_folder, write_bytes, writing

if TYPE_CHECKING:
    from pipeline.records import Notice


def add_card(card: ArgumentParser) -> None:
    """Add the options of `heatproof card`."""
    commands = card.add_subparsers(dest="card_command", required=True)
    new = commands.add_parser(
        "new",
        help="write a model card for a weights file or an ONNX file",
        description="Write a model card for a weights file (.safetensors, .pth, .ckpt) or an ONNX file, with "
        "questions for what the file does not say.",
    )
    new.add_argument("weights", type=Path, metavar="FILE", help="state dict, or ONNX file")
    new.add_argument("--out", type=Path, metavar="CARD", help="file to write (default: beside the weights)")
    check = commands.add_parser(
        "check",
        help="compare the network's logits on one image with those that the card states",
        description="Compare the network's logits on the card's example with those that the card states, or "
        "print the logits for another image.",
    )
    check.add_argument("card", type=Path, metavar="CARD", help="model card (YAML)")
    check.add_argument("--image", type=Path, help="DICOM, grey PNG or .npy; prints an example for the card")
    check.add_argument("--weights", type=Path, help="weights file that replaces the one in the model card")
    check.add_argument(
        "--allow-pickle-weights",
        action="store_true",
        help="read a .pth, .pt, .ckpt or .bin, as data alone, as allow_pickle_weights of a config does",
    )
    check.add_argument("--write", action="store_true", help="with --image: add the example to the card")


def card(options: Namespace) -> int:
    """Run `heatproof card`, and return its exit code."""
    return {"new": _new, "check": _check}[options.card_command](options)


def _new(options: Namespace) -> int:
    out = options.out or options.weights.with_suffix(".yaml")
    if out.exists():
        raise ConfigError(f"{out}: exists already; choose another file with --out")
    from pipeline.classifiers.card_text import ASKED  # noqa: PLC0415
    from pipeline.classifiers.new_card import new_card  # noqa: PLC0415  # loads torch

    text, notices = new_card(options.weights, out=out)
    make_folder(out.parent)
    with writing(out):
        write_bytes(out, text.encode())
    console = open_console()
    for line in _shown(notices):
        console.print(line)
    console.print(f"Card: {out} ({text.count(ASKED)} question marks to replace by answers)")
    return 0


def _check(options: Namespace) -> int:
    from pipeline.audited_model.example import check_example, logits_of  # noqa: PLC0415  # loads torch
    from pipeline.classifiers import load_card  # noqa: PLC0415
    from pipeline.classifiers.card_files import existing_card, existing_weights  # noqa: PLC0415
    from pipeline.classifiers.classifier import open_classifier  # noqa: PLC0415

    refuse_all(lambda: existing_card(options.card, "CARD"), lambda: existing_weights(options.weights))
    path = existing_card(options.card, "CARD")
    model_card = load_card(path)
    if options.image is None and model_card.example is None:
        raise ConfigError(
            f"{path}: states no example, so there is nothing to compare its logits with; give --image <file> "
            "to see them, or add the example that your own framework prints"
        )
    if options.write and (options.image is None or model_card.example is not None):
        raise ConfigError(f"--write: needs --image and a card without an example; remove the one in {path}")
    if options.write and not is_inside(options.image, path.parent):
        raise ConfigError(
            f"--image: {options.image} is not in the folder of {path} or below; copy it there, so that the "
            "card can name it"
        )
    classifier = open_classifier(
        model_card,
        card_path=path,
        weights=options.weights,
        device="cpu",
        precision="float32",
        allow_pickle=options.allow_pickle_weights,
    )
    console = open_console()
    for line in _shown(classifier.notices):
        console.print(line)
    if options.image is None:
        met = check_example(classifier, path)
        console.print(f"The example is met: {met.detail if met else ''}")
        return 0
    logits = logits_of(classifier, options.image, model_card.preprocessing)
    for number, logit in enumerate(logits):
        console.print(f"{logit:>10.4f}  {model_card.name_of(number)}")
    line = _example(options.image, logits, path)
    console.print(line)
    if not is_inside(options.image, path.parent):
        console.print(f"The card can have this example once {options.image.name} is beside it.")
    if options.write:
        with writing(path), named(path):
            write_bytes(
                path, read_file(path, most_bytes=LARGEST_CARD_BYTES).rstrip(b"\n") + f"\n{line}\n".encode()
            )
        console.print(f"Card: {path}")
    console.print(
        "These are Heatproof's logits. Compare them with your own framework's before you rely on them."
    )
    return 0


def _example(image: Path, logits: Sequence[float], card_path: Path) -> str:
    """The example as a line of the card."""
    folder = card_path.parent
    place = relpath(image.absolute(), folder.absolute()) if is_inside(image, folder) else image.name
    place = place.replace("'", "''")
    numbers = ", ".join(f"{logit:.5f}" for logit in logits)
    return f"example: {{image: '{place}', logits: [{numbers}]}}"


def _shown(notices: Iterable[Notice]) -> list[str]:
    return [f"Note: {notice.text()}" for notice in notices]
