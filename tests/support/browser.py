"""Sees to it that the browser tests have a Chromium, where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """The system's Chromium, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def main() -> None:
    """Install Debian's Chromium where there is none and root may; otherwise say how to."""
    if find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing chromium for the browser tests…", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=environ, **quiet)
        subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], env=environ, **quiet)
    if not find():
        print("no Chromium: the browser tests will be skipped (apt-get install chromium)")


if __name__ == "__main__":
    main()
