"""The simulator of Azure ML as a process of its own: who asks it may fork."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import requests

from greyhub.conformance.testkit.azureml import Simulator

TOLD = ("subscription", "resource_group", "workspace", "endpoint", "authority", "tenant")
TOLD += ("client_id", "client_secret")


class Apart:
    """A simulator; its attributes are those of `Simulator` that say where it is."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.azureml_process"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        told = json.loads(self.process.stdout.readline())
        self.cloud = SimpleNamespace(id=told.pop("id"))
        self.session = requests.Session()
        self.session.verify, self.session.trust_env = told["ca_bundle"], False
        self.session.headers["Connection"] = "close"  # a fork must not share one
        self.session.headers["Authorization"] = f"Bearer {told.pop('token')}"
        self._url = told.pop("url")
        vars(self).update(told)

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> requests.Response:
        """Ask for what is below the workspace."""
        url = self._url.replace("PATH", path)
        return self.session.request(method, url, json=body, params=query, timeout=60)

    def break_off(self) -> None:
        """Whoever asks it from now on is cut off, until `heal`."""
        self._tell("break off")

    def heal(self) -> None:
        """It answers again."""
        self._tell("heal")

    def _tell(self, what: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()  # it has heard

    def close(self) -> None:
        """End it, with all that it runs."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)


def main() -> None:
    """Serve until the standard input ends."""
    with Simulator(isolate=False) as azure:
        azure.add_environment("dask", "1", image="dask:1")
        told = {name: getattr(azure, name) for name in TOLD}
        told |= {"ca_bundle": str(azure.ca_bundle), "id": azure.cloud.id, "token": azure.token()}
        print(json.dumps(told | {"url": azure.url("PATH")}), flush=True)
        for line in sys.stdin:
            if line.strip() == "heal":
                azure.heal()
            else:
                azure.fault("reset", times=sys.maxsize)
            print(flush=True)


if __name__ == "__main__":
    main()
