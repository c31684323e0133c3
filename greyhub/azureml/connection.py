"""Requests to Azure Resource Manager: with a token, repeated while it is away or throttles."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from greyhub.azureml.budget import KINDS, Budget, retry_after
from greyhub.azureml.credentials import BUSY, credential, no_token
from greyhub.azureml.errors import AzureMLError, Unavailable
from greyhub.azureml.refusals import refusal
from greyhub.azureml.settings import OPTION, AzureML
from greyhub.errors import ConfigError

ATTEMPT: Final = 40.0
"""Seconds that one request may take."""

LONGEST_PAUSE: Final = 10.0
"""Seconds between two attempts, at most, unless Azure asks for more."""

LONGEST_WAIT: Final = 600.0
"""Seconds for which a change waits, at most, because Azure throttles."""


class Answer(NamedTuple):
    """What Azure answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Connection:
    """Azure Resource Manager, as one workspace's adapters ask it.

    It is opened by the first request, and belongs to the event loop of that.
    """

    def __init__(self, settings: AzureML) -> None:
        self.settings, self.cloud = settings, settings.endpoints
        self.budget = Budget()
        self.skew: float | None = None
        """Seconds by which Azure's clock is ahead of this machine's; None before an answer."""
        self._client: Any = None
        self._credential: Any = None
        self._session: Any = None

    def _open(self) -> Any:
        if self._client is not None:
            return self._client
        import aiohttp
        from azure.core.pipeline import policies
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.mgmt.core import AsyncARMPipelineClient
        from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

        self.settings.check()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted(self.settings.ca_bundle)),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
            auto_decompress=False,
            middlewares=(_once,),
        )
        transport = AioHttpTransport(session=self._session, session_owner=False)
        self._credential = credential(self.settings, transport)
        self._client = AsyncARMPipelineClient(
            base_url=self.cloud.resource_manager,
            transport=transport,
            policies=[
                policies.RequestIdPolicy(),
                policies.UserAgentPolicy("greyhub"),
                AsyncARMChallengeAuthenticationPolicy(self._credential, self.cloud.scope),
                policies.SensitiveHeaderCleanupPolicy(),
            ],
        )
        return self._client

    async def close(self) -> None:
        """End its connections; the next request opens it anew."""
        client, held, session = self._client, self._credential, self._session
        self._client = self._credential = self._session = None
        for each in (held, client, session):
            if each is not None:
                await each.close()

    async def request(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        lost: Callable[[], Awaitable[Answer | None]] | None = None,
    ) -> Answer:
        """Ask, again while Azure does not answer, is busy or throttles.

        Parameters
        ----------
        method : str
            Such as ``PUT``. It may be asked again although Azure has done it.
        path : str
            Below the resource manager, or a whole URL there.
        doing : str
            What is asked for, in words that go on from "Azure cannot".
        body : Any
            What is sent, as JSON.
        params : Mapping[str, str]
            The query; a URL has its own already.
        lost : callable
            Asked before a repetition, when a reply was lost: the answer that stands for it,
            or None to ask again.

        Raises
        ------
        Unavailable
            No answer came in that time.
        NotFound, Refused
            It answered, and asking again would not help.
        """
        kind = KINDS.get(method, "writes")
        until, pause, throttled = time.monotonic() + self.settings.patience, 0.2, 0.0
        while True:
            wait = self.budget.wait(kind)
            if wait > 0:
                if kind != "reads" and throttled + wait <= LONGEST_WAIT:
                    throttled, until = throttled + wait, until + wait
                if time.monotonic() + wait > until:
                    raise Unavailable(f"Azure throttles: it cannot {doing} yet", retry_after=wait)
                await asyncio.sleep(wait)
                continue  # others waited for the same moment
            unknown, wait = "", 0.0
            try:
                async with self.budget.room(kind):
                    if self.budget.wait(kind) > 0:
                        continue  # since it began to queue, Azure throttles
                    self.budget.take(kind)
                    answer = await asyncio.wait_for(self._ask(method, path, body, params), ATTEMPT)
            except _Lost as problem:
                unknown = str(problem)
            except TimeoutError:
                unknown = f"no answer in {ATTEMPT:.0f} s"
            else:
                self.budget.note(answer.headers)
                if answer.status not in BUSY:
                    if answer.status >= 400:
                        raise refusal(answer.status, answer.body, doing)
                    return answer
                wait = retry_after(answer.headers)
                if answer.status == 429:
                    self.budget.pause(kind, max(wait, pause))
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                unknown = f"it answers {answer.status}"
            wait = max(wait, pause * random.uniform(0.5, 1.0))  # noqa: S311
            if time.monotonic() + wait > until:
                raise Unavailable(f"Azure cannot {doing}: {unknown}", retry_after=wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
            if lost is not None and (found := await lost()) is not None:
                return found

    async def _ask(
        self, method: str, path: str, body: Any, params: Mapping[str, str] | None
    ) -> Answer:
        """One request; `_Lost` if its reply is not had."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.core.rest import HttpRequest

        url = path if "://" in path else self.cloud.resource_manager + quote(path, safe="/%")
        if not self.cloud.owns(url):
            raise _elsewhere(url)
        client, query = self._open(), None if "://" in path else self._query(params)
        request = HttpRequest(method, url, params=query, json=body)
        try:
            answer = await client.send_request(request)
            text = answer.text() if answer.content else ""
        except ClientAuthenticationError as error:
            raise _settled(no_token(error, str(self.settings.credential))) from error
        except (AzureError, OSError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unavailable(
                    f"{self.cloud.resource_manager} has a certificate that is not trusted here",
                    f"let {OPTION}.ca_bundle name the certificate of who signed it",
                ) from error
            raise _Lost(f"{self.cloud.resource_manager}: {_words(error)}") from error
        self._set_clock(answer.headers.get("Date"))
        return Answer(answer.status_code, _parsed(text), answer.headers)

    def _query(self, params: Mapping[str, str] | None) -> dict[str, str]:
        return {"api-version": self.settings.api_version, **(params or {})}

    def _set_clock(self, date: str | None) -> None:
        if date:
            self.skew = parsedate_to_datetime(date).timestamp() - time.time()


async def _once(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """Let aiohttp itself not repeat a request: it would make a PUT again without a look."""
    import aiohttp

    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


class _Lost(Exception):
    """Nothing is known of what became of a request."""


def _settled(error: AzureMLError) -> Exception:
    return _Lost(error.what) if isinstance(error, Unavailable) else error


def _elsewhere(url: str) -> AzureMLError:
    host = urlsplit(url).hostname
    return Unavailable(f"an answer refers to {host}, which is not asked: it is not Azure's here")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {"error": {"message": text[:200]}}


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def trusted(bundle: str) -> Any:
    """What certificates are taken: the system's, and those of a file."""
    import ssl

    context = ssl.create_default_context()
    if bundle:
        try:
            context.load_verify_locations(Path(bundle).expanduser())
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"the certificates cannot be read: {getattr(error, 'strerror', '') or error}",
                fix="name a file of certificates as PEM",
                where=f"{OPTION}.ca_bundle",
            ) from None
    return context
