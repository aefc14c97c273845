"""Dossier: the forms of regulators and journals, filled from a finished run."""
