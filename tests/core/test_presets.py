"""What the place where the hub runs presets stands below the config file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.checks.effective import effective_options
from greyhub.cli.reading import Reading, read
from greyhub.presets import VARIABLE, presets
from tests.checks.starting import forget, write

PRESET = {
    "JupyterHub": {"hub_connect_ip": "hub", "hub_ip": "0.0.0.0"},
    "GreyHub": {"state_dir": "/var/lib/somewhere/state"},
    "KubeSpawner": {"image": "lab:1"},
}

WITH_PODS = """
c.GreyHub.spawner = "kubernetes"
c.GreyHub.cluster = c.GreyHub.homespace = c.GreyHub.data = None
c.GreyHub.auth = "null"
"""


@pytest.fixture
def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Composes a config file where something is preset."""

    def compose(text: str, preset: object = PRESET) -> Reading:
        said = preset if isinstance(preset, str) else json.dumps(preset)
        monkeypatch.setenv(VARIABLE, said)
        return read(str(write(tmp_path, text)))

    yield compose
    forget()


def test_the_options_are_preset_and_say_by_what(composed: Any) -> None:
    reading = composed(WITH_PODS)
    assert not reading.failed, reading.findings
    options = {each.option: each for each in effective_options(reading.composition.platform)}
    for section, values in PRESET.items():
        for name, value in values.items():
            row = options[f"c.{section}.{name}"]
            assert (row.value, row.origin) == (value, f"the variable {VARIABLE}")
    assert reading.composition.greyhub.private == Path("/var/lib/somewhere/state/hub")


def test_the_file_stands_above(composed: Any, tmp_path: Path) -> None:
    reading = composed(
        WITH_PODS
        + "c.PodSpawner.image = 'lab:2'\nc.GreyHub.state_dir = 'here'\n"
        + "c.JupyterHub.hub_connect_ip = 'other'\n"
    )
    assert not reading.failed, reading.findings
    config = reading.composition.platform.config
    assert config.JupyterHub.hub_connect_ip == "other"
    assert config.JupyterHub.hub_ip == "0.0.0.0"
    assert reading.composition.greyhub.state == tmp_path / "here"
    (image,) = (
        each.value
        for each in effective_options(reading.composition.platform)
        if each.name == "image"
    )
    assert image == "lab:2"


def test_what_is_preset_is_for_other_classes_too(composed: Any) -> None:
    """A section that no class of this platform reads is no mistake of the file's."""
    reading = composed('c.GreyHub.flavour = "local"', {"PodSpawner": {"image": "lab:1"}})
    assert not reading.failed, reading.findings


@pytest.mark.parametrize("wrong", ["{", "[]", '{"JupyterHub": 1}', '"JupyterHub"'])
def test_something_else_is_refused(composed: Any, wrong: str) -> None:
    reading = composed("", wrong)
    assert reading.failed
    (said,) = (str(each) for each in reading.findings if each.level == "error")
    assert VARIABLE in said
    assert "fix: give it options by section" in said


def test_nothing_is_preset_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert presets(Config()) == {}
