"""What ``greyhub show`` says is in force is what a started hub has: the hub itself is asked."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.hubs import Hub, running
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

# A page of the hub that tells the options of its own live objects.
TELL = """
import json
from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from greyhub.slots import label
from greyhub.masking import masked

def asked(live, name):
    try:
        return getattr(live, name)
    except Exception as error:
        return f"({type(error).__name__} where there is no hub)"

class Told(BaseHandler):
    def get(self):
        app = self.settings["app"]
        spawner = app.users[app.db.query(orm.User).first()].spawners[""]
        hub = spawner.pre_spawn_hook.__self__.adapters["data"].parent
        live = [app, app.authenticator, app.proxy, spawner, hub, *hub.adapters.values()]
        slots = {f"c.GreyHub.{slot}": label(value) for slot, value in hub.values.items()}
        self.write(json.dumps({
            f"c.{base.__name__}.{name}": masked(asked(each, name), name)
            for each in live
            for base in type(each).__mro__ if hasattr(base, "class_trait_names")
            for name in base.class_trait_names(config=True)
        } | slots, default=str))

c.JupyterHub.extra_handlers = [("/told", Told)]
"""

CONFIGS = {
    "as it comes": "",
    "many options": """
        c.GreyHub.name = "mine"
        c.Spawner.start_timeout = 77
        c.Spawner.environment = {"A": "b"}
        c.Spawner.args.append("--debug")
        c.LocalSpawner.ready_timeout = 33.5
        c.LocalCluster.max_workers = 3
        c.JupyterHub.active_server_limit = 9
        c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 5}
        c.Authenticator.allowed_users = {"ada", "bo"}
        c.Authenticator.admin_users.add("ada")
        c.LocalPassword.everyone = False
        """,
    "other parts": """
        c.GreyHub.auth = "dummy"
        c.DummyAuthenticator.password = "long-enough-for-a-test"
        c.Authenticator.allowed_users = {"ada"}
        c.JupyterHub.ip = "127.0.0.1"
        c.GreyHub.accepted_risks = ["shared-password"]
        c.GreyHub.homespace = "memory://{username}"
        c.GreyHub.cluster = None
        """,
}
ARGUMENTS = ("--Spawner.http_timeout=44", "--GreyHub.state_dir=elsewhere")

MADE = {
    "c.ConfigurableHTTPProxy.auth_token",
    "c.JupyterHub.cookie_secret",
    "c.LocalPassword.admin_password",
    "c.LocalPassword.user_password",
}
"""What a hub makes for itself where nobody gave it."""

GROWN = {f"c.JupyterHub.{name}" for name in ("service_tokens", "template_paths")}
GROWN.add("c.JupyterHub.tornado_settings")
"""What a hub adds to as it starts."""


def shown(hub: Hub) -> list[dict[str, Any]]:
    """The rows of ``greyhub show --all`` for the hub's file and command line."""
    command = [sys.executable, "-m", "greyhub.cli", "show", "--all", "--json", "-f", str(hub.file)]
    said = subprocess.run(
        [*command, *hub.arguments], capture_output=True, text=True, check=True, timeout=2 * MINUTE
    )
    rows: list[dict[str, Any]] = json.loads(said.stdout)["options"]
    return rows


@pytest.mark.parametrize(
    "name",
    [
        name if name == "many options" else pytest.param(name, marks=pytest.mark.slow)
        for name in CONFIGS
    ],
)
def test_show_tells_what_a_started_hub_has(name: str, tmp_path: Path) -> None:
    config = TELL + textwrap.dedent(CONFIGS[name])
    with running(tmp_path, config, arguments=ARGUMENTS) as hub:
        if not hub.api("GET", "users"):
            hub.api("POST", "users/eve")
        answer = requests.get(f"{hub.url}hub/told", timeout=MINUTE)
        assert answer.ok, hub.tail()
        told = answer.json()
        rows = {row["option"]: row for row in shown(hub)}
    compared = {option for option in rows if option in told} - MADE
    wrong = {
        option: (value, told[option])
        for option in compared
        if (value := rows[option]["value"]) != told[option]
        and not (option in GROWN and all(each in told[option] for each in value))
    }
    assert wrong == {}
    assert len(compared) > 100
    assert rows["c.Spawner.http_timeout"]["value"] == 44
