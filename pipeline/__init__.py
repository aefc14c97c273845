"""Heatproof: does a medical-image classifier look where the radiologist looks?"""

__version__ = "0.1.0"
