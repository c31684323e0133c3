"""The base of adapters whose clusters a broker starts: the hub's half of `greyhub.broker`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from traitlets import Bool, Dict, Float, Integer, TraitError, Unicode, validate

from greyhub.adapter import Contribution, Finding
from greyhub.broker.limits import KINDS
from greyhub.clusters.gateway_adapter import ByGateway
from greyhub.errors import ConfigError
from greyhub.names import short_id
from greyhub.option_kinds import Size
from greyhub.sizes import size_of

SERVICE: Final = "clusters"
"""The broker's name among the hub's services."""

GIB: Final = 2**30

ANY: Final = ("", "0.0.0.0", "*", "::")  # noqa: S104
"""Addresses that mean all of this machine's."""

_LIMITS = (
    " By kind: ``clusters`` at a time, and in their workers together ``workers``, ``cores``, and "
    '``memory``, such as ``"64 GiB"``.'
)


class BrokeredCluster(ByGateway):
    """Clusters that a service of the hub starts, limits and ends."""

    modules: ClassVar[Sequence[str]] = ("dask_gateway_server",)
    extra = "greyhub[broker]"

    passed_on: ClassVar[Sequence[str]] = ("HOME",)
    """Variables of the hub's for the broker, from which JupyterHub keeps them. A uid without an
    account has no other home."""

    options = Dict()  # none here: each is an option of its own

    ip = Unicode(
        help="Where the broker's proxy listens. By default, where the hub does: "
        "``c.JupyterHub.hub_ip``."
    ).tag(config=True, example="10.0.0.5")
    connect_ip = Unicode(
        help="The address by which servers, schedulers and workers reach the broker. By default, "
        "the one by which they reach the hub."
    ).tag(config=True, example="10.0.0.5")
    port = Integer(8085, help="The port of the broker's proxy.").tag(config=True)
    api_port = Integer(
        8086, help="The port of the broker itself, on this machine's loopback alone."
    ).tag(config=True)

    dashboard_ip = Unicode(
        "127.0.0.1",
        help="Where the broker shows dashboards to the hub's proxy, which forwards browsers "
        "there. A proxy on another machine, or in another pod, must reach this address.",
    ).tag(config=True)
    dashboard_port = Integer(8087, help="The port of the dashboards.").tag(config=True)

    worker_cores = Integer(1, min=1, help="Cores of a worker, where none are asked for.").tag(
        config=True
    )
    worker_memory = Size("2 GiB", help="Memory of a worker, where none is asked for.").tag(
        config=True
    )
    max_worker_cores = Integer(4, min=1, help="The most cores of one worker.").tag(config=True)
    max_worker_memory = Size("16 GiB", help="The most memory of one worker.").tag(config=True)
    idle_timeout = Float(
        1200,
        help="Seconds without work after which a cluster ends. Users may ask for less. 0 is for "
        "clusters that do not end by themselves.",
    ).tag(config=True)
    end_with_server = Bool(
        True,
        help="Whether a cluster ends when the server that asked for it has stopped, unless it was "
        "asked for with ``persist=True``.",
    ).tag(config=True)
    server_grace = Float(
        60,
        min=0,
        help="Seconds for which that server must be gone: it may be about to start again.",
    ).tag(config=True)

    cluster_limits = Dict(help="The most for each cluster." + _LIMITS).tag(
        config=True, example={"workers": 20}
    )
    user_limits = Dict(help="The most for each user." + _LIMITS).tag(
        config=True, example={"clusters": 3, "cores": 40, "memory": "160 GiB"}
    )
    member_limits = Dict(
        help="By group, the most for each user who is in it, in place of ``user_limits``; of "
        "several groups, the most counts." + _LIMITS
    ).tag(config=True, example={"staff": {"workers": 100}})
    group_limits = Dict(help="By group, the most for all users in it together." + _LIMITS).tag(
        config=True, example={"students": {"workers": 200}}
    )

    db_url = Unicode(
        help="The broker's database; by default, a file beside the hub's. Keys and tokens of "
        "clusters are encrypted in it."
    ).tag(config=True, example="sqlite:////srv/jupyterhub/clusters.sqlite")

    @validate("cluster_limits", "user_limits", "member_limits", "group_limits")
    def _are_limits(self, proposal: Any) -> Any:
        value = proposal.value
        by_group = proposal.trait.name in ("member_limits", "group_limits")
        for limit in value.values() if by_group else (value,):
            _limit(limit)
        return value

    # What a subclass says.

    def backend(self) -> tuple[str, Mapping[str, Any]]:
        """The class of the backend, as an import string, and its options."""
        raise NotImplementedError(f"{type(self).__name__}.backend()")

    # Addresses.

    @property
    def _hub(self) -> Mapping[str, Any]:
        section: Mapping[str, Any] = self.parent.config.get("JupyterHub", {})
        return section

    @property
    def listen_ip(self) -> str:
        """Where the proxy listens."""
        return self.ip or str(self._hub.get("hub_ip", "127.0.0.1"))

    @property
    def reached_at(self) -> str:
        """The host by which servers and clusters reach the proxy."""
        url = str(self._hub.get("hub_connect_url") or "")
        said = self.connect_ip or str(self._hub.get("hub_connect_ip") or "")
        return said or urlsplit(url).hostname or self._here

    @property
    def _here(self) -> str:
        return "127.0.0.1" if self.listen_ip in ANY else self.listen_ip

    @property
    def _dashboards(self) -> str:
        return f"[{self.dashboard_ip}]" if ":" in self.dashboard_ip else self.dashboard_ip

    @property
    def prefix(self) -> str:
        """The broker's path at the hub."""
        base = str(self._hub.get("base_url", "/")).strip("/")
        return "/" + "/".join(filter(None, (base, "services", SERVICE)))

    @property
    def address(self) -> str:
        """The broker's URL, for servers and clusters."""
        return f"http://{self.reached_at}:{self.port}{self.prefix}"

    @property
    def hub_id(self) -> str:
        """Tells the parts of this hub's clusters from those of others."""
        return short_id(str(self.parent.private.resolve()))

    # The three moments.

    def contribute(self) -> Contribution:
        """The service, who may ask it, and where notebooks find it."""
        if self._hub.get("internal_ssl"):
            raise ConfigError(
                "the broker of clusters does not speak JupyterHub's internal TLS",
                where="c.JupyterHub.internal_ssl",
                fix="leave it out, or choose another c.GreyHub.cluster",
            )
        scopes = ["read:users:name", "read:users:groups", "read:servers", "list:users"]
        own = {"name": SERVICE, "services": [SERVICE], "scopes": scopes}
        passed_on = {name: os.environ[name] for name in self.passed_on if os.environ.get(name)}
        service = {
            "name": SERVICE,
            "url": f"http://{self._dashboards}:{self.dashboard_port}",
            "command": [sys.executable, "-m", "greyhub.broker.keeping"],
            "environment": {"GREYHUB_BROKER": json.dumps(self.settings()), **passed_on},
            "oauth_no_confirm": True,
            "display": False,
        }
        roles = [*self.roles(SERVICE), own]
        return replace(super().contribute(), services=[service], roles=roles)

    def settings(self) -> dict[str, Any]:
        """What the broker is told: JSON values, and nothing secret."""
        cls, own = self.backend()
        where = f"{self.listen_ip}:{self.port}"
        shared = {
            "hub_id": self.hub_id,
            "api_url": f"{self.address}/api",
            "python": sys.executable if self.parent.servers_here else "python",
            "defaults": {
                "worker_cores": self.worker_cores,
                "worker_memory": size_of(self.worker_memory) / GIB,
                "idle_timeout": self.idle_timeout,
            },
            "most": {
                "worker_cores": self.max_worker_cores,
                "worker_memory": size_of(self.max_worker_memory) / GIB,
                "idle_timeout": self.idle_timeout,
            },
            "cluster_limits": _limit(self.cluster_limits),
            "user_limits": _limit(self.user_limits),
            "member_limits": {name: _limit(each) for name, each in self.member_limits.items()},
            "group_limits": {name: _limit(each) for name, each in self.group_limits.items()},
        } | ({"db_url": self.db_url} if self.db_url else {})
        return {
            "config": {
                "DaskGateway": {
                    "backend_class": cls,
                    "address": f"127.0.0.1:{self.api_port}",
                },
                "Proxy": {"address": where, "tcp_address": where},
                "BrokerBackend": shared,
                cls.rpartition(".")[2]: dict(own),
            },
            "state": str(self.parent.private),
            "prefix": self.prefix,
            "ends_with_server": self.end_with_server,
            "grace": self.server_grace,
        }

    @property
    def gateway_ticket(self) -> dict[str, Any]:
        """Where the broker is."""
        return {
            "address": self.address,
            "proxy_address": f"gateway://{self.reached_at}:{self.port}",
            "public_address": f"/services/{SERVICE}",
            "auth": "jupyterhub",
            "broker": True,
            "options": {},
        }

    async def check(self) -> Sequence[Finding]:
        """Does the broker answer, and agree on the time?"""
        from greyhub.clusters.live_check import gateway
        from greyhub.ports import accepts

        if not await asyncio.to_thread(accepts, self._here, self.port):
            said = f"the broker of clusters does not listen at port {self.port}: the hub starts it"
            return [Finding("note", said)]
        local = f"http://{self._here}:{self.port}{self.prefix}"
        return await gateway(local, f"c.{type(self).__name__}.port")

    def label(self) -> str:
        """What a worker is, and how many one may have."""
        most = self.user_limits.get("workers")
        limit = f", at most {most} for each user" if most is not None else ""
        return f"Dask by a broker, with workers of {self.worker_memory}{limit}"


def _limit(limit: Any) -> dict[str, float]:
    """A limit with its memory in GiB; `TraitError` where it is none."""
    if not isinstance(limit, Mapping) or not set(limit) <= set(KINDS):
        raise TraitError(f"{limit!r} is no limit: give numbers for {', '.join(KINDS)}")
    found = {}
    for kind, most in limit.items():
        try:
            text = isinstance(most, str) and kind == "memory"
            found[kind] = size_of(most) / GIB if text else float(most)
        except (TypeError, ValueError):
            raise TraitError(f"{kind}: {most!r} is no number") from None
        if found[kind] < 0 or isinstance(most, bool):
            raise TraitError(f"{kind}: {most!r} is no number from 0")
    return found
