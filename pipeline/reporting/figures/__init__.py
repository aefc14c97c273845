"""Figures: panels of images, annotations and maps of a run, as SVG, PNG or PDF without a browser."""
