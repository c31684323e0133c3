"""Machines of the simulated workspace that cost no process: an agent each, one server for all."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, web

from greyhub.agent.running import PAUSE
from greyhub.rendezvous.protocol import PATH, Keys

ADDRESS = "127.0.0.1"


class LightMachine:
    """A machine whose agent is a task here; the hub cannot tell it from a real one.

    Attributes
    ----------
    port : int
        Where the server of all machines answers, see `serve`.
    """

    port = 0

    def __init__(self, name: str, folder: Path, scripts: dict[str, Any], *, isolate: bool) -> None:
        text = base64.b64decode(scripts["creationScript"]["scriptData"]).decode()
        _, _, rest = text.partition("settings.json <<'GREYHUB_END'\n")
        self.settings = json.loads(rest.partition("\n")[0])
        self.keys, self.challenge, self.registered = Keys.make(), "", False
        self.run, self.task = "", None

    async def boot(self) -> None:
        self.task: asyncio.Task[None] | None = asyncio.create_task(self.live())

    async def shut_down(self) -> None:
        if self.task:
            self.task.cancel()

    async def kill(self) -> None:
        await self.shut_down()

    def pids(self) -> list[int]:
        return []

    async def live(self) -> None:
        """What `greyhub.agent.running.Agent` does, without a server."""
        async with ClientSession() as self.session:
            if not self.registered:
                sealing, about = self.keys.public.sealing, {"address": ADDRESS, "hostname": ""}
                nonce = self.settings["nonce"]
                await self.ask("register", nonce=nonce, sealing=sealing, machine=about)
                self.registered = True
            while True:
                told = await self.ask("boot", after=self.run, status=0, log="")
                if told["run"]:
                    self.run = told["run"]
                    self.keys.open(told["sealed"], self.run)
                    await self.beat()
                await asyncio.sleep(PAUSE)

    async def beat(self) -> None:
        """Report until the hub wants the server no more."""
        wait = False
        while (await self.report(wait=wait))["goes_on"]:
            wait = True
            await asyncio.sleep(PAUSE)

    async def report(self, *, wait: bool) -> dict[str, Any]:
        return await self.ask("report", run=self.run, host=ADDRESS, port=self.port, wait=wait)

    async def ask(self, what: str, **fields: object) -> dict[str, Any]:
        """One question, again until it is answered."""
        url = f"{self.settings['hub'].rstrip('/')}/{PATH}/{what}"
        while True:
            with suppress(ClientError, TimeoutError, ValueError):
                body = self.keys.request(what, self.challenge, fields)
                async with self.session.post(url, data=body) as answer:
                    said: dict[str, Any] = await answer.json()
                self.challenge = said.get("challenge", "")
                if answer.status == 200:
                    return said
                if answer.status == 401:
                    continue
            await asyncio.sleep(1)


async def serve(version: str) -> web.AppRunner:
    """The server of all machines; its port is `LightMachine.port`."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"version": version}, headers={"X-JupyterHub-Version": version})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, ADDRESS, 0)
    await site.start()
    LightMachine.port = runner.addresses[0][1]
    return runner
