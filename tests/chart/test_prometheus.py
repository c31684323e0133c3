"""A real Prometheus reads a real hub's metrics, and answers what the dashboard asks."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.chart.helm import NO_HELM
from tests.chart.rendering import HELM, SETS, named, render
from tests.chart.test_monitoring import VALUES as MONITORED
from tests.conftest import make_directory
from tests.starts.metered_hub import TOKEN, metered_hub
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "charts/greyhub/dashboards/greyhub.json"
PROGRAM = shutil.which("prometheus")

RANGE = "10m"
"""What Grafana puts in place of ``$__range``."""

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM, reason="there is no prometheus on PATH"),
    pytest.mark.skipif(not HELM, reason=NO_HELM),
]

Ask = Callable[[str], list[dict[str, Any]]]


def scrape(hub: Hub, token: Path) -> dict[str, Any]:
    """A job of Prometheus that asks as the chart's ServiceMonitor says, but more often."""
    objects = render({**SETS["as it comes"], "monitoring": MONITORED["monitoring"]})
    monitor = named(objects, "ServiceMonitor", "hub")
    (endpoint,) = monitor["spec"]["endpoints"]
    service = named(objects, "Service", "hub")
    return {
        "job_name": service["metadata"]["labels"][monitor["spec"]["jobLabel"]],
        "metrics_path": endpoint["path"],
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "authorization": {"credentials_file": str(token)},
        "static_configs": [{"targets": [f"127.0.0.1:{hub.hub_port}"]}],
    }


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with metered_hub() as found:
        yield found


@pytest.fixture(scope="module")
def ask(hub: Hub) -> Iterator[Ask]:
    """Ask a Prometheus that saw the hub before and after servers started, failed and stopped."""
    directory, port = make_directory(), free_port()
    token = directory / "token"
    token.write_text(TOKEN)
    job = scrape(hub, token)
    file = directory / "prometheus.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "scrape_configs": [
                    job,
                    {**job, "job_name": "stranger", "authorization": {"credentials": "c" * 32}},
                ]
            }
        )
    )
    address = f"127.0.0.1:{port}"
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(PROGRAM),
                f"--config.file={file}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def ask(query: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"http://{address}/api/v1/query", params={"query": query}, timeout=MINUTE
        ).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def value(query: str) -> float:
        return sum(float(each["value"][1]) for each in ask(query))

    def ready() -> bool:
        try:
            return requests.get(f"http://{address}/-/ready", timeout=MINUTE).ok
        except requests.ConnectionError:
            assert process.poll() is None, (directory / "prometheus.log").read_text()
            return False

    try:
        until(ready, what="Prometheus")
        until(lambda: value('up{job="hub"}') == 1, what="the first reading")
        hub.spawn("ada")
        hub.api("POST", "users/bob")
        for profile in ("vast", "broken"):
            with pytest.raises(AssertionError):
                hub.api("POST", "users/bob/server", json={"profile": profile})
        running = panels()["Servers that run"]
        until(lambda: value(running) == 1, what="the server")
        hub.stop_server("ada")
        until(lambda: value(running) == 0, what="its end")
        until(
            lambda: (
                value("greyhub_server_start_seconds_count") == 1
                and value("greyhub_server_start_failures_total") == 2
            ),
            what="the starts",
        )
        yield ask
    finally:
        process.terminate()
        process.wait(MINUTE)


def panels() -> dict[str, str]:
    """The dashboard's queries by the panels' titles, with what Grafana fills in."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    return {
        panel["title"]: panel["targets"][0]["expr"].replace("$__range", RANGE) for panel in found
    }


def test_only_the_token_lets_it_read(ask: Ask) -> None:
    up = {each["metric"]["job"]: each["value"][1] for each in ask("up")}
    assert up == {"hub": "1", "stranger": "0"}


@pytest.mark.parametrize("title", [each for each in panels() if each != "Sizes of images"])
def test_every_query_of_the_dashboard_has_a_value(ask: Ask, title: str) -> None:
    found = ask(panels()[title])
    assert found, title
    assert any(math.isfinite(float(each["value"][1])) for each in found), found


def test_the_first_start_and_the_first_failures_are_counted(ask: Ask) -> None:
    def total(title: str) -> float:
        return sum(float(each["value"][1]) for each in ask(panels()[title]))

    assert total("Starts in an hour") >= 0.9
    assert total("Starts that failed, in an hour") >= 1.8
    assert total("Starts that failed in the last day") >= 1.8
