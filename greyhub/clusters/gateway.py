"""Dask clusters of a dask-gateway that runs already, such as a DaskHub's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from traitlets import Dict, Unicode

from greyhub.adapter import Contribution, Finding
from greyhub.addresses import WEB, WrongAddress, check_address
from greyhub.clusters.gateway_adapter import ByGateway
from greyhub.errors import ConfigError
from greyhub.public_address import is_loopback


class GatewayAdapter(ByGateway):
    """Clusters that a dask-gateway starts with its own rights, and limits."""

    address = Unicode(
        help="The URL of the gateway's API as servers reach it: the part before ``/api``."
    ).tag(config=True, seen=True, example="http://traefik-dask-gateway/services/dask-gateway")

    proxy_address = Unicode(
        help="Where servers reach the gateway's proxy of schedulers, ``gateway://HOST:PORT``. By "
        "default, the host and port of ``address``."
    ).tag(config=True, seen=True, example="gateway://traefik-dask-gateway:80")

    public_address = Unicode(
        help="Where browsers reach the gateway, for the links to dashboards: a URL, or a path of "
        "the hub's. By default, ``address``."
    ).tag(config=True, seen=True, example="/services/dask-gateway")

    auth = Unicode(
        "jupyterhub",
        help="How a user proves to be one: ``jupyterhub``, by the server's token; ``basic``, by "
        "the user's name; ``kerberos``; or the import string of a subclass of "
        "``dask_gateway.GatewayAuth``.",
    ).tag(config=True, example="basic")

    service = Unicode(
        help="The gateway's name among this hub's services. Users and their servers are then given "
        "the scope ``access:services!service=NAME``, which such a gateway asks for."
    ).tag(config=True, example="dask-gateway")

    options = Dict(
        help="Keyword arguments for each cluster: the gateway's own options, and ``packages`` and "
        "``start_timeout`` of `greyhub.clusters.gateway_cluster.BrokerCluster`. Users can read "
        "them.",
    ).tag(config=True, seen=True, example={"worker_cores": 2, "packages": "warn"})

    modules = ("dask_gateway",)
    extra = "greyhub[broker]"

    def contribute(self) -> Contribution:
        """The variables of dask-gateway's own client, and the access to the service."""
        self._check_addresses()
        roles = self.roles(self.service) if self.service else ()
        return replace(super().contribute(), roles=roles)

    def _check_addresses(self) -> None:
        """Refuse what is no address."""
        example = 'set it to the gateway\'s URL: "http://HOST/services/dask-gateway"'
        if not self.address:
            raise ConfigError(
                "the dask-gateway's address is missing", where=_option("address"), fix=example
            )
        _check("address", self.address, *WEB)
        if is_loopback(urlsplit(self.address).hostname or "") and not self.parent.servers_here:
            raise ConfigError(
                f"{self.address} is loopback, and servers run elsewhere",
                where=_option("address"),
                fix="name it by an address that servers can reach",
            )
        if self.proxy_address:
            _check("proxy_address", self.proxy_address, "gateway", "tls", "tcp")
        if self.public_address and not self.public_address.startswith("/"):
            _check("public_address", self.public_address, *WEB)

    @property
    def gateway_ticket(self) -> dict[str, Any]:
        """The addresses, and the options."""
        return {
            "address": self.address,
            "proxy_address": self.proxy_address,
            "public_address": self.public_address,
            "auth": self.auth,
            "broker": False,
            "options": dict(self.options),
        }

    async def check(self) -> Sequence[Finding]:
        """Does the gateway answer, of a version that fits, and agree on the time?"""
        from greyhub.clusters.live_check import gateway

        found = await gateway(self.address, _option("address"))
        if self.auth == "basic":
            found.append(
                Finding(
                    "warning",
                    "with basic authentication, whoever gives a user's name may use the user's "
                    "clusters, unless the gateway asks for a password",
                    "let the gateway authenticate users by the hub: auth = 'jupyterhub'",
                    option=_option("auth"),
                )
            )
        return found

    def label(self) -> str:
        """Where the gateway is."""
        return f"a dask-gateway at {self.address}"


def _option(name: str) -> str:
    return f"c.GatewayAdapter.{name}"


def _check(name: str, url: str, *protocols: str) -> None:
    try:
        check_address(url, protocols)
    except WrongAddress as wrong:
        raise ConfigError(wrong.what, where=_option(name), fix=wrong.fix) from None
