"""Archived: a config whose inputs lie in an archive → that of the folders that they were fetched into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.config import AuditConfig
from pipeline.config.sections import Annotations, Studies
from pipeline.errors import ConfigError
from pipeline.pacs.address import WebAddress, web_address, with_filters
from pipeline.pacs.credentials import Credentials, read_credentials
from pipeline.pacs.patience import Patience
from pipeline.records import Notice
from pipeline.retrieval.cache import FAILURES
from pipeline.retrieval.fetch import Fetched, fetch

Say = Callable[[str], None]
OF_ARCHIVES = frozenset({"path", "dicomweb", "cache", "credentials"})
TELL_EVERY = 1000
"""Objects between two lines that say how many there are so far."""
OF_STUDIES = ""
"""The address of annotations that lie in the same studies."""


def with_archive(
    config: AuditConfig, *, say: Say, patience: Patience | None = None
) -> tuple[AuditConfig, tuple[Notice, ...]]:
    """The config with folders in place of archives, and what the run has to know of them.

    Raises ConfigError for addresses, credentials or a cache that cannot be used, or an archive that gives no
    answer; OutputError if the cache cannot be written.
    """
    studies, annotations = config.studies, config.annotations
    if studies.dicomweb is None and annotations.dicomweb is None:
        return config, ()
    credentials = read_credentials(studies.credentials)
    cache = _cache(studies.cache)
    notices: list[Notice] = []
    fetched = None
    if studies.dicomweb is not None:
        if studies.path is not None:
            raise ConfigError("studies: names a folder and an archive; keep one of path and dicomweb")
        fetched = _fetched(studies.dicomweb, "studies", cache, credentials, say, patience)
        notices += _notices(fetched, "studies")
        config = _with(config, "studies", path=fetched.images)
    if annotations.dicomweb is not None:
        if annotations.path is not None:
            raise ConfigError("annotations: names a folder and an archive; keep one of path and dicomweb")
        if annotations.dicomweb == OF_STUDIES:
            if fetched is None:
                raise ConfigError(
                    "annotations: are those of the studies' archive, but studies are in a folder; write "
                    "dicomweb:https://…?PatientID=…"
                )
        else:
            fetched = _fetched(annotations.dicomweb, "annotations", cache, credentials, say, patience)
            notices += _notices(fetched, "annotations")
        if not fetched.counts.get("objects"):
            raise ConfigError(
                "annotations: the archive has no segmentation, report, structure set or presentation state "
                "in these studies; leave annotations out to audit without them"
            )
        config = _with(config, "annotations", path=fetched.objects)
    return config, tuple(notices)


def _cache(path: Path | None) -> Path:
    if path is None:
        raise ConfigError(
            "studies.cache: is missing; name a folder for the patients' files that are fetched, as in "
            "studies: {dicomweb: …, cache: <folder>}, or --set studies.cache=<folder>"
        )
    return path


def _with(config: AuditConfig, section: str, *, path: Path) -> AuditConfig:
    """The config with a folder; the archive's address, which may name a patient, is gone."""
    old: Studies | Annotations = getattr(config, section)
    kept = {name: getattr(old, name) for name in old.model_fields_set - OF_ARCHIVES}
    new = type(old).model_construct(**kept, path=path)
    return config.model_copy(update={section: new})


def _fetched(
    address: str, key: str, cache: Path, credentials: Credentials, say: Say, patience: Patience | None
) -> Fetched:
    checked: WebAddress = with_filters(web_address(address, key), key)
    say(f"Fetching {key} from {checked.host} …")

    def told(count: int) -> None:
        if count % TELL_EVERY == 0:
            say(f"{count:,} objects …")

    found = fetch(checked, cache, key=key, credentials=credentials, patience=patience, told=told)
    images, objects = found.counts.get("images", 0), found.counts.get("objects", 0)
    folder = found.images.parent
    say(f"{images:,} images and {objects:,} other objects, {found.fetched:,} fetched now: {folder}")
    return found


def _notices(found: Fetched, about: str) -> Iterator[Notice]:
    if found.failures:
        number = len(found.failures)
        total = number + sum(found.counts.values())
        yield Notice(
            "warning",
            about,
            f"{number:,} of {total:,} objects of the archive could not be fetched, so that the study set is "
            "not whole; they are listed with reasons in {0}. Rerun the same command to try them again",
            (str(found.images.parent / FAILURES),),
        )
    own = found.counts.get("own", 0)
    if own:
        yield Notice(
            "warning",
            about,
            f"{own:,} objects of these studies are results of Heatproof, neither images nor annotations, and "
            "were left out",
        )
