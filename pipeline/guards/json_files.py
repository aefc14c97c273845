"""JSON files: read with bounds, because a short text can hold millions of values."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pydantic_core import from_json

from pipeline.errors import CaseError
from pipeline.guards.reading import read_file

LARGEST_BYTES = 2**26
MOST_VALUES = 2_000_000
"""Values of a file that this process reads: some 100 bytes each. Workers have a limit of memory instead."""
BEFORE_A_VALUE = (b"[", b"{", b",")
"""What every value but the first follows."""
NOT_JSON = "is not JSON in UTF-8"


def read_json(
    path: str | Path, *, most_bytes: int = LARGEST_BYTES, most_values: int | None = MOST_VALUES
) -> Any:
    """The value in a JSON file in UTF-8, with or without byte order mark.

    Raises CaseError: "not_a_file", "unreadable", "too_large" (bytes or values) or "not_json", with the place.
    """
    return parse_json(read_file(path, most_bytes=most_bytes), most_values=most_values)


def parse_json(content: bytes, *, most_values: int | None = MOST_VALUES) -> Any:
    """The value of a JSON text; NaN and infinity, which JSON lacks, are refused. Raises CaseError.

    pydantic's parser takes half the time of Python's. It ends the process where memory is short, so that it
    gets bounded texts alone; what it refuses, such as lone surrogates, Python reads or says what is wrong.
    """
    if most_values is not None:
        if sum(map(content.count, BEFORE_A_VALUE)) >= most_values:
            raise CaseError("too_large", f"holds more than {most_values:,} values; split it, or leave it out")
        with suppress(ValueError):
            return from_json(content, allow_inf_nan=False)
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        raise CaseError("not_json", f"{NOT_JSON} {where}; correct it, or export it again") from error
    except UnicodeDecodeError as error:
        raise CaseError("not_json", f"{NOT_JSON} (byte {error.start}); save it as UTF-8") from error
    except RecursionError as error:
        raise CaseError("not_json", f"{NOT_JSON}: too many brackets within each other; correct it") from error
    except ValueError as error:
        raise CaseError(
            "not_json", f"{NOT_JSON}: NaN, infinity or an endless number; correct it, or export it again"
        ) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
