"""Card files: the model card and the weights file that a config or the card names, without loading them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.weight_formats import folder_name
from pipeline.errors import ConfigError
from pipeline.guards.existing import existing_file, existing_path
from pipeline.guards.inside_folder import inside_folder

GIVE_WEIGHTS: Final = "copy the weights there, or name the file with --weights"
CARD_SUFFIXES: Final = (".yaml", ".yml")
A_CARD: Final = "a model card (YAML), as `heatproof card new FILE` writes it"


def existing_card(path: Path | None, option: str = "--model <model card>") -> Path:
    """The path of the model card. Raises ConfigError if it is missing, or a folder."""
    return existing_file(path, "model", option, suffixes=CARD_SUFFIXES, what=A_CARD)


def existing_weights(path: Path | None, key: str = "weights") -> None:
    """Raise ConfigError if no file lies at the path of weights. None: no path was given."""
    if path is not None and existing_path(path, key, "--weights <file>").is_dir():
        what, remedy = folder_name(path)
        raise ConfigError(f"{key}: {path} is {what}, wanted a file with a state dict; {remedy}")


def weights_path(card: ModelCard, card_path: Path) -> Path:
    """The file of weights, or the ONNX file, that the card names. Raises ConfigError."""
    if isinstance(card.architecture, OnnxFile):
        name, key = card.architecture.onnx, "architecture.onnx"
    elif card.weights is None:
        raise ConfigError(
            f"{card_path}: names no weights file; add weights and sha256 to the card, or use --weights"
        )
    else:
        name, key = card.weights, "weights"
    return inside_folder(card_path, name, key=key, remedy=GIVE_WEIGHTS)
