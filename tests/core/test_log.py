"""What a hub logs: as much as it is asked for, as JSON where that is wanted, never a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.hubs import Hub
from tests.support.processes import environment

pytestmark = pytest.mark.processes

JSON = {
    "formatters": {
        "console": {
            "class": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    }
}
METRICS = "m" * 40


def test_a_hub_that_says_all_says_no_secret(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = {"JupyterHub": {"log_level": "DEBUG", "logging_config": JSON}}
    monkeypatch.setenv("GREYHUB_PRESETS", json.dumps(presets))
    monkeypatch.setenv("GREYHUB_METRICS_TOKEN", METRICS)
    hub = Hub(directory, 'c.GreyHub.cluster = "local-broker"')
    try:
        hub.start()
        hub.login("ada")
        hub.spawn("ada")
        proxy = hub.proxy()
        assert proxy is not None
        theirs = dict(line.split("=", 1) for line in environment(proxy).split("\0") if "=" in line)
        token = hub.api("POST", "users/ada/tokens")["token"]
        secrets = {
            "the proxy's token": theirs["CONFIGPROXY_AUTH_TOKEN"],
            "the token of metrics": METRICS,
            "a service's token": hub.token,
            "a user's token": token,
            "the server's token": hub.environment("ada")["JUPYTERHUB_API_TOKEN"],
            "the password": hub.password,
            "the cookies' key": (hub.state / "hub/cookie_secret").read_text().strip(),
        }
        hub.stop_server("ada")
    finally:
        hub.end()
    said = hub.log.read_text()
    levels = {json.loads(line)["levelname"] for line in said.splitlines() if line[:1] == "{"}
    assert {"DEBUG", "INFO"} <= levels
    assert all(len(secret) >= 8 for secret in secrets.values())
    assert [name for name, secret in secrets.items() if secret in said] == []
