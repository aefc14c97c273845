"""Comparison: two finished runs on the same images."""
