"""The documentation builds into a site, without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.processes


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Also that each page is in a table of contents, and each link within leads somewhere."""
    options = ["-W", "--keep-going", "-n", "-q", "-d", str(tmp_path / "doctrees")]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "docs", str(tmp_path / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "html/index.html").exists()
