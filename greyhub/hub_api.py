"""Ask the hub's API from a user's server, by the server's own token."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from greyhub.errors import GreyHubError


class Answer(NamedTuple):
    """What the hub answered."""

    status: int
    body: Any
    """JSON; of a refusal, the ``message`` for people, or ``""``."""

    tag: str = ""
    """What tells this answer from others to the same question."""


class NoAnswer(GreyHubError):
    """The hub did not answer; the text says why."""


def can_ask() -> bool:
    """Whether this process has a token of the hub's: a Dask worker has none."""
    return bool(os.environ.get("JUPYTERHUB_API_TOKEN"))


def ask(path: str, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
    """What the hub answers to ``GET`` of a path of its API.

    Parameters
    ----------
    path : str
        Below ``/hub/api``, quoted.
    timeout : float
        Seconds, for each step.
    headers : mapping, optional
        What else is told.

    Raises
    ------
    NoAnswer
        None came, or one that is not the hub's.
    """
    url = f"{os.environ['JUPYTERHUB_API_URL'].rstrip('/')}/{path}"
    token = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
    request = Request(url, headers={**(headers or {}), **token})  # noqa: S310
    opener = build_opener(ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=timeout) as answer:
            return Answer(answer.status, json.load(answer), answer.headers.get("ETag") or "")
    except HTTPError as error:
        return Answer(error.code, _message(error))
    except (OSError, ValueError, KeyError, HTTPException) as error:
        raise NoAnswer(str(error)) from None


class _NoRedirect(HTTPRedirectHandler):
    """The server's token goes to the hub alone."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _message(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return ""
