"""Hear of a scheduler's workers, and notice its end."""

from __future__ import annotations

import asyncio
import warnings
import weakref
from contextlib import suppress
from typing import Any

import dask
from dask.utils import parse_timedelta
from dask_gateway.client import ClusterStatus

from greyhub.clusters import gateway_reports, scheduler_check


async def subscribe(cluster: Any) -> Any:
    """A connection on which the scheduler tells of its workers; those that it has are kept."""
    comm = await cluster.scheduler_comm.live_comm()
    try:
        await comm.write({"op": "subscribe_worker_status"})
        cluster.scheduler_info = await comm.read()
    except BaseException:
        comm.abort()
        raise
    return comm


async def watch(ref: weakref.ref[Any], comm: Any) -> None:
    """Keep a cluster's account of its workers, until it ends. Does not keep it alive."""
    while comm is not None:
        try:
            while True:
                messages = await comm.read()
                if (cluster := ref()) is None:
                    return
                _heard(cluster, messages)
                del cluster
        except OSError:
            pass  # the connection is lost: to the scheduler, the proxy, or both
        finally:
            comm.abort()
        if (lost := ref()) is None or lost.status != "running":
            return
        comm = await _found_again(lost)
        del lost


def _heard(cluster: Any, messages: Any) -> None:
    workers = cluster.scheduler_info["workers"]
    for op, message in messages:
        if op == "add":
            new = message.pop("workers")
            workers.update(new)
            cluster.scheduler_info.update(message)
            task = asyncio.ensure_future(_check(cluster, list(new)))
            cluster.checking.add(task)
            task.add_done_callback(cluster.checking.discard)
        elif op == "remove":
            workers.pop(message, None)


async def _check(cluster: Any, new: list[str]) -> None:
    """End a cluster whose new workers are not fit for its tasks."""
    if found := await scheduler_check.workers(cluster.scheduler_comm, new):
        cluster.ended("failed", found)
        warnings.warn(f"the cluster {cluster.name} is ended: {found}", stacklevel=2)
        cluster.checking.discard(asyncio.current_task())  # so that closing does not cancel it
        await cluster._stop_internal()


async def _found_again(cluster: Any) -> Any:
    """A new connection to the scheduler; None when the cluster has ended.

    That one side cannot be reached is no end, for as long as Dask's own clients wait.
    """
    now = asyncio.get_running_loop().time
    patience = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    deadline = now() + patience
    while cluster.status == "running":
        status = await gateway_reports.status(cluster.gateway, cluster.name)
        if status is not None and status > ClusterStatus.RUNNING:
            await _gone(cluster, failed=status == ClusterStatus.FAILED)
        elif now() > deadline:
            cluster.ended("failed", f"its scheduler has not answered for {patience:g} seconds")
            # Its results are lost to the clients, and its workers may wait for long.
            if told := await cluster.end_there():
                warnings.warn(told, stacklevel=2)
        else:
            with suppress(OSError):
                async with asyncio.timeout_at(deadline):
                    return await subscribe(cluster)
            await asyncio.sleep(0.2)
    return None


async def _gone(cluster: Any, *, failed: bool) -> None:
    """The gateway says that it has ended: nothing comes back."""
    why = await gateway_reports.reason(cluster.gateway, cluster.name, broker=cluster.broker)
    other = "it was idle for too long, or somebody ended it"
    why = why or ("the gateway says that it failed" if failed else other)
    cluster.ended("failed" if failed else "closed", why)
    for client in list(cluster._clients):
        with suppress(Exception):
            await client._close(fast=True)
