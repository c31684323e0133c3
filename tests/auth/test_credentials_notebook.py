"""What a notebook does with credentials: files, threads, coroutines, Dask workers."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import cloudpickle
import dask.base
import fsspec
import pytest

from greyhub import credentials
from greyhub.credentials import HubCredential
from greyhub.errors import CredentialError, CredentialRefused, CredentialUnavailable
from greyhub.session import Session
from greyhub.ticket import Ticket
from tests.auth.credentials import Server, later, nothing_held, served, store
from tests.auth.oidc import World, world
from tests.auth.test_oidc_refresh import refreshes
from tests.support.waiting import MINUTE

__all__ = ["nothing_held", "world"]


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Ada's server, which this process is."""
    world.provider.audiences = {"storage"}
    made = served(world, {"storage": {"audience": "storage"}, "own": {"source": "login"}})
    made.inside(monkeypatch)
    return made


@pytest.fixture
def hub() -> Session:
    return Session({"spawner": Ticket("spawner", "m:C", {"user": "ada"})})


def test_a_notebook_has_a_token_and_asks_again_when_half_of_its_time_is_over(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hub.token("storage")
    task = dask.base.tokenize(hub.credential("storage"))
    assert world.provider.holder(first, "storage")
    assert hub.credential("storage").values() == {"token": first}
    asked: list[str] = []
    true = credentials._ask
    monkeypatch.setattr(credentials, "_ask", lambda name: [asked.append(name), true(name)][1])
    later(monkeypatch, 140)
    assert hub.token("storage") == first
    assert asked == []
    later(monkeypatch, 160)
    assert hub.token("storage") != first
    assert asked == ["storage"]
    assert dask.base.tokenize(hub.credential("storage")) == task
    assert hub.credential("storage").expires_at > credentials.now() + 250


def test_threads_and_coroutines_ask_once(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    true = credentials._ask
    monkeypatch.setattr(credentials, "_ask", lambda name: [asked.append(name), true(name)][1])
    barrier = Barrier(8)

    def ask() -> str:
        barrier.wait(10)
        return hub.token("storage")

    with ThreadPoolExecutor(8) as pool:
        came = {each.result() for each in [pool.submit(ask) for _ in range(8)]}
    assert len(came) == 1
    assert asked == ["storage"]

    async def together() -> list[str]:
        one = hub.credential("own")
        return list(await asyncio.gather(*[one.async_token() for _ in range(8)]))

    assert len(set(asyncio.run(together()))) == 1
    assert asked == ["storage", "own"]


def test_azures_clients_take_it(server: Server, hub: Session) -> None:
    """As adlfs does, by azure-core's policy for tokens."""
    from azure.core.pipeline import PipelineContext, PipelineRequest
    from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
    from azure.core.rest import HttpRequest

    async def header() -> str:
        policy: Any = AsyncBearerTokenCredentialPolicy(hub.credential("storage"), "any/.default")
        request = PipelineRequest(HttpRequest("GET", "https://x.example"), PipelineContext(None))
        await policy.on_request(request)
        return str(request.http_request.headers["Authorization"])

    assert asyncio.run(header()) == f"Bearer {hub.token('storage')}"


def opened(url: str, credential: HubCredential) -> bytes:
    """The content of a file of the store, by fsspec."""

    async def authorized(request: Any, handler: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {await credential.async_token()}"
        return await handler(request)

    files = fsspec.filesystem(
        "http", client_kwargs={"middlewares": (authorized,)}, skip_instance_cache=True
    )
    content: bytes = files.cat_file(url)
    return content


def test_files_of_a_store_are_read_by_fsspec_also_after_the_tokens_end(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store(world, "storage") as url:
        credential = hub.credential("storage")
        assert opened(url, credential) == b"of ada"
        for grant in world.provider.grants:
            grant.access_ended = True
        later(monkeypatch, 301)
        assert opened(url, credential) == b"of ada"


def test_what_is_refused_is_said_in_words(server: Server, hub: Session) -> None:
    with pytest.raises(CredentialRefused, match="gives no credentials for 'un/known'\n  fix: you"):
        hub.token("un/known")
    user = server.hub.app.users["ada"]
    server.hub.run(lambda: user.save_auth_state(None))
    with pytest.raises(CredentialRefused, match="your login has ended"):
        hub.token("storage")


def test_an_outage_is_another_error_and_ends_nothing_that_is_good(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = pytest.raises(CredentialUnavailable, match="provider does not answer")
    with world.provider.fault("token", "unavailable"), away:
        hub.token("storage")
    first = hub.token("storage")
    server.hub.stop()
    later(monkeypatch, 200)
    assert hub.token("storage") == first
    later(monkeypatch, 301)
    with pytest.raises(CredentialUnavailable, match="hub does not answer about the credential"):
        hub.token("storage")


def test_a_platform_that_gives_none_says_so(
    world: World, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = world.hub()
    world.logged_in(plain)
    Server(plain, "ada").inside(monkeypatch)
    with pytest.raises(CredentialRefused, match=r"no credentials\n  fix: .*AuthAdapter"):
        hub.token("storage")


def test_a_key_is_no_token(hub: Session) -> None:
    credentials._held["ada", "bucket"] = credentials.Credential({"access_key_id": "x"}, 9e9)
    with pytest.raises(CredentialRefused, match="no token: it has access_key_id\n  fix: use hub"):
        hub.token("bucket")
    assert hub.credential("bucket").values() == {"access_key_id": "x"}


def test_what_is_pickled_is_the_short_lived_token_alone(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = hub.credential("storage")
    carried = pickle.dumps(credential)
    assert credential.token().encode() in carried
    secrets = [server.token, *(grant.refresh for grant in world.provider.grants)]
    assert not any(each.encode() in carried for each in secrets)
    assert copy.deepcopy({"a": credential})["a"] is credential
    assert credential.token() not in repr(credential)

    # On a worker: no token of the hub's, and another process.
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    token = credential.token()
    credentials._held.clear()
    arrived = pickle.loads(carried)
    assert arrived.token() == token
    later(monkeypatch, 290)
    assert arrived.token() == token
    later(monkeypatch, 301)
    with pytest.raises(CredentialError, match=r"has ended.*\n  fix: .*client\.run"):
        arrived.token()


@pytest.mark.processes
def test_dask_workers_use_what_comes_with_their_tasks(
    world: World, server: Server, hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from greyhub.clusters.local import LocalCluster

    credential = hub.credential("storage")
    with store(world, "storage") as url:
        cluster = LocalCluster.connect(TICKET, workers=1)
        with cluster, cluster.get_client() as client:
            assert client.submit(opened, url, credential, pure=False).result(MINUTE) == b"of ada"
            inside = client.run(lambda: dict(os.environ))
            values = "".join(value for each in inside.values() for value in each.values())
            assert server.token not in values
            old = credential.token()
            client.run(_age, 290)  # seconds: the worker's token is all but over
            later(monkeypatch, 290)
            assert client.submit(_token, credential, pure=False).result(MINUTE) != old
            # What was submitted before has the new one, too.
            assert set(client.run(_last).values()) == {credential.token()}
    assert len(refreshes(world)) == 2


def _token(credential: HubCredential) -> str:
    return credential.token()


def _age(seconds: float) -> None:
    import time

    credentials.now = lambda: time.time() + seconds


def _last() -> str:
    return HubCredential("ada", "storage").token()


TICKET = {
    "max_workers": 1,
    "threads_per_worker": 1,
    "memory_limit": "1 GiB",
    "idle_timeout": "20 minutes",
}

# Workers are other processes: they get these functions with their tasks.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
