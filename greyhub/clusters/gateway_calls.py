"""What is asked of a dask-gateway: within a bound, and again where it is away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from dask_gateway import Gateway

from greyhub.clusters.gateway_errors import in_words, is_away
from greyhub.clusters.gateway_reports import SOON


async def create(gateway: Gateway, options: Mapping[str, Any], *, broker: bool, **more: Any) -> str:
    """Ask for a new cluster; its name.

    greyhub's broker knows a request by its key, so it can be sent again; any other gateway
    would make two clusters.
    """
    told = {**options, **({"key": uuid4().hex} if broker else {})}
    deadline = _now() + 4 * SOON
    while True:
        try:
            async with asyncio.timeout(6 * SOON):
                return await _submitted(gateway, {**more, **told})
        except Exception as error:
            if _now() > deadline or not (broker and is_away(error)):
                raise in_words(error, gateway.address) from error
        await asyncio.sleep(0.5)


async def _submitted(gateway: Gateway, told: Mapping[str, Any]) -> str:
    """The name of a cluster that was asked for. Cancelled, it is ended as soon as it has one."""
    asked = asyncio.ensure_future(gateway._submit(**told))
    try:
        return str(await asyncio.shield(asked))
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(SOON):
                await end(gateway, str(await asked))
        raise


async def change(gateway: Gateway, name: str, what: str, message: Mapping[str, Any]) -> str:
    """Scale or adapt a cluster; what a limit made less, in the gateway's words.

    It is asked again where the gateway is away for a moment: twice is the same as once.
    """
    url = f"{gateway.address}/api/v1/clusters/{name}/{what}"
    deadline = _now() + 4 * SOON
    while True:
        try:
            async with asyncio.timeout(6 * SOON):
                answer = await (await gateway._request("POST", url, json=message)).json()
            return "" if answer.get("ok", True) else str(answer.get("msg") or "")
        except Exception as error:
            if _now() > deadline or not is_away(error):
                raise in_words(error, gateway.address) from error
        await asyncio.sleep(0.5)


async def end(gateway: Gateway, name: str) -> None:
    """End a cluster.

    Raises
    ------
    greyhub.errors.ClusterError
        The gateway could not be asked, or refused.
    """
    deadline = _now() + SOON
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                await gateway._stop_cluster(name)
            return
        except Exception as error:
            if _now() + 0.5 > deadline or not is_away(error):
                raise in_words(error, gateway.address) from error
        await asyncio.sleep(0.5)


def release(gateway: Gateway) -> None:
    """Close a client. Its finalizer would ask for the loop that has stopped, and does not."""
    gateway.close()
    del gateway._loop_runner


def thread_of(gateway: Gateway) -> Any:
    """The thread of a client's event loop; None if it has none of its own."""
    return getattr(getattr(gateway, "_loop_runner", None), "_loop_thread", None)


@contextmanager
def opened(where: Mapping[str, Any]) -> Iterator[Gateway]:
    """A client for a while, with a loop of its own."""
    gateway = Gateway(**where)
    try:
        yield gateway
    finally:
        release(gateway)


def _now() -> float:
    return asyncio.get_running_loop().time()
