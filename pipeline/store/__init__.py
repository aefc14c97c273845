"""Store: what a run has finished, on disk, so that a killed run goes on and ends with the same bytes."""
