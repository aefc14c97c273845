"""Steps: what commands say they do before their first image, so that no minute passes in silence.

They name no folder or file: names may be those of patients, and terminal output is kept in logs.
"""

from __future__ import annotations

from typing import Final

STARTING: Final = "Starting worker processes and loading libraries"
LOADING: Final = "Loading the model {}"
CHECKING: Final = "Checking the model on example images"
INDEXING: Final = "Reading the headers of the images"
MATCHING: Final = "Matching {:,} maps with the images"
READING: Final = "Reading the annotations"
UNSCORED: Final = "Going on without annotations"
