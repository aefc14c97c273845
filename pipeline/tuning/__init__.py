"""Tuning: choose rule, threshold and gate of each finding on images that are not audited."""
