"""A Spawner whose servers run on machines of `tests.rendezvous.machines`."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from traitlets import Unicode

from greyhub.rendezvous.spawning import RemoteSpawner
from tests.rendezvous.machines import LocalMachine


class MachineSpawner(RemoteSpawner):
    """What the Azure ML spawner does, for machines that are directories."""

    disks = Unicode(help="Where the machines' disks are.").tag(config=True)

    @property
    def local(self) -> LocalMachine:
        return LocalMachine(Path(self.disks) / f"{self.user.name}+{self.name}")

    def setup(self, nonce: str) -> None:
        self.local.create(nonce=nonce, hub=self.agent_hub_url)

    async def start(self) -> str:
        local, machine = self.local, self.machine
        if not local.created or not machine.usable:
            await asyncio.to_thread(local.off)
            shutil.rmtree(local.directory, ignore_errors=True)
            self.setup(machine.invite())
        await self.step("invited")
        await asyncio.to_thread(local.boot)
        await self.step("booted")
        await machine.await_registered()
        await self.step("registered")
        self.offer()
        await self.step("offered")
        url = await self.await_url()
        await self.step("ready")
        return url

    async def step(self, name: str) -> None:
        """Wait for ever, once, where a test wants to kill the hub."""
        hold = Path(self.disks) / f"hold-{name}"
        if await asyncio.to_thread(hold.exists):
            hold.rename(hold.with_name(f"held-{name}"))
            await asyncio.Event().wait()

    async def poll(self) -> int | None:
        if not await asyncio.to_thread(self.local.processes):
            return self.exit_status
        await self.follow_address()
        return None

    async def stop(self, now: bool = False) -> None:
        if not now and self.machine.seen:
            self.machine.withdraw()
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await self.machine.await_ended()
        await asyncio.to_thread(self.local.off)

    async def delete_forever(self) -> None:
        await super().delete_forever()
        shutil.rmtree(self.local.directory, ignore_errors=True)


def configure(c: Any, disks: Path, hub: str, tunnel: int = 0) -> None:
    """Let a hub use it; with a port for tunnels, by these."""
    from jupyterhub.app import JupyterHub

    from greyhub.rendezvous.handlers import attach
    from greyhub.rendezvous.tunnel.control import Tunnels

    tunnels = None
    if tunnel:
        private = disks.parent / "greyhub-state/hub"
        private.mkdir(parents=True, exist_ok=True)
        tunnels = Tunnels(private, tunnel)
        c.JupyterHub.services.append(tunnels.service())
        c.MachineSpawner.access = "tunnel"
    attach(JupyterHub.instance(), tunnels)
    c.GreyHub.spawner = MachineSpawner
    c.MachineSpawner.disks = str(disks)
    c.MachineSpawner.agent_hub_url = hub
    c.MachineSpawner.server_networks = ["127.0.0.0/8"]
