"""Settings: the config that the options of a command and its file state."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import OPTIONS
from pipeline.config import AuditConfig, load_config, parse_override
from pipeline.config.sections import ARCHIVE
from pipeline.errors import ConfigError, refuse_all
from pipeline.guards.existing import existing_path
from pipeline.run.command_line import Word, words_of_setting

NO_INPUTS = ("out", "operator")
"""Options whose value names no file or folder that has to exist."""


def loaded_config(options: Namespace) -> AuditConfig:
    """The config of the command line.

    Raises ConfigError that names each wrong key, and each option whose path does not exist.
    """
    overrides = overrides_of(options)
    try:
        return load_config(options.config, overrides)
    except ConfigError as error:
        refuse_all(partial(_raise, error), *(partial(_check_path, *item) for item in overrides.items()))
        raise


def _check_path(key: str, value: object) -> None:
    """Refuse the value of an option that names no file or folder; that of `out` is made."""
    option = next((name for name, (of_key, _) in OPTIONS.items() if of_key == key), None)
    option = None if option in NO_INPUTS else option
    if option and isinstance(value, str) and not value.startswith(ARCHIVE):
        existing_path(Path(value), key, f"another --{option}")


def _raise(error: ConfigError) -> None:
    raise error


def overrides_of(options: Namespace) -> dict[str, Any]:
    """Dotted keys → values that the command line sets; --set overrides the other options."""
    given = {key: getattr(options, name, None) for name, (key, _) in OPTIONS.items()}
    given["burned_in_text.mask"] = getattr(options, "mask_burned_in", None)
    return {key: value for key, value in given.items() if value} | dict(map(parse_override, options.set))


def words_of(options: Namespace) -> list[Word]:
    """The command that these options were parsed from, in their usual order, for the run's provenance.

    Paths are absolute, so that one file has one pseudonym.
    """
    words = [Word("heatproof"), Word(options.command)]
    for name in (*OPTIONS, "config"):
        value = getattr(options, name, None)
        if value and name == "operator":
            words += [Word(f"--{name}"), Word(value)]
        elif value:
            words += [Word(f"--{name}"), Word(str(Path(value).absolute()), "path")]
    if getattr(options, "mask_burned_in", False):
        words.append(Word("--mask-burned-in"))
    for setting in options.set:
        words += words_of_setting(*parse_override(setting), setting.partition("=")[2])
    return words
