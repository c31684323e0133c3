"""The resource manager's front: each request is recorded, checked, answered; answers as well."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from aiohttp import web

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.errors import ArmError, bad_request
from greyhub.conformance.testkit.azureml.faults import BREAKS, DONE, Budgets, Fault, Faults
from greyhub.conformance.testkit.azureml.identity import Application, Identity
from greyhub.conformance.testkit.azureml.rights import Rights


@dataclass
class Request:
    """A request as it came, and how it was answered."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    at: float = field(default_factory=time.time)
    status: int = 0
    """0 as long as it is not answered, or if it never was."""
    answer: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """What a handler is given."""

    names: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    application: Application

    @property
    def version(self) -> str:
        """The API version that was asked for."""
        return self.query["api-version"]


@dataclass
class Answer:
    """What a handler gives back."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """One operation of the API.

    Parameters
    ----------
    method, path : str
        The path with names in braces; case is ignored, as Azure does.
    action : str
        The right that it takes; none if empty.
    handler : callable
        Answers it.
    sent, answered : str
        Official types of the bodies; none if empty.
    query : mapping
        Parameters of the query that are required, with a pattern each.
    any_version : bool
        It is another service's, with versions of its own.
    """

    method: str
    path: str
    action: str
    handler: Callable[[Call], Answer]
    sent: str = ""
    answered: str = ""
    query: dict[str, str] = field(default_factory=dict)
    any_version: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The names in the path, if it is this operation's."""
        if method != self.method:
            return None
        found = _pattern(self.path).fullmatch(path.rstrip("/"))
        return found.groupdict() if found else None


class Arm:
    """Answers requests by the operations it is given.

    Parameters
    ----------
    identity, rights : Identity, Rights
        Who may ask for what.
    versions : collection
        API versions that are served.
    own_faults : list
        Takes what is wrong in an answer of its own.
    """

    def __init__(
        self,
        identity: Identity,
        rights: Rights,
        versions: Iterable[str],
        own_faults: list[Exception],
    ) -> None:
        self.identity, self.rights, self.versions = identity, rights, tuple(versions)
        self.routes: list[Route] = []
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.own_faults = own_faults
        self.faults, self.budgets = Faults(), Budgets()
        self.over = asyncio.Event()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, or do with it what a fault says."""
        body = (await request.read()).decode()
        query, headers = dict(request.query), dict(request.headers)
        seen = Request(request.method, request.path, query, headers, body)
        self.requests.append(seen)
        fault = self.faults.take(seen.method, seen.path)
        if fault and fault.kind in ("hang", "reset"):
            if fault.kind == "hang":
                await self.over.wait()
            return self._cut(request)
        answer = self._answer(seen, fault)
        if fault and fault.kind == "lost":
            return self._cut(request)
        if fault and fault.kind == "late":
            await self._wait(fault.seconds)
        text = "" if answer.body is None else json.dumps(answer.body)
        answer.headers |= {"x-ms-request-id": str(uuid.uuid4()), "Cache-Control": "no-cache"}
        if "x-ms-client-request-id" in request.headers:
            answer.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        seen.status, seen.answer, seen.answer_headers = answer.status, text, answer.headers
        return web.Response(
            status=answer.status,
            text=text,
            content_type="application/json",
            charset="utf-8",
            headers=answer.headers,
        )

    @web.middleware
    async def meddle(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> web.StreamResponse:
        """Where tokens are given out, faults whose path says so come true as well."""
        fault = None
        if request.match_info.handler != self.serve:
            fault = self.faults.take(request.method, request.path, named=True)
        if fault is None:
            return cast(web.StreamResponse, await handler(request))
        if fault.kind == "late":
            await self._wait(fault.seconds)
            return cast(web.StreamResponse, await handler(request))
        if fault.kind == "hang":
            await self.over.wait()
        if fault.kind in BREAKS:
            return self._cut(request)
        refusal = fault.refusal()
        said = {"error": "temporarily_unavailable", "error_description": refusal.message}
        return web.json_response(said, status=refusal.status, headers=refusal.headers)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)

    def _cut(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _answer(self, seen: Request, fault: Fault | None) -> Answer:
        headers: dict[str, str] = {}
        try:
            application = self.identity.bearer(seen.headers.get("Authorization", ""))
            headers = self.budgets.spend(seen.method)
            if fault and fault.kind not in DONE:
                raise fault.refusal()
            route, names = self._route(seen)
            if route.action:
                self.rights.demand(route.action, application.object_id, seen.path)
            answer = route.handler(Call(names, seen.query, self._body(route, seen), application))
            self._own(route.answered, answer.body, f"{seen.method} {seen.path}")
        except ArmError as error:
            answer = Answer(error.status, error.body(), dict(error.headers))
            self._own("ErrorResponse", answer.body, f"{seen.method} {seen.path}")
        except Exception as error:
            self.own_faults.append(error)
            answer = Answer(500, ArmError(500, "SimulatorFailed", repr(error)).body())
        answer.headers = headers | answer.headers
        return answer

    def _route(self, seen: Request) -> tuple[Route, dict[str, str]]:
        for route in self.routes:
            if (names := route.match(seen.method, seen.path)) is not None:
                self._versioned(seen, r"\d{4}-\d\d-\d\d(-preview)?" if route.any_version else "")
                return route, names
        raise self._violation(seen, [f"there is no operation {seen.method} {seen.path}"], 404)

    def _versioned(self, seen: Request, pattern: str) -> None:
        version = seen.query.get("api-version", "")
        served = re.fullmatch(pattern, version) if pattern else version in self.versions
        if not served:
            said = f"the api-version is {version!r}; served: {', '.join(self.versions)}"
            raise self._violation(seen, [said])

    def _body(self, route: Route, seen: Request) -> dict[str, Any]:
        wrong = [
            f"the query's {name} is {seen.query.get(name)!r}, which does not match {pattern}"
            for name, pattern in route.query.items()
            if not re.fullmatch(pattern, seen.query.get(name, ""))
        ]
        body: Any = None
        if seen.body:
            try:
                body = json.loads(seen.body)
            except ValueError as error:
                wrong.append(f"the body is no JSON: {error}")
        if route.sent and not wrong:
            wrong += facts.problems(route.sent, body, sent=True)
        elif body not in (None, {}):
            wrong.append(f"{seen.method} takes no body")
        if wrong:
            raise self._violation(seen, wrong)
        return body if isinstance(body, dict) else {}

    def _violation(self, seen: Request, wrong: list[str], status: int = 400) -> ArmError:
        self.violations += [f"{seen.method} {seen.path}: {each}" for each in wrong]
        error = bad_request("; ".join(wrong))
        error.status = status
        return error

    def _own(self, kind: str, body: Any, what: str) -> None:
        """An answer that breaks the official types is the simulator's own mistake."""
        wrong = facts.problems(kind, body, sent=False) if kind else []
        if wrong:
            self.own_faults.append(AssertionError(f"the answer to {what}: {'; '.join(wrong)}"))
