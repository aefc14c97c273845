"""Loaders: a folder of image files → image sources → decoded images.

To add a format of image files, write its file and add it to `formats.FORMATS`.
"""

from pipeline.loaders.archives import Packed
from pipeline.loaders.folder import find_files
from pipeline.loaders.foreign import Foreign, format_of_file
from pipeline.loaders.formats import decode, read_header, read_study_file
from pipeline.loaders.header import age_shown
from pipeline.loaders.terms import VIEWS, known_manufacturer

__all__ = [
    "VIEWS",
    "Foreign",
    "Packed",
    "age_shown",
    "decode",
    "find_files",
    "format_of_file",
    "known_manufacturer",
    "read_header",
    "read_study_file",
]
