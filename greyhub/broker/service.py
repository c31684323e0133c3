"""dask-gateway's server as a service of the hub: its settings, its proxy, its dashboards."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientError, web
from dask_gateway_server.app import DaskGateway
from dask_gateway_server.auth import JupyterHubAuthenticator
from traitlets.config import Config

from greyhub import ports
from greyhub.broker import dashboards
from greyhub.broker.backend import BrokerBackend
from greyhub.broker.keeping import KEEPER
from greyhub.broker.owners import Owners
from greyhub.broker.proxy import ApartProxy
from greyhub.kept_secret import kept_secret

VARIABLE: Final = "GREYHUB_BROKER"
"""The variable that holds the broker's settings; nothing secret is in them."""

SECRETS: Final = "GREYHUB_BROKER_SECRETS"
"""The variable that holds options that are secret, by section, where there are any."""


@dataclass(frozen=True)
class Settings:
    """What the hub tells the broker that it starts."""

    config: dict[str, dict[str, Any]]
    """dask-gateway's options, and the backend's, by section."""
    state: str
    """The hub's private directory: the database, its key and the proxy's token are there."""
    prefix: str
    """The path at the hub, ``/services/clusters``."""
    ends_with_server: bool = True
    grace: float = 60.0

    @property
    def period(self) -> float:
        """Seconds between two questions to the hub about the owners of clusters."""
        return min(30.0, max(1.0, self.grace / 2))


class HubAuthenticator(JupyterHubAuthenticator):  # type: ignore[misc]
    """Asks the hub whose a token is; a hub that is away is no refusal."""

    async def authenticate(self, request: web.Request) -> Any:
        """The user of a request."""
        try:
            return await super().authenticate(request)
        except (ClientError, OSError, TimeoutError) as error:
            raise web.HTTPServiceUnavailable(reason="The hub does not answer") from error


class Broker(DaskGateway):  # type: ignore[misc]
    """dask-gateway's server, configured by greyhub."""

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        self.settings, self.directory = settings, Path(settings.state)
        config = Config(settings.config)
        config.Proxy.externally_managed = True
        config.Proxy.api_token = kept_secret(self.directory / "cluster-proxy-token")
        config.Proxy.prefix = settings.prefix
        backend = config.BrokerBackend
        backend.setdefault("db_url", f"sqlite:///{self.directory / 'clusters.sqlite'}")
        key = bytes.fromhex(kept_secret(self.directory / "clusters-key"))
        backend.db_encrypt_keys = [_encoded(key)]
        backend.stop_clusters_on_shutdown = False
        config.DaskGateway.authenticator_class = HubAuthenticator
        config.JupyterHubAuthenticator.cache_max_age = 60
        super().__init__(config=config, **kwargs)

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """Read none: the hub has said everything."""

    async def setup(self) -> None:
        """Start: the database has private data, also where the umask would open it."""
        os.umask(0o077)
        await self._be_alone()
        backend: BrokerBackend = self.backend
        backend.owners = Owners(
            os.environ["JUPYTERHUB_API_URL"],
            os.environ["JUPYTERHUB_API_TOKEN"],
            grace=self.settings.grace,
            period=self.settings.period,
            ends=self.settings.ends_with_server,
        )
        self._require_free(self.address, "api_port")
        await super().setup()
        secret = kept_secret(self.directory / "clusters-cookie").encode()
        browsers = os.environ["JUPYTERHUB_SERVICE_URL"]
        self._require_free(urlsplit(browsers).netloc, "dashboard_port")
        self.dashboards = dashboards.serve(backend, self.settings.prefix, browsers, secret)
        # For servers, which show them in JupyterLab's panel and have no browser's cookies.
        target = f"{browsers}{self.settings.prefix}/clusters"
        await backend.proxy.add_route(kind="PATH", path="/clusters", target=target)
        command = backend.proxy.get_start_command(is_child_process=False)
        self.proxy = ApartProxy(command, backend.proxy.api_token, self.directory)
        if not self.proxy.runs():
            self._require_free(backend.proxy.address, "port")
        self.watches = [
            asyncio.ensure_future(each) for each in (self._keep_proxy(), self._end_with_hub())
        ]

    async def _be_alone(self) -> None:
        """Wait for the end of the broker of a hub that was killed: two would undo each other."""
        self._lock = (self.directory / "clusters.lock").open("a")
        said = False
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not said:
                    self.log.warning("Another broker still runs: waiting for its end")
                said = True
                await asyncio.sleep(0.2)
            else:
                return

    def _require_free(self, address: str, option: str) -> None:
        """End, in words, where another program listens."""
        host, _, port = address.rpartition(":")
        if why := ports.unusable(host, int(port)):
            sys.exit(
                f"greyhub: port {port} of {host or 'this machine'} cannot be used by the broker of "
                f"clusters: {why}\n"
                f"  fix: end the program that uses it, or set {option} of the cluster's adapter to "
                "another"
            )

    async def _keep_proxy(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.proxy.ensure)
            except OSError as error:
                self.log.error("The proxy of the clusters cannot be started: %s", error)
            await asyncio.sleep(1)

    async def _end_with_hub(self) -> None:
        """A hub that was killed does not stop its services: the next one's would be in the way."""
        keeper = int(os.environ.get(KEEPER, os.getppid()))
        while os.getppid() == keeper:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        self.log.warning("The hub is gone: the broker ends, and the clusters stay")
        os.kill(os.getpid(), 15)

    async def cleanup(self) -> None:
        """End; where no cluster is left, the proxy ends, too."""
        for watch in getattr(self, "watches", ()):
            watch.cancel()
        if hasattr(self, "dashboards"):
            self.dashboards.stop()
        idle = hasattr(self.backend, "db") and not list(self.backend.db.active_clusters())
        await super().cleanup()
        if idle and hasattr(self, "proxy"):
            self.proxy.end()


def _encoded(key: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(key).decode()


def main() -> None:
    """Run the broker with the settings in the environment."""
    if VARIABLE not in os.environ:
        sys.exit(
            f"the hub starts this program, and sets {VARIABLE}: it is not for the command line"
        )
    settings = Settings(**json.loads(os.environ[VARIABLE]))
    for section, options in json.loads(os.environ.pop(SECRETS, "{}")).items():
        settings.config.setdefault(section, {}).update(options)
    broker = Broker(settings)
    broker.initialize([])
    broker.start()
