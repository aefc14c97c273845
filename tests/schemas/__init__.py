"""Schemas: JSON Schemas of config and model card, for editors, made from the code and its comments."""
