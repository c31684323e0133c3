"""The chart behind an ingress controller: its page, and a kernel's WebSocket, by TLS.

Beside what tests on a cluster need, it needs Helm, the images of `test_chart`, and a controller
that runs: GREYHUB_TESTS_INGRESS names its class and its address, as ``traefik@10.96.4.7``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import (
    ClientConnectorCertificateError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from greyhub.conformance.testkit.certificates import Authority
from tests.chart.rendering import CHART
from tests.kubernetes.releases import Helm, images, require
from tests.support.clusters import Cluster
from tests.support.kernels import execute_request
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.kubernetes, pytest.mark.timeout(900)]

INGRESS = os.environ.get("GREYHUB_TESTS_INGRESS", "")

HOST = "hub.example.org"
PASSWORD = uuid4().hex

CONFIG = f"""\
import greyhub

c = get_config()

c.GreyHub.flavour = "kubernetes"
c.GreyHub.auth = "dummy"
c.DummyAuthenticator.password = {PASSWORD!r}
c.GreyHub.accepted_risks = ["shared-password"]
c.Authenticator.allow_all = True
c.GreyHub.homespace = None
c.GreyHub.data = None
c.GreyHub.cluster = None

greyhub.compose(c)
"""


class Controller(AbstractResolver):
    """Every name is the ingress controller's."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=self.address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


def test_a_page_and_a_kernel_come_through_the_ingress(cluster: Cluster, directory: Path) -> None:
    require()
    if "@" not in INGRESS:
        pytest.skip("needs the ingress controller that GREYHUB_TESTS_INGRESS names")
    kind, _, address = INGRESS.partition("@")
    authority = Authority(directory, names=[HOST])
    pair = (f"--cert={authority.certificate}", f"--key={authority.key}")
    cluster.kubectl("create", "secret", "tls", "certificate", *pair)
    (directory / "greyhub_config.py").write_text(CONFIG)
    values = images() | {
        "url": f"https://{HOST}/",
        "ingress.enabled": "true",
        "ingress.className": kind,
        "ingress.tlsSecret": "certificate",
    }
    call = ["--wait", "--timeout", "2m", f"--set-file=config={directory / 'greyhub_config.py'}"]
    call += [f"--set={name}={value}" for name, value in values.items()]
    Helm(cluster).helm("install", "greyhub", str(CHART), *call)
    until(lambda: asyncio.run(routed(address, authority)), what="the controller's route")
    asyncio.run(visited(address, authority))


def client(address: str, authority: Authority) -> ClientSession:
    """A browser's like, to which the platform's name is the controller's."""
    connector = TCPConnector(resolver=Controller(address), ssl=authority.trusting())
    limit = ClientTimeout(total=MINUTE)
    return ClientSession(f"https://{HOST}/", connector=connector, timeout=limit)


async def routed(address: str, authority: Authority) -> bool:
    """Whether the controller has heard of the Ingress and of its certificate."""
    with suppress(ClientConnectorCertificateError):
        async with client(address, authority) as session, session.get("hub/health") as answer:
            return answer.ok
    return False


async def visited(address: str, authority: Authority) -> None:
    """Log in by the form, start a server, and let a kernel compute."""
    async with client(address, authority) as session:
        async with session.get("") as page:
            assert page.status == 200
            assert (page.url.host, page.url.path) == (HOST, "/hub/login")
            found = re.search(r'name="_xsrf"\s+value="([^"]+)"', await page.text())
        assert found
        form = {"username": "ada", "password": PASSWORD, "_xsrf": found[1]}
        async with session.post("hub/login?next=%2Fhub%2Fspawn", data=form) as page:
            assert page.status == 200, await page.text()
            assert "secure" in page.history[0].headers["Set-Cookie"].lower()
        assert '"ready": true' in await progress(session)
        assert await computed(session) == "42"


async def progress(session: ClientSession) -> str:
    """What her server's start said last, as the page hears it: a stream of events."""
    cookies = session.cookie_jar.filter_cookies(URL(f"https://{HOST}/hub/"))
    path = f"hub/api/users/ada/server/progress?_xsrf={cookies['_xsrf'].value}"
    last = ""
    async with session.get(path, timeout=ClientTimeout(total=3 * MINUTE)) as stream:
        assert stream.ok, await stream.text()
        async for line in stream.content:
            last = line.decode() if line.startswith(b"data:") else last
    return last


async def computed(session: ClientSession) -> Any:
    """What a new kernel makes of 6 * 7, asked as a browser asks: by cookies, with an origin."""
    async with session.get("user/ada/lab") as page:
        assert page.ok
    cookies = session.cookie_jar.filter_cookies(page.url)
    headers = {"X-XSRFToken": cookies["_xsrf"].value, "Origin": f"https://{HOST}"}
    async with session.post("user/ada/api/kernels", headers=headers, json={}) as answer:
        assert answer.status == 201, await answer.text()
        kernel = (await answer.json())["id"]
    path = f"user/ada/api/kernels/{kernel}/channels"
    async with session.ws_connect(path, headers={"Origin": headers["Origin"]}) as channel:
        await channel.send_json(execute_request("6 * 7"))
        while True:
            said = json.loads(await channel.receive_str())
            assert said["msg_type"] != "error", said
            if said["msg_type"] == "execute_result":
                return said["content"]["data"]["text/plain"]
