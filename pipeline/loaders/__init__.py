"""Loaders: a folder of DICOM files → image sources, and from these → images, step by step of the standard."""

from pipeline.loaders.decoding import decode
from pipeline.loaders.folder import find_files
from pipeline.loaders.header import read_header

__all__ = ["decode", "find_files", "read_header"]
