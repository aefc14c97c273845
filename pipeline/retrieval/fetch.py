"""Fetch: the objects of the studies that match → files in the cache, each once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.errors import CaseError, ConfigError, PacsError
from pipeline.pacs.address import WebAddress
from pipeline.pacs.credentials import NONE, Credentials
from pipeline.pacs.patience import Patience
from pipeline.pacs.retrieve import retrieve
from pipeline.pacs.search import Found, found_objects
from pipeline.pacs.web import DicomWeb, open_web
from pipeline.retrieval.cache import Cache, Room, open_cache
from pipeline.retrieval.rooms import uid_and_room

MOST_ERRORS: Final = 3
"""Objects in a row that the archive cannot send by an error of its own, before the rest is left."""

Told = Callable[[int], None]
"""told(objects so far)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome of a search and its files."""

    images: Path
    """Folder of the images."""
    objects: Path
    """Folder of annotations and other objects."""
    counts: Mapping[Room, int]
    """Room → objects of the archive, fetched now or before."""
    fetched: int
    """Objects that came now."""
    removed: int
    """Files of objects that the archive no longer has."""
    repeated: int
    """Objects that the archive named more than once."""
    failures: tuple[Mapping[str, str], ...]
    """Objects that could not be fetched, with reasons."""


def cache_of(root: Path, address: WebAddress) -> Path:
    """The folder of one query: queries share no files, so that no run reads those of another."""
    query = [address.base, sorted(address.studies.items()), sorted(address.series.items())]
    return root / hashlib.sha256(repr(query).encode()).hexdigest()[:12]


def fetch(
    address: WebAddress,
    root: Path,
    *,
    key: str,
    credentials: Credentials = NONE,
    patience: Patience | None = None,
    told: Told = lambda _: None,
) -> Fetched:
    """Fetch what matches the address and is not in the cache below `root` yet.

    Raises ConfigError that names `key` if the archive gives no answer: what came is kept for the next try.
    Raises OutputError if the cache cannot be written.
    """
    path = cache_of(root, address)
    with open_cache(path, key) as cache, open_web(address, credentials, patience) as web:
        try:
            return _fetch(web, cache, told)
        except PacsError as error:
            raise ConfigError(
                f"{key}: {error}; {len(cache.entries):,} objects are in {path}; rerun the same command to "
                "fetch the rest"
            ) from error


def _fetch(web: DicomWeb, cache: Cache, told: Told) -> Fetched:
    seen: set[str] = set()
    fetched = repeated = errors = 0
    failures: list[Mapping[str, str]] = []
    for found in found_objects(web):
        if found.is_valid and found.instance in seen:
            repeated += 1
            continue
        seen.add(found.instance)
        if not _is_kept(cache, found.instance):
            try:
                cache.add(found.instance, partial(retrieve, web, found), partial(_room_of, found))
                fetched += 1
                errors = 0
            except CaseError as error:
                failures.append(_failure(found, error))
                errors = errors + 1 if error.reason == "server_error" else 0
            if errors == MOST_ERRORS:
                raise PacsError(f"{web.host}: failed on {errors} objects in a row: {failures[-1]['message']}")
        told(len(seen))
    removed = cache.keep_only(seen)
    cache.write_failures(failures)
    rooms = Counter(cache.entries[uid].room for uid in seen if uid in cache.entries)
    return Fetched(
        cache.images, cache.path / "objects", dict(rooms), fetched, removed, repeated, tuple(failures)
    )


def _is_kept(cache: Cache, uid: str) -> bool:
    """Whether the object was fetched and its file still is that object."""
    file = cache.file_of(uid)
    if file is None or not cache.holds(uid):
        return cache.holds(uid)  # results of Heatproof are noted without a file
    with suppress(CaseError):
        return uid_and_room(file)[0] == uid
    return False


def _room_of(found: Found, file: Path) -> Room:
    """Where the file belongs. Raises CaseError "not_dicom", or "other_object" if it was not asked for."""
    uid, room = uid_and_room(file)
    if uid != found.instance:
        raise CaseError("other_object", "the archive sent another object than the one it was asked for")
    return room


def _failure(found: Found, error: CaseError) -> Mapping[str, str]:
    return {
        "study_instance_uid": found.study,
        "sop_instance_uid": found.instance,
        "reason": error.reason,
        "message": error.message,
    }
