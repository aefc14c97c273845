"""Heatproof: audit whether a medical-image classifier looks where radiologists look."""

__version__ = "0.8.0"
