"""``cluster = "local-broker"``, behind a real hub."""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from greyhub.broker.processes import MARK
from greyhub.conformance import ClusterSuite, OnThisMachine, Part
from greyhub.conformance.testkit.ticket import configured, ticket
from tests.conformance.cluster.gateways import ByAdapter
from tests.conformance.strangers.clusters import Gateway as Stranger
from tests.support.brokers import BrokerHub

INTERPRETER = """\
#!{python}
import os, sys
for what in ("scheduler", "worker"):
    script = os.path.join({folder!r}, what + ".py")
    if what in sys.argv and os.path.exists(script):
        exec(open(script).read())
os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""
"""An interpreter that first runs what is to break a part of Dask."""


class LocalBroker(ByAdapter, OnThisMachine, ClusterSuite):
    """greyhub's own: processes of the hub's machine."""

    adapter = "greyhub.clusters.local_broker:LocalBrokerCluster"
    mode = "real"
    parts = ("dask-gateway", "dask-gateway-server", "jupyterhub")
    endpoint = "LocalBrokerCluster.endpoint"
    claims = {
        **Stranger.claims,
        "idle_timeout": {"LocalBrokerCluster.idle_timeout": 2.0},
    }
    declines = {
        **Stranger.declines,
        "reaps_on_client_death": "a restarted kernel finds it again; it ends with the user's "
        "server, or when it is idle",
    }

    def prepare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-broker-"))
        self.folder.chmod(0o755)
        self.breaking = self.folder / "breaking"
        self.breaking.mkdir()
        self.python = self.folder / "python"
        self.python.write_text(INTERPRETER.format(python=sys.executable, folder=str(self.breaking)))
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        self.hub = BrokerHub(
            self.folder / "hub",
            'c.LocalBrokerCluster.cluster_limits = {"workers": 2}\n'
            "c.LocalBrokerCluster.user_limits = {}\n"
            "c.LocalBrokerCluster.end_with_server = False\n",
        ).start()
        self.tokens: dict[str, str] = {}
        for user in ("ada", "bob"):
            self.token(user)

    def cleanup(self) -> None:
        self.hub.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def token(self, user: str) -> str:
        """What the hub gives a user, as it gives it to the user's server."""
        if user not in self.tokens:
            self.hub.api("POST", f"users/{user}")
            self.tokens[user] = self.hub.api("POST", f"users/{user}/tokens")["token"]
        return self.tokens[user]

    def config(self) -> dict[str, dict[str, Any]]:
        return {"LocalBrokerCluster": {"port": self.hub.broker_port, "endpoint": self.hub.address}}

    def ticket(self, user: str) -> dict[str, Any]:
        options = self.overridden(user)
        own = options["LocalBrokerCluster"]
        address, idle = own.pop("endpoint"), own.pop("idle_timeout", None)
        made = ticket(configured(self.subject(), options, self.place), user)
        given = {"idle_timeout": idle} if idle else {}
        return {**made, "address": address, "options": {"python": str(self.python), **given}}

    def environment(self, user: str) -> dict[str, str]:
        return {**super().environment(user), "JUPYTERHUB_API_TOKEN": self.token(user)}

    def alive(self) -> list[Part]:
        return [replace(part, labels=self._labels(part)) for part in super().alive()]

    def _labels(self, part: Part) -> dict[str, str]:
        said: dict[str, str] = {}
        with suppress(psutil.Error):
            said = psutil.Process(int(part.id)).environ() if part.id.isdigit() else {}
        hub, _, cluster = said.get(MARK, "").partition("/")
        return {"hub": hub, "user": said.get("USER", "") if cluster else "", "cluster": cluster}

    def visit(self, link: str, user: str) -> int:
        """A browser, in which somebody has logged in at the hub."""
        return self.hub.login(user).get(f"{self.hub.url.rstrip('/')}{link}", timeout=60).status_code

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[Path]:
        with super().fault(kind, room) as folder:
            folder.chmod(0o777)
            what = {"full": "worker", "scheduler": "scheduler"}[kind]
            path = self.breaking / f"{what}.py"
            path.write_text((folder / "preload.py").read_text())
            try:
                yield folder
            finally:
                path.unlink()
