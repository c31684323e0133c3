"""Users who are sent on to Azure's own JupyterLab on their instances."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.azureml.worlds import World
from tests.support.waiting import until


@pytest.fixture
def sent(world: World) -> World:
    """A hub that sends its users on."""
    world.hub.config["AzureMLSpawner"]["access"] = "redirect"
    world.hub.stop()
    world.start_hub()
    return world


def start(world: World) -> str:
    """Start the user's server; its address as the proxy has it."""
    world.api("POST")
    until(lambda: (world.model() or {}).get("ready"), what="the server")
    return str(world.hub.orm_spawner(world.user)["url"])


def place(url: str) -> str | None:
    answer = requests.get(url, allow_redirects=False, timeout=60)
    return answer.headers["Location"] if answer.status_code == 302 else None


def test_a_user_is_sent_to_the_lab_of_their_instance(sent: World) -> None:
    url = start(sent)
    [name] = sent.instances()
    lab = f"https://{name}.westeurope.instances.azureml.ms/lab/"
    assert place(url) == place(f"{url}lab/tree/notebook.ipynb") == lab
    assert place(url.replace(sent.user, "another")) is None
    [put] = [each for each in sent.azure.requests if each.method == "PUT" and name in each.path]
    assert "setupScripts" not in json.loads(put.body)["properties"]["properties"]
    sent.stop()
    assert place(url) is None
    assert place(start(sent)) == lab
    assert sent.instances() == [name]
    sent.stop()


def test_a_hub_that_was_killed_sends_on_again(sent: World) -> None:
    start(sent)
    [name] = sent.instances()
    sent.kill_hub()
    sent.start_hub()
    until(lambda: (sent.model() or {}).get("ready"), what="the hub to know")
    url = str(sent.hub.orm_spawner(sent.user)["url"])
    assert name in (place(url) or "")
    sent.stop()


def test_what_is_done_in_azures_lab_keeps_the_server(sent: World) -> None:
    """The hub sees none of it, so that an instance that runs counts as used."""
    start(sent)

    def activity() -> Any:
        return sent.spawner().orm_spawner.last_activity

    before = sent.hub.run(activity)
    until(lambda: sent.hub.run(activity) > before, what="another poll")
    sent.azure.set_state(*sent.instances(), "Stopped")  # as idle shutdown does
    until(lambda: sent.model() is None, what="the hub's notice")
