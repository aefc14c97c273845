"""Phantoms: simulated study sets whose lesions are known exactly, and the reference model."""
