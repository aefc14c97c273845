"""Signatures: the arguments of a network of another library, compared with those that its class takes."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import Parameter, signature

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

SYNONYMS = {"num_classes": "out_channels", "in_chans": "in_channels"}
"""Argument of other libraries → the card's word for it."""


def check_arguments(network: type, arguments: Iterable[str], *, name: str) -> None:
    """Raise ConfigError for an argument that the class does not name; weights and files are never named."""
    named = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
    found = signature(network).parameters.values()
    known = [one.name for one in found if one.kind in named and one.name not in SYNONYMS]
    for argument in arguments:
        if argument in SYNONYMS:
            raise ConfigError(
                f"architecture.arguments.{argument}: is {SYNONYMS[argument]} on a card; remove it"
            )
        if argument not in known or "pretrained" in argument:
            raise ConfigError(
                f"architecture.arguments.{argument}: unknown argument of {name}"
                f"{did_you_mean(argument, known)}"
            )
