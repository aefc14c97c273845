"""Architectures: networks without weights, one file per family or library."""
