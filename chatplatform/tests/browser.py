"""The browser of the tests: Debian's Chromium."""

from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
#: Nothing of the browser's own goes out, and it runs in a container.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-default-apps", "--no-first-run",
]  # fmt: skip
