"""What is in a workspace, as the REST API has it: one resource, or all of a kind."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from greyhub.azureml.connection import Answer, Connection
from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.names import MARK, is_of, tags_of
from greyhub.azureml.settings import AzureML

Resource = dict[str, Any]
"""A resource as JSON: ``name``, ``tags``, ``properties``."""

SETTLING: Final = 60.0
"""Seconds after which what was made is shown everywhere: before, a 404 tells nothing."""

PAGES: Final = 200
"""Pages of one list, at most."""


@dataclass(frozen=True)
class Operation:
    """What Azure has begun to do, and will take a while over."""

    doing: str
    """What that is, in words."""

    url: str = ""
    """Where it tells how it stands; empty if it has ended."""

    resource: Resource = field(default_factory=dict)
    """The resource as it was told when it began."""

    compute: str = ""
    """The compute that it is about: its state tells how it stands where there is no URL."""

    deletes: bool = False
    """Whether it has ended when the compute is not there."""


class Resources:
    """The resources of one workspace.

    Parameters
    ----------
    settings : AzureML
        Which workspace, which cloud, and by whose rights.
    """

    def __init__(self, settings: AzureML) -> None:
        self.settings, self.connection = settings, Connection(settings)
        self._there = float("-inf")
        self._made: dict[str, float] = {}

    async def close(self) -> None:
        """End the connections; the next request opens them anew."""
        await self.connection.close()

    async def itself(self) -> Resource:
        """The workspace, with its ``location``.

        Raises
        ------
        Refused
            It is not there (``reason`` is ``"workspace"``), or the hub may not look at it.
        """
        name = self.settings.workspace
        try:
            answer = await self.connection.request(
                "GET", self.settings.scope, f"look at the workspace {name}"
            )
        except NotFound as error:
            raise Refused(
                "workspace",
                f"there is no workspace {name} in the resource group "
                f"{self.settings.resource_group}: {error.what}",
                "correct c.AzureML.subscription, resource_group and workspace",
            ) from error
        self._there = time.monotonic()
        return _resource(answer)

    async def _get(self, path: str, what: str) -> Resource:
        """A resource; `NotFound` where it is known that it is not there."""
        try:
            answer = await self._ask("GET", path, f"look at {what}")
        except NotFound as error:
            if time.monotonic() - self._made.get(path, float("-inf")) < SETTLING:
                raise Unavailable(f"{what} was made a moment ago, and is not shown yet") from error
            raise
        self._made.pop(path, None)
        return _resource(answer)

    async def _ask(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        lost: Callable[[], Awaitable[Answer | None]] | None = None,
    ) -> Answer:
        """Ask something of the workspace; a 404 is believed if the workspace itself is there."""
        whole = f"{self.settings.scope}/{path}"
        try:
            return await self.connection.request(
                method, whole, doing, body=body, params=params, lost=lost
            )
        except NotFound:
            if time.monotonic() - self._there >= self.settings.poll_interval:
                await self.itself()
            raise

    async def _all(
        self, path: str, what: str, params: Mapping[str, str] | None = None, items: str = "value"
    ) -> list[Resource]:
        """All resources of a kind, page by page; `items` is the answer's field."""
        method = "POST" if path.endswith("/listNodes") else "GET"
        answer = await self._ask(method, path, f"list {what}", params=params)
        found = list(answer.body.get(items) or ())
        for _ in range(PAGES):
            if not (rest := answer.body.get("nextLink")):
                return found
            answer = await self.connection.request(method, rest, f"list {what}")
            found += answer.body.get(items) or ()
        raise Refused("other", f"{what} fill more than {PAGES} pages", "delete what nobody needs")

    async def _make(self, path: str, what: str, body: Mapping[str, Any]) -> Operation:
        """Make a resource, unless it is there: its tags tell whether that one is meant.

        Raises
        ------
        Refused
            Another of this name is there (``reason`` is ``"name-taken"``), or Azure refuses.
        ValueError
            It carries no tag that tells for whom it is.
        """
        own = {key: value for key, value in tags_of(body).items() if key.startswith(MARK)}
        if not own:
            raise ValueError(f"{what} would carry no tag that tells for whom it is: {MARK}hub")

        async def there() -> Answer | None:
            try:
                found = await self._ask("GET", path, f"look at {what}")
            except NotFound:
                return None
            if is_of(_resource(found), own):
                return found
            raise Refused(
                "name-taken",
                f"{what} is there already, and its tags say that it is for something else: it is "
                "left as it is",
                "choose another prefix of names, or delete it if nobody needs it",
            )

        doing = f"make {what}"
        if (answer := await there()) is None:
            answer = await self._ask("PUT", path, doing, body=body, lost=there)
            self._made[path] = time.monotonic()
        return Operation(doing, operation_url(answer), _resource(answer))


def below(*parts: str) -> str:
    """A path below the workspace; no name in it leads elsewhere."""
    if wrong := [part for part in parts if part in ("", ".", "..")]:
        raise Refused("invalid", f"{wrong[0]!r} cannot name anything in a workspace")
    return "/".join(quote(part, safe="") for part in parts)


def operation_url(answer: Answer) -> str:
    """Where a long operation tells how it stands; empty if there is none."""
    found = answer.headers.get("Azure-AsyncOperation") or ""
    return found or ((answer.headers.get("Location") or "") if answer.status == 202 else "")


def _resource(answer: Answer) -> Resource:
    return answer.body if isinstance(answer.body, dict) else {}
