"""Log levels of the chart reach the hub and the proxy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chart.rendering import IMAGES, SETS, Values, named, render

pytestmark = pytest.mark.usefixtures("helm_is_there")


def container(values: Values, name: str) -> Any:
    spec = named(render(values), "Deployment", name)["spec"]["template"]["spec"]
    return spec["containers"][0]


def hub_is_told(values: Values) -> Any:
    env = container(values, "hub")["env"]
    (text,) = (each["value"] for each in env if each["name"] == "GREYHUB_PRESETS")
    return json.loads(text)["JupyterHub"]


def test_the_hub_and_the_proxy_are_told_how_much_they_say() -> None:
    values = SETS["as it comes"]
    assert hub_is_told(values)["log_level"] == "INFO"
    assert "logging_config" not in hub_is_told(values)
    said = {
        **values,
        "hub": {**IMAGES["hub"], "logLevel": "DEBUG", "logFormat": "json"},
        "proxy": {"logLevel": "warn"},
    }
    assert hub_is_told(said)["log_level"] == "DEBUG"
    line = hub_is_told(said)["logging_config"]["formatters"]["console"]
    assert line["class"] == "pythonjsonlogger.json.JsonFormatter"
    assert "--log-level=warn" in container(said, "proxy")["command"]
