"""Phantoms: study sets whose right answer is known by construction, and the reference model."""
