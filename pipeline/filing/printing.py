"""Printing: an HTML page as a PDF, by Chromium, without access to the network."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import ConfigError
from pipeline.store.atomic import make_folder, write_bytes, writing

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome",
    "chromium-headless-shell",
)  # fmt: skip
"""Programs of Chromium and its relatives, in the order in which they are looked for."""
VARIABLE = "CHROMIUM"
"""Environment variable with the path of another one."""
OLDEST = 131
"""The first version that prints the boxes in the margins of @page: page numbers, run and hashes."""
SECONDS = 300
"""Longest wait for a PDF; a report of 1,000 images takes some seconds."""
SCRIPTS_MS = 60_000
"""Virtual time that the page's scripts have to draw it; it passes as soon as nothing is left to do."""
OPTIONS = (
    "--headless", "--disable-gpu", "--disable-extensions", "--disable-sync", "--disable-default-apps",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--no-pings",
    "--no-pdf-header-footer", "--generate-pdf-document-outline", f"--virtual-time-budget={SCRIPTS_MS}",
    # Nothing may be fetched: no name is resolved, and what needs none goes to a proxy that is not there.
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=socks5://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)  # fmt: skip
INSTALL = (
    "install Chromium (Debian: apt install chromium), or name another in the environment variable "
    f"{VARIABLE}; or open index.html in any browser and print it"
)
PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
SHOWN = 400
"""Most characters of Chromium's own complaint in a message."""


def print_pdf(html: str, out: Path, *, title: str) -> int:
    """Write an HTML page with everything that it needs in itself as a PDF; returns the number of pages.

    `title` is the page's, by which a page that Chromium could not open is told from it. Raises ConfigError if
    there is no Chromium, or if it fails.
    """
    browser = find_browser()
    make_folder(out.parent)
    # Beside the PDF, because a browser in a sandbox may see no other place.
    with writing(out.parent), TemporaryDirectory(dir=out.parent, prefix="printing-") as place:
        # Before Python 3.12 the folder is as relative as `out`, and an address needs the whole path.
        folder = Path(place).resolve()
        page, printed = folder / "page.html", folder / "page.pdf"
        page.write_text(html, encoding="utf-8", errors="backslashreplace")
        complaint = _run(browser, page, printed, profile=folder / "profile")
        content = printed.read_bytes() if printed.is_file() else b""
        pages = len(PAGE.findall(content))
        if not pages or not _has_title(content, title):
            raise ConfigError(f"{browser}: made no PDF of the page; {INSTALL}. It said: {complaint[-SHOWN:]}")
        write_bytes(out, content)
    return pages


def find_browser() -> str:
    """The path of a Chromium that can print page numbers. Raises ConfigError with what to install."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        where = f"{VARIABLE}={named} is not a program" if named else "Chromium is not installed"
        raise ConfigError(f"a PDF is printed by Chromium, and {where}; {INSTALL}")
    version = _version(found)
    if version is None or version < OLDEST:
        old = "does not tell its version" if version is None else f"is version {version}"
        raise ConfigError(f"{found}: {old}, and page numbers need {OLDEST} or newer; {INSTALL}")
    return found


def _version(browser: str) -> int | None:
    try:
        ended = subprocess.run(  # noqa: S603  the browser that the user has installed or named
            [browser, "--version"], capture_output=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(rb"(\d+)\.\d+\.\d+", ended.stdout)
    return int(match[1]) if match else None


def _run(browser: str, page: Path, printed: Path, *, profile: Path) -> str:
    """Print a page, and return what Chromium said. Its processes end with it."""
    # Chromium refuses to run its sandbox as root; the page is our own, and its policy allows no other script.
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [
        browser,
        *OPTIONS,
        *root,
        f"--user-data-dir={profile}",
        f"--print-to-pdf={printed}",
        page.as_uri(),
    ]
    with subprocess.Popen(  # noqa: S603  as above
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise ConfigError(f"{browser}: took longer than {SECONDS} seconds; {INSTALL}") from error
            raise
    return said.decode("utf-8", "replace").strip()


def _has_title(content: bytes, title: str) -> bool:
    """Whether the PDF's document information has this title, as text or as UTF-16 in hexadecimal digits."""
    utf16 = f"<FEFF{title.encode('utf-16-be').hex().upper()}>".encode()
    plain = "".join(f"\\{c}" if c in "()\\" else c for c in title).encode("utf-8", "replace")
    return any(b"/Title " + form in content for form in (utf16, b"(" + plain + b")"))
