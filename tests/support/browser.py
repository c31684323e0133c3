"""A real browser: where it is, how it is started, and pictures of what it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support import waiting

MINUTE = 1000 * waiting.MINUTE
"""As playwright counts: in milliseconds."""

SHOTS = Path(os.environ.get("GREYHUB_SCREENSHOTS", Path(__file__).parents[1] / "results"))
"""Where pictures are put."""

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """The system's Chromium, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def shoot(page: Any, name: str) -> None:
    """Take a picture, without JupyterLab's offer of news."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    offer = page.locator(".Toastify__toast", has_text="news")
    if offer.count():
        offer.locator("text=No >> nth=-1").click()
        offer.wait_for(state="detached")
    page.screenshot(path=SHOTS / f"{name}.png")


def wait_idle(page: Any) -> None:
    """Wait until the notebook's kernel is connected and has nothing to do."""
    page.wait_for_function(
        "() => /[|] Idle/.test(document.querySelector('#jp-main-statusbar').textContent)",
        timeout=2 * MINUTE,
    )


def run_notebook(page: Any, url: str) -> None:
    """Open a notebook in JupyterLab and run all of its cells; returns while they run."""
    page.goto(url)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=2 * MINUTE)
    wait_idle(page)
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")


def await_figure(page: Any) -> None:
    """Wait for a notebook's figure; raises with what a cell says that has failed."""
    wrong = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
    found = page.locator(f".jp-OutputArea-output img, {wrong}")
    found.first.wait_for(timeout=4 * MINUTE)
    assert page.locator(wrong).all_text_contents() == []


def main() -> None:
    """Install Debian's Chromium where there is none and root may; otherwise say how to."""
    if find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing chromium for the browser tests…", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=environ, **quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
            env=environ,
            **quiet,
        )
    if not find():
        print("no Chromium: the browser tests will be skipped (apt-get install chromium)")


if __name__ == "__main__":
    main()
