"""The samples are short, and pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.cli.reading import read
from tests.checks.starting import forget

SAMPLES = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("name", ["local", "kubernetes", "azureml", "mixed"])
def test_it_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OIDC_SECRET", "ENTRA_SECRET", "GITHUB_SECRET"):
        monkeypatch.setenv(variable, "a-secret")
    file = SAMPLES / name / "greyhub_config.py"
    assert len(file.read_text().splitlines()) <= (60 if name == "azureml" else 25)
    reading = read(str(file))
    forget()
    assert not [str(each) for each in reading.findings if each.level in ("error", "warning")]
