"""Validation: checks of the annotations against the images, the labels and each other, without a model."""
