"""A simulated workspace with data on Azurite, and a hub that answers servers, for tests."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from greyhub.azureml.data_listing import DataListing
from greyhub.azureml.errors import AzureMLError, NotFound
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.ticket import configured, ticket
from greyhub.data.azureml import AzureMLData
from greyhub.data.azureml_assets.catalog import AssetCatalog
from greyhub.data.azureml_assets.listing import PATH
from tests.azureml.hubs import settings_of
from tests.homespace.azureml.account import SCOPE, Account, TokenHub
from tests.homespace.filesystem.conftest import ACCOUNT

STORE = "lake"
"""The datastore of the container ``homes``, which the account has."""


def options_for(azure: Simulator) -> dict[str, Any]:
    """``c.AzureML``: the simulated workspace."""
    return settings_of(azure) | {"patience": 0.5}


class AssetHub(TokenHub):
    """A hub without JupyterHub, which also answers what assets there are."""

    listing: DataListing
    server_token = "of-ada"
    """The token of the server that is answered."""

    @contextmanager
    def serving(self) -> Iterator[AssetHub]:
        hub, loop = self, asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, said = hub.respond(loop, self.path, self.headers.get("Authorization", ""))
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_port}/hub/api"
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()
                self.run(loop, close_all())
                loop.call_soon_threadsafe(loop.stop)

    @staticmethod
    def run(loop: asyncio.AbstractEventLoop, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    def respond(
        self, loop: asyncio.AbstractEventLoop, path: str, authorization: str
    ) -> tuple[int, Mapping[str, Any]]:
        _, here, name = path.partition(f"/{PATH}")
        known = authorization == f"token {self.server_token}"
        if not here or not known:
            return self.answer("token of-ada" if known else "")
        try:
            asked = self.listing.versions(unquote(name[1:])) if name else self.listing.assets()
            return 200, self.run(loop, asked)
        except NotFound as error:
            return 404, {"message": str(error)}
        except AzureMLError as error:
            return 503, {"message": str(error)}


async def close_all() -> None:
    """End the connections of this loop to workspaces."""
    from greyhub.azureml import workspace

    for each in workspace._shared.get(asyncio.get_running_loop(), {}).values():
        await each.close()


class Workspace:
    """Data assets as tests put them there, and a user's catalogue of them."""

    def __init__(self, azure: Simulator, account: Account, hub: AssetHub, place: Path) -> None:
        self.azure, self.account, self.hub, self.place = azure, account, hub, place
        self.options: dict[str, Any] = {
            "assets": ["*"],
            "refresh": 0.0,
            "account_urls": {ACCOUNT: account.url},
            "ca_bundle": str(account.authority.ca),
        }
        self.add_store(STORE)

    def add_store(self, name: str, **more: Any) -> None:
        about = {
            "datastoreType": "AzureBlob",
            "accountName": ACCOUNT,
            "containerName": "homes",
            "credentials": {"credentialsType": "None"},
        }
        self.azure.add_datastore(name, **{**about, **more})

    def put(self, path: str, content: bytes | str) -> None:
        """A file of the container."""
        self.account.oracle.write(path, content.encode() if isinstance(content, str) else content)

    def uri(self, path: str, store: str = STORE) -> str:
        scope = self.azure.cloud.id.lstrip("/").replace("/providers/", "/providers/", 1)
        scope = scope.replace("resourceGroups", "resourcegroups")
        scope = scope.replace("providers/Microsoft.MachineLearningServices/", "")
        return f"azureml://{scope}/datastores/{store}/paths/{path}"

    def asset(
        self, name: str, path: str, version: str = "1", kind: str = "uri_file", **more: Any
    ) -> None:
        uri = path if "://" in path else self.uri(path)
        self.azure.add_data(name, version, dataType=kind, dataUri=uri, **more)

    def config(self) -> dict[str, dict[str, Any]]:
        """The platform's options."""
        return {
            "AzureMLData": self.options,
            "AzureML": options_for(self.azure),
            "AuthAdapter": {"audiences": {"storage": {"scope": SCOPE}}},
        }

    def adapter(self) -> AzureMLData:
        found: AzureMLData = configured(AzureMLData, self.config(), self.place)
        found.parent.config = found.config
        return found

    def ticket(self, user: str = "ada") -> dict[str, Any]:
        return ticket(self.adapter(), user)

    def catalog(self) -> AssetCatalog:
        """What ``hub.data`` is for ada, with a hub that has started now."""
        self.hub.listing = self.adapter().listing()
        return self.connected()

    def connected(self) -> AssetCatalog:
        """What it is in another notebook."""
        found = self.adapter().connect(self.ticket())
        assert isinstance(found, AssetCatalog)
        return found


@contextmanager
def workspace_in(place: Path, account: Account, hub: AssetHub) -> Iterator[Workspace]:
    """A workspace without assets."""
    with ExitStack() as stack:
        azure = stack.enter_context(Simulator(isolate=False))
        yield Workspace(azure, account, hub, place)
        azure.check()
        assert azure.violations == []
