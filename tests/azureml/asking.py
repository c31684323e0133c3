"""How these tests ask a simulated Azure: plain HTTP, as no client of ours does it."""

from __future__ import annotations

import base64
from typing import Any

import requests

from greyhub.conformance.testkit.azureml import Simulator
from tests.support.waiting import until

SIZE = "Standard_DS2_v2"


class Asking:
    """One caller, with a token of the simulator's application."""

    def __init__(self, azure: Simulator) -> None:
        self.azure = azure
        self.session = requests.Session()
        self.session.verify = str(azure.ca_bundle)
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {azure.token()}"

    def __call__(
        self, method: str, path: str = "", body: Any = None, **query: str
    ) -> requests.Response:
        """Ask for what is below the workspace."""
        url = path if path.startswith("https:") else self.azure.url(path)
        return self.session.request(method, url, json=body, params=query, timeout=60)

    def get(self, path: str) -> dict[str, Any]:
        """A body."""
        answer = self("GET", path)
        assert answer.ok, answer.text
        return answer.json()

    def create(self, name: str, **more: Any) -> dict[str, Any]:
        """An instance, when it is Running."""
        answer = self("PUT", f"computes/{name}", instance(**more))
        assert answer.status_code == 201, answer.text
        assert self.done(answer)["status"] == "Succeeded"
        return self.get(f"computes/{name}")

    def act(self, name: str, word: str) -> dict[str, Any]:
        """The status of an action's operation, at its end."""
        answer = self("POST", f"computes/{name}/{word}")
        assert answer.status_code == 202, answer.text
        return self.done(answer)

    def delete(self, name: str) -> dict[str, Any]:
        """The status of a deletion, at its end."""
        return self.done(self("DELETE", f"computes/{name}", underlyingResourceAction="Delete"))

    def done(self, answer: requests.Response) -> dict[str, Any]:
        """An operation's status, when it is over."""
        url = answer.headers["Azure-AsyncOperation"]

        def over() -> dict[str, Any] | None:
            status = self("GET", url).json()
            return None if status["status"] == "InProgress" else status

        return until(over, what="the operation")

    def state(self, name: str) -> str | None:
        """An instance's state as a GET shows it."""
        return self.get(f"computes/{name}")["properties"]["properties"]["state"]


def instance(size: str = SIZE, tags: dict[str, str] | None = None, **scripts: str) -> Any:
    """A request's body for a compute instance, with scripts by ``creation`` and ``startup``."""
    properties: dict[str, Any] = {"vmSize": size}
    if scripts:
        found = {f"{kind}Script": script(text) for kind, text in scripts.items()}
        properties["setupScripts"] = {"scripts": found}
    return {
        "location": "westeurope",
        "tags": tags or {},
        "properties": {"computeType": "ComputeInstance", "properties": properties},
    }


def script(text: str, **more: str) -> dict[str, str]:
    """An inline script as the API takes it."""
    data = base64.b64encode(text.encode()).decode()
    return {"scriptSource": "inline", "scriptData": data, **more}
