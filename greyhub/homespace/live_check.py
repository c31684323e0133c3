"""Ask the homes' store whether it is there and lets this platform in."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from greyhub.adapter import Finding
from greyhub.errors import HomeError
from greyhub.homespace.secret_references import Secrets
from greyhub.http_probe import Unreachable, ask, clock

NOBODY = "greyhub-check"
"""The name of a home that nobody has: it is asked for, and never made."""

WEB = {"s3": "https://s3.amazonaws.com", "gs": "https://storage.googleapis.com"}
"""Where stores are that no option places elsewhere."""


async def store(url: str, options: Mapping[str, Any]) -> list[Finding]:
    """What the store of a home's URL says.

    Parameters
    ----------
    url : str
        With ``{username}`` in it.
    options : mapping
        As the adapter's ``storage_options``.
    """
    protocol, place = url.partition("://")[0], url.partition("{username}")[0]
    if protocol in ("file", "local"):
        return list(_directory(Path(urlsplit(place).path)))
    if protocol == "memory":
        return []
    found: list[Finding] = []
    if address := endpoint(url, options):
        try:
            found += clock(await ask(address), "the store")
        except Unreachable as error:
            return [
                _error(
                    f"homes cannot be reached: {error}",
                    "fix the address, or let this machine and the servers reach it",
                )
            ]
    try:
        Secrets(options).read()
    except HomeError as error:
        said = str(error).splitlines()[0]
        return [*found, Finding("note", f"the store answers; nothing more is known here: {said}")]
    return [*found, *await asyncio.to_thread(_listed, url, options, place)]


def endpoint(url: str, options: Mapping[str, Any]) -> str:
    """The web address of a store, or "" if it has none that is known."""
    for name in ("endpoint_url", "account_url", "base_url"):
        for where in (options, options.get("client_kwargs") or {}):
            if isinstance(where.get(name), str):
                return str(where[name])
    protocol = url.partition("://")[0]
    if protocol in ("abfs", "az", "abfss") and isinstance(options.get("account_name"), str):
        return f"https://{options['account_name']}.blob.core.windows.net"
    if protocol in ("webdav", "webdavs", "dav", "davs", "http", "https"):
        secure = "https" if protocol.endswith("s") else "http"
        return f"{secure}://{urlsplit(url).netloc}"
    return WEB.get(protocol, "")


def _listed(url: str, options: Mapping[str, Any], place: str) -> Iterator[Finding]:
    from greyhub.homespace.filesystem import Home

    try:
        Home(url.replace("{username}", NOBODY), options).ls("")
    except FileNotFoundError:
        pass  # nobody has this home: the store looked for it
    except PermissionError as error:
        yield _error(
            f"the store does not let us in: {error}",
            "fix the credentials that c.HomespaceAdapter.storage_options refers to, or their "
            "rights",
        )
        return
    except ImportError as error:
        yield _error(
            f"homes there need {error.name or error}, which is not installed here",
            "pip install 'greyhub[s3]', [azure], [sftp] or [webdav]",
        )
        return
    except OSError as error:
        yield _error(
            f"{place} cannot be listed: {error.strerror or error}", "fix c.GreyHub.homespace"
        )
        return
    yield Finding("ok", f"{place} can be listed with the credentials of this machine")


def _directory(place: Path) -> Iterator[Finding]:
    there = next(each for each in (place, *place.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield _error(f"homes cannot be made in {place}", "let the hub's user write there")
    else:
        yield Finding("ok", f"{shutil.disk_usage(there).free / 1e9:.0f} GB free in {place}")


def _error(message: str, fix: str) -> Finding:
    return Finding("error", message, fix, option="c.GreyHub.homespace")
