"""Frames: scores as they are read from a run, made of records."""

from collections.abc import Iterable

import pandas as pd

from pipeline.records import Score

COLUMNS = ("case_id", "finding", "reader", "method", "metric", "value", "undefined_because")


def scores_frame(scores: Iterable[tuple[Score, str]]) -> pd.DataFrame:
    """Scores with what each is resampled by, as `dataframes.read_scores` gives them."""
    rows = [
        {name: getattr(score, name) for name in COLUMNS}
        | {"lesion": "" if score.lesion is None else str(score.lesion), "patient": patient}
        for score, patient in scores
    ]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "lesion", "patient"])
    return frame.assign(value=frame["value"].astype(float))
