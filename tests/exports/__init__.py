"""Exports: objects of every kind on images of every modality."""
