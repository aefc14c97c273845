"""Patience: how long tests wait for what must happen; only a hang takes longer, on however busy a machine."""

SECONDS = 1800
ATTEMPTS = 5
"""Tries to interrupt a run in its middle: on a busy machine it may be done before the signal comes."""
