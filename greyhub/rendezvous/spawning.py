"""The base class of a Spawner whose servers run on machines with an agent.

A subclass makes, finds and ends machines; this class knows what a server needs, keeps what a
hub that starts again must know, and gives a machine that starts again its environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from jupyterhub.spawner import Spawner
from traitlets import Enum, List, Unicode, default, validate

from greyhub.addresses import SAFE
from greyhub.awaitables import awaited
from greyhub.option_kinds import Address
from greyhub.rendezvous.addresses import valid_networks
from greyhub.rendezvous.machines import Machine
from greyhub.rendezvous.offers import MachineFailed, Offer
from greyhub.rendezvous.script import DIRECTORY, setup_script
from greyhub.rendezvous.service import this_hub
from greyhub.rendezvous.tunnel.control import SERVICE


class RemoteSpawner(Spawner):  # type: ignore[misc]
    """A server on a machine to which the hub can hand nothing secret."""

    agent_hub_url = Address(
        protocols=SAFE,
        help="The hub's address, as the machines reach it, with its base URL and /hub/ at its end. "
        "By default, the one that servers are given.",
    ).tag(config=True, example="https://hub.example.org/hub/")

    access = Enum(
        ["direct", "tunnel"],
        "direct",
        help="How the hub's proxy reaches a server: at its machine's own address, or by a tunnel "
        "that the agent dials.",
    ).tag(config=True)

    agent_authorities = Unicode(
        help="A file of certificates, as PEM, of who vouches for the hub's; by default, machines "
        "trust who their system trusts."
    ).tag(config=True, example="/etc/greyhub/hub-ca.pem")

    agent_directory = Unicode(
        DIRECTORY, help="Where the agent keeps its keys and the server's log, on the machine."
    ).tag(config=True)

    agent_python = Unicode(
        "python3", help="The interpreter on the machine that has greyhub, after agent_install."
    ).tag(config=True, example="/opt/greyhub/bin/python")

    agent_install = List(
        Unicode(),
        help="Lines of shell that install greyhub and what its servers need on a new machine.",
    ).tag(config=True, example=["python3 -m venv /opt/greyhub"])

    agent_account = Unicode(
        help="The account on the machine that the server runs as; by default, the agent's."
    ).tag(config=True, example="azureuser")

    server_networks = List(
        Unicode(),
        help="The networks in which servers listen. The agent is its user's, and may name any "
        "address; the hub's proxy connects to no other than these.",
    ).tag(config=True, example=["10.1.0.0/16"])

    @validate("server_networks")
    def _are_networks(self, proposal: Any) -> list[str]:
        return valid_networks("server_networks", proposal.value)

    @default("agent_hub_url")
    def _as_for_servers(self) -> str:
        if not self.hub:
            return ""
        path = urlsplit(self.hub.url).path
        return urljoin(self.hub_connect_url, path) if self.hub_connect_url else str(self.hub.url)

    @default("env_keep")
    def _nothing_of_the_hub(self) -> list[str]:
        """The hub's own PATH and the like say nothing on another machine."""
        return []

    @default("ip")
    def _every_address(self) -> str:
        if self.access == "tunnel":
            return "127.0.0.1"
        return "0.0.0.0"  # noqa: S104 (the machine's own is not known here)

    async def start(self) -> str:
        """A subclass's: make or start the machine, wait for its agent, offer, wait until ready."""
        raise NotImplementedError("a spawner of remote servers starts its own machines")

    async def stop(self, now: bool = False) -> None:
        """A subclass's: withdraw, and end the machine."""
        raise NotImplementedError("a spawner of remote servers ends its own machines")

    @property
    def machine(self) -> Machine:
        """The hub's record of this server's machine."""
        found = this_hub().machine(self.user.name, self.name)
        found.keep, found.when_over = self._keep, self._end_machine
        return found

    def _keep(self) -> None:
        """Write the state down at once: JupyterHub does only when the server has started."""
        if self.orm_spawner is not None:
            self.orm_spawner.state = self.get_state()
            self.user.db.commit()

    def setup_script(self, nonce: str, **options: Any) -> str:
        """The script for a new machine; ``options`` as of `greyhub.rendezvous.script`."""
        authorities = self.agent_authorities
        given = {
            "hub": self.agent_hub_url,
            "install": self.agent_install,
            "python": self.agent_python,
            "authorities": Path(authorities).read_text() if authorities else "",
            "directory": self.agent_directory,
        }
        return setup_script(nonce=nonce, **{**given, **options})

    def offer(self, run: str = "") -> None:
        """Let the machine's agent start the server, now and whenever the machine starts."""
        networks = self.server_networks if self.access == "direct" else None
        self.machine.offer(self._make, networks, run=run)

    async def await_url(self) -> str:
        """Wait until the server listens; the address at which the proxy reaches it.

        Raises
        ------
        greyhub.rendezvous.offers.MachineFailed
            It has ended, or cannot be used.
        """
        return self.url_of(*await self._reach(*await self.machine.await_ready()))

    async def _reach(self, host: str, port: int) -> tuple[str, int]:
        """Where the proxy connects to, for a server that listens at an address of its machine."""
        if self.access == "direct" or self.machine.keys is None:
            return host, port
        tunnels = this_hub().tunnels
        if tunnels is None:
            raise MachineFailed(
                "there is no process for tunnels\n"
                "  fix: give one to greyhub.rendezvous.handlers.attach"
            )
        known = self.server.port if self.server and self.server.ip == "127.0.0.1" else 0
        return await tunnels.reach(self.machine.name, self.machine.keys.signing, known)

    async def _make(self) -> Offer:
        if not self.api_token:
            await self._prepare_again()
        await self._reach("", 0)  # so that the agent's tunnel is known when it is dialled
        return Offer(
            environment={name: str(value) for name, value in self.get_env().items()},
            command=[*self.cmd, *self.get_args()],
            directory=self.format_string(self.notebook_dir) if self.notebook_dir else "",
            account=self.agent_account,
            files=dict(self._files),
            tunnel=self._tunnel_url() if self.access == "tunnel" else "",
        )

    def _tunnel_url(self) -> str:
        base = self.agent_hub_url.rstrip("/").removesuffix("/hub")
        return f"{base}/services/{SERVICE}/"

    _files: Mapping[str, str] = MappingProxyType({})

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Send the certificates with the environment: the paths that they will have there."""
        files = {f"{name}.pem": Path(path) for name, path in paths.items()}
        self._files = {name: path.read_text() for name, path in files.items()}
        return {name: f"{self.agent_directory}/files/{name}.pem" for name in paths}

    async def _prepare_again(self) -> None:
        """Do once more what a hub did that has ended since, and of which only hashes are kept."""
        user, orm = self.user, self.orm_spawner
        note = f"Server at {self.server.base_url}"
        old = [token for token in user.orm_user.api_tokens if token.note == note]
        scopes = old[0].scopes if old else ()
        self.user_options = orm.user_options or {}
        await awaited(user.authenticator.pre_spawn_start(user, self))
        await awaited(self.run_auth_state_hook(await user.get_auth_state()))
        for name, arguments in (
            ("apply_group_overrides", ()),
            ("_run_apply_user_options", (self.user_options,)),
        ):
            if hasattr(self, name):
                await awaited(getattr(self, name)(*arguments))
        await awaited(self.run_pre_spawn_hook())
        if self.internal_ssl:
            self.cert_paths = await self.move_certs(await awaited(self.create_certs()))
        token = user.new_api_token(note=note, scopes=list(scopes))
        for each in old:
            self.user.db.delete(each)
        client, provider = orm.oauth_client, user.settings.get("oauth_provider")
        if client and provider:
            provider.add_client(
                client.identifier,
                token,
                client.redirect_uri,
                allowed_scopes=client.allowed_scopes,
                description=client.description,
            )
        self.user.db.commit()
        self.api_token = token

    def get_state(self) -> dict[str, Any]:
        """With what is known of the machine."""
        return {**super().get_state(), "machine": self.machine.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Know the machine again, and give it its environment if it starts."""
        super().load_state(state)
        self.machine.load(state.get("machine") or {})
        if self.machine.run:
            self.offer(self.machine.run)

    def clear_state(self) -> None:
        """The server has ended. The machine's keys are those of its disk, and stay known."""
        super().clear_state()
        self.machine.withdraw()
        if self.access == "tunnel" and (tunnels := this_hub().tunnels):
            tunnels.drop_soon(self.machine.name)

    async def poll(self) -> int | None:
        """A subclass's: None while there is a machine to end, then `exit_status`."""
        raise NotImplementedError("a spawner of remote servers knows its own machines")

    @property
    def exit_status(self) -> int:
        """The server's, as far as it is known: 0 if not."""
        return self.machine.status or 0

    async def follow_address(self) -> None:
        """Tell JupyterHub where the server is since its machine started anew; in `poll`."""
        machine, server = self.machine, self.server
        if machine.port and server and not self._start_pending:
            where = await self._reach(machine.host, machine.port)
            if where != (server.ip, server.port):
                server.ip, server.port = where
                self.user.db.commit()

    def _end_machine(self) -> None:
        """The server has ended by itself: so does the machine, which costs money."""
        machine = self.machine
        if self._start_pending or self._stop_pending or machine.ending.goes_on:
            return  # JupyterHub ends it
        self.log.error("greyhub: the server %s: %s", self._log_name, machine.reason)
        machine.ending.begin(self._end_now)

    async def _end_now(self) -> None:
        try:
            await self.stop()
        except Exception:
            self.log.exception("greyhub: the machine of %s may go on", self._log_name)

    async def get_url(self) -> str:
        """Where the server listens; of one that an earlier hub was starting, when it does."""
        try:
            async with asyncio.timeout(self.start_timeout):
                return await self.url_again()
        except (MachineFailed, TimeoutError) as error:
            self.log.error("greyhub: the server %s does not come up: %s", self._log_name, error)
            known: str = await super().get_url()
            return known

    async def url_again(self) -> str:
        """Wait until the server of an earlier hub listens; a subclass may see why it does not."""
        if not self.machine.run:
            self.offer()
        return await self.await_url()

    def url_of(self, host: str, port: int) -> str:
        """The address of a server, as `start` returns it."""
        scheme = "https" if self.internal_ssl else "http"
        base = urlsplit(self.server.base_url).path if self.server else ""
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{base}"

    async def delete_forever(self) -> None:
        """The machine is deleted with the server: nobody has its keys."""
        await awaited(super().delete_forever())
        this_hub().forget(self.user.name, self.name)
