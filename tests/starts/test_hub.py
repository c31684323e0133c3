"""A real hub keeps how its servers started, and tells who may know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from greyhub.cli import group
from tests.checks.starting import forget
from tests.starts.metered_hub import TOKEN, metered_hub
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "charts/greyhub/dashboards/greyhub.json"
PAGE = ROOT / "docs/reference/metrics.md"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub where a server of ada's has started, and two of bob's have not."""
    with metered_hub('c.Authenticator.admin_users = {"ada"}') as found:
        found.spawn("ada")
        found.api("POST", "users/bob")
        for profile, said in (("vast", "no such profile"), ("broken", "ended at its start")):
            with pytest.raises(AssertionError, match=said):
                found.api("POST", "users/bob/server", json={"profile": profile})
        until(lambda: len(status(found)["failed"]) == 2, what="the failures")
        yield found


def status(hub: Hub) -> Any:
    done = CliRunner().invoke(group, ["status", "--json", "-f", str(hub.file)])
    forget()
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_command_tells_how_long_it_took_and_where_the_time_went(hub: Hub) -> None:
    told = status(hub)
    assert told["servers"] == 1
    (started,) = told["started"]
    assert (started["profile"], started["start"], started["count"]) == ("small", "unknown", 1)
    assert set(started["phases"]) == {"prepare", "place", "start", "answer"}
    assert sum(started["phases"].values()) == pytest.approx(started["median"])
    assert told["failed"] == [
        {"profile": "", "reason": "profile", "count": 1},
        {"profile": "broken", "reason": "ended", "count": 1},
    ]


def test_the_command_says_it_in_words(hub: Hub) -> None:
    said = CliRunner().invoke(group, ["status", "-f", str(hub.file)]).output
    forget()
    assert re.search(r"^1 server runs; 3 starts since 20\d\d-\d\d-\d\d \d\d:\d\d UTC$", said, re.M)
    assert re.search(
        r"^small: 1 started, half of them in [\d.]+ s, 9 of 10 in [\d.]+ s$", said, re.M
    )
    assert said.splitlines()[-2:] == ["servers: 1 failed: profile", "broken: 1 failed: ended"]
    assert "ada" not in said


def metrics(hub: Hub, token: str) -> requests.Response:
    return requests.get(
        f"{hub.url}hub/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=MINUTE
    )


def test_metrics_tell_it_to_who_may_read_them_and_name_no_user(hub: Hub) -> None:
    assert metrics(hub, "").status_code == 403
    text = metrics(hub, TOKEN).text
    assert 'greyhub_server_start_seconds_count{profile="small",start="unknown"} 1.0' in text
    assert 'greyhub_server_start_phase_seconds_count{phase="answer",start="unknown"} 1.0' in text
    assert 'greyhub_server_start_failures_total{profile="",reason="profile"} 1.0' in text
    # Two starts have failed: JupyterHub's own gauge is lower by one for each.
    counted = dict(re.findall(r'greyhub_servers{state="(\w+)"} (\S+)', text))
    assert counted == {"run": "1.0", "start": "0.0", "stop": "0.0"}
    own = [line for line in text.splitlines() if line.startswith("greyhub_")]
    assert not re.search(r"ada|bob", "\n".join(own))


@pytest.mark.parametrize(("user", "sees"), [("ada", True), ("bob", False)])
def test_the_page_tells_it_to_administrators_alone(hub: Hub, user: str, sees: bool) -> None:
    password = (hub.state / "hub/admin-password").read_text() if sees else None
    page = hub.login(user, password).get(f"{hub.url}hub/home", timeout=MINUTE)
    assert 'id="platform"' in page.text
    assert ('id="starts"' in page.text) is sees
    if sees:
        assert "<td>small</td>" in page.text


def series(text: str) -> set[str]:
    """The names that the hub's metrics have, also of those that nothing was counted in yet."""
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        ends = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
        found |= {name + end for end in ends.get(kind, ("",))}
    return found


def test_every_query_of_the_dashboard_asks_for_what_there_is(hub: Hub) -> None:
    text = metrics(hub, TOKEN).text
    there, labels = series(text), set(re.findall(r'[{,](\w+)="', text)) | {"job", "image"}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(queries) >= 10
    for query in queries:
        asked = set(re.findall(r"\b[a-z]+_[a-z_]+\b(?![(])", query))
        assert asked
        assert asked <= there, query
        used = re.findall(r"by \(([^)]*)\)", query) + re.findall(r"{([^}]*)}", query)
        names = {name for each in used for name in re.findall(r"(\w+)(?=,|=|$)", each)}
        assert names <= labels, query


def test_every_series_of_the_page_is_there(hub: Hub) -> None:
    names = re.findall(r"^[|] `(\w+)`", PAGE.read_text(), re.M)
    text = metrics(hub, TOKEN).text
    own = {name for name in re.findall(r"^# TYPE (\S+)", text, re.M) if name.startswith("greyhub_")}
    assert {name for name in own if not name.endswith("_created")} == set(names)


def test_the_token_reads_metrics_and_nothing_else(hub: Hub) -> None:
    answer = requests.get(
        f"{hub.url}hub/api/users", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=MINUTE
    )
    assert answer.status_code == 403
    assert TOKEN not in hub.log.read_text()
