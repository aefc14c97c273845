"""Formats: intact files of each format that Heatproof reads, and damage that knows their fields."""
