"""`python -P tests/module.py tests.hashes`: write the hashes of the pinned wheels in configs/ again.

The index that pip is configured with is asked for every pinned version, through pip's own code; nothing is
downloaded. Run it when `configs/constraints.txt` changes, and compare what it writes with what was there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pip._internal.commands.install import InstallCommand
from pip._internal.index.collector import parse_links
from pip._internal.models.link import Link

from tests.hashes.files import FILES, pins, text_of


def listed(names: list[str]) -> Iterator[tuple[str, list[Link]]]:
    """Each name with all files that the index lists of it."""
    command = InstallCommand("install", "")
    options, _ = command.parse_args([])
    with command.main_context():
        collector = command._build_package_finder(
            options, command.get_default_session(options)
        )._link_collector
        for name in names:
            sources = collector.collect_sources(name, lambda _link: [])
            pages = [source.link for source in sources.index_urls if source and source.link]
            found = [collector.fetch_response(page) for page in pages if page.scheme != "file"]
            yield name, [link for page in found if page for link in parse_links(page)]


def main() -> None:
    """Write both files."""
    versions = pins()
    links = {
        name: {link.filename: link.hash for link in found if link.hash_name == "sha256" and link.hash}
        for name, found in listed(list(versions))
    }
    for file, wanted in FILES.items():
        Path(file).write_text(text_of({name: versions[name] for name in versions if wanted(name)}, links))
        print(file)


if __name__ == "__main__":
    main()
