"""Large tables: a CSV of up to a million rows, which people open; beyond that Parquet alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.run_files.parquet import MOST_ROWS, parquet_of
from pipeline.statistics.columns import numbers_of
from pipeline.statistics.score_columns import WHOLE_IMAGE, ScoreRows
from pipeline.statistics.summaries import Key
from pipeline.store.parquet import open_parquet, write_parquet
from pipeline.store.tables import write_table

SCORES = "scores.csv"


def write_rows(run: Path, name: str, rows: Iterable[Mapping[str, object]], *, count: int) -> None:
    """Write a table of so many rows as CSV or Parquet; removes the other, which an earlier attempt left."""
    if count <= MOST_ROWS:
        write_table(run, name, rows)
        (run / parquet_of(name)).unlink(missing_ok=True)
    else:
        write_parquet(run, name, rows)
        (run / name).unlink(missing_ok=True)


@contextmanager
def score_table(run: Path, patient_ids: Mapping[str, str]) -> Iterator[Callable[[ScoreRows], None]]:
    """A function that adds rows to the table of scores, which appears when the block ends.

    Up to `MOST_ROWS` are kept as numbers, because their count tells whether the table is a CSV.
    """
    kept: list[ScoreRows] = []
    with ExitStack() as stack:
        add_columns: Callable[[pa.Table], None] | None = None

        def add(rows: ScoreRows) -> None:
            nonlocal add_columns
            kept.append(rows)
            if add_columns is None and sum(map(len, kept)) > MOST_ROWS:
                add_columns = stack.enter_context(open_parquet(run, SCORES))
            if add_columns is not None:
                for some in kept:
                    add_columns(_columns(some, patient_ids))
                kept.clear()

        yield add
        if add_columns is None:
            write_rows(run, SCORES, _rows(kept, patient_ids), count=0)
        else:
            (run / SCORES).unlink(missing_ok=True)


def _rows(parts: Iterable[ScoreRows], patient_ids: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for part in parts:
        for case_id, key, value, reason, lesion in part:
            yield {
                "case_id": case_id, "patient_id": patient_ids[case_id], **key._asdict(), "value": value,
                "undefined_because": reason, "lesion": lesion,
            }  # fmt: skip


def _columns(rows: ScoreRows, patient_ids: Mapping[str, str]) -> pa.Table:
    case, key = numbers_of(rows.case), numbers_of(rows.key)
    value, lesion = numbers_of(rows.value), numbers_of(rows.lesion).astype(np.int64)
    ids, keys = rows.case_ids.in_order, rows.keys.in_order
    return pa.table(
        {
            "case_id": _texts(ids, case),
            "patient_id": _texts([patient_ids[case_id] for case_id in ids], case),
            **{name: _texts([getattr(key, name) for key in keys], key) for name in Key._fields},
            "value": pa.array(value, mask=np.isnan(value)),
            "undefined_because": _texts(rows.reasons.in_order, numbers_of(rows.reason)),
            "lesion": pa.array(lesion, mask=lesion == WHOLE_IMAGE),
        }
    )


def _texts(texts: Sequence[str], numbers: NDArray[Any]) -> pa.DictionaryArray:
    """A column of texts, of which some may be equal."""
    different = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([different[text] for text in texts], np.int32)[numbers]
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(different), pa.string()))
