"""What the broker adds to dask-gateway's HTTP API, and how it says what a limit made less."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from aiohttp import ClientError, ClientTimeout, web
from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.routes import api_handler

__all__ = ["ClientError", "extend", "refused", "say", "timeout", "within"]

_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


def extend(app: web.Application, backend: Any) -> None:
    """Add the routes, and the words about limits."""

    async def cluster_of(request: web.Request) -> Any:
        name = request.match_info["cluster_name"]
        cluster = await backend.get_cluster(name)
        if cluster is None or not request["user"].has_permissions(cluster):
            raise web.HTTPNotFound(reason=f"Cluster {name} not found")
        return cluster

    async def reason(request: web.Request) -> web.Response:
        cluster = await cluster_of(request)
        return web.json_response({"reason": await backend.reason(cluster.name)})

    async def address(request: web.Request) -> web.Response:
        cluster = backend.db.get_cluster((await cluster_of(request)).name)
        return web.json_response({"address": (cluster and cluster.scheduler_address) or ""})

    for each in (reason, address):
        handler = api_handler(each, user_authenticated=True)
        app.add_routes([web.get(f"/api/v1/clusters/{{cluster_name}}/{each.__name__}", handler)])
    app.middlewares.append(_in_words)


@web.middleware
async def _in_words(request: web.Request, handler: Any) -> web.StreamResponse:
    """Put what was said by `say` or `refused` into the answer, which has one line otherwise."""
    said: list[str] = []
    token = _said.set(said)
    try:
        response: web.StreamResponse = await handler(request)
    finally:
        _said.reset(token)
    if not said or not (response.status == 200 or response.status >= 400):
        return response
    ok = response.status == 200
    told = {"ok": False, "msg": "; ".join(said)} if ok else {"error": "\n".join(said)}
    answer = web.json_response(told, status=response.status)
    for cookie in response.cookies.values():
        answer.set_cookie(cookie.key, cookie.value, max_age=int(cookie["max-age"] or 0) or None)
    return answer


def say(what: str) -> None:
    """Tell the client of the request that is being answered."""
    if (said := _said.get()) is not None:
        said.append(what)


def refused(words: str) -> PublicException:
    """The exception that refuses the request that is being answered; words may have lines."""
    say(words)
    return PublicException(" ".join(words.split()))


def within(
    msg: dict[str, Any], allowed: Callable[[int], tuple[int, str]]
) -> tuple[dict[str, Any], str]:
    """A message to a scheduler, made to keep the limits; and what was made less, in words."""
    if msg["op"] == "scale":
        count, why = allowed(msg["count"])
        words = f"{msg['count']} workers were asked for, and {count} can be had: {why}"
        return {**msg, "count": count}, words if why else ""
    if msg["op"] == "adapt" and msg.get("active"):
        return _adapted(msg, allowed)
    return msg, ""


def _adapted(
    msg: dict[str, Any], allowed: Callable[[int], tuple[int, str]]
) -> tuple[dict[str, Any], str]:
    words = ""
    for name in ("minimum", "maximum"):
        asked = msg.get(name)
        if asked is None:
            continue
        count, why = allowed(int(asked))
        if why:
            words = f"{name}={asked} workers were asked for, and {count} can be had: {why}"
            msg = {**msg, name: count}
    if msg.get("maximum") is None:
        most, why = allowed(LARGEST)
        if why:
            msg = {**msg, "maximum": most}
    return msg, words


LARGEST = 10**6
"""More workers than anybody has."""


def timeout(seconds: float) -> ClientTimeout:
    """A bound of a request."""
    return ClientTimeout(total=seconds)
