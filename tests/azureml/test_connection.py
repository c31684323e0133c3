"""Who the hub is to Azure, and what is sent where."""

from __future__ import annotations

import asyncio
import datetime
import gc
import warnings

import pytest

from greyhub.azureml.connection import Answer
from greyhub.azureml.errors import Refused, Unavailable
from greyhub.azureml.resources import Operation
from greyhub.azureml.workspace import Workspace
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.errors import ConfigError
from tests.azureml.conftest import asked, instance, settings_for
from tests.support.certificates import self_signed


async def test_a_service_principals_secret(azure, workspace):
    """Is sent where tokens are asked for, and nowhere else."""
    await workspace.finished(await workspace.create_compute("jupyter-a", instance()), 60)
    sent = "".join(f"{each.path}{each.headers}{each.body}" for each in azure.requests)
    assert azure.client_secret not in sent


async def test_a_workload_identity(azure, tmp_path, monkeypatch):
    """By the variables that AKS sets in a pod."""
    (tmp_path / "token").write_text(azure.assertion())
    monkeypatch.setenv("AZURE_TENANT_ID", azure.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", azure.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    none = {"tenant_id": "", "client_id": "", "client_secret": ""}
    workspace = Workspace(settings_for(azure, credential="workload-identity", **none))
    assert await workspace.computes() == {}
    await workspace.close()


@pytest.mark.parametrize("kind", ["managed_identity", "virtual_machine"])
async def test_a_managed_identity(azure, monkeypatch, kind):
    """Of a virtual machine, or of App Service."""
    for name, value in getattr(azure, kind).items():
        monkeypatch.setenv(name, value)
    options = {"credential": "managed-identity", "client_id": azure.identity.managed.client_id}
    workspace = Workspace(settings_for(azure, **options))
    assert await workspace.computes() == {}
    await workspace.close()


async def test_a_developers_login(azure, tmp_path, monkeypatch):
    """The Azure CLI's; it is asked for a token of this cloud."""
    expires = (datetime.datetime.now() + datetime.timedelta(hours=1)).isoformat(" ")
    (tmp_path / "answer").write_text(
        f'{{"accessToken": "{azure.token()}", "expiresOn": "{expires}", "tokenType": "Bearer"}}'
    )
    command = tmp_path / "az"
    command.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {tmp_path}/answer\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    workspace = Workspace(settings_for(azure, credential="developer"))
    assert await workspace.computes() == {}
    assert azure.endpoint in (tmp_path / "asked").read_text()
    await workspace.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"client_secret": "wrong"}, "give the secret's value"),
        ({"client_id": "wrong"}, "correct c.AzureML.client_id"),
        ({"tenant_id": "wrong"}, "correct c.AzureML.tenant_id"),
    ],
)
async def test_no_token_is_given(azure, options, said):
    """The words say what to correct, and the wrong secret is not among them."""
    workspace = Workspace(settings_for(azure, **options))
    with pytest.raises(Refused) as caught:
        await workspace.computes()
    assert caught.value.reason == "authentication"
    assert said in caught.value.fix
    assert "wrong" not in str(caught.value) or "client_secret" not in options
    await workspace.close()


async def test_a_certificate_with_its_key():
    """Anything else is a mistake of the file."""
    with Simulator(isolate=False) as azure:
        options = {"client_secret": "", "client_certificate": self_signed()[1].decode()}
        workspace = Workspace(settings_for(azure, **options))
        with pytest.raises(Refused):  # the simulator knows no certificate
            await workspace.computes()
        await workspace.close()
        options["client_certificate"] = "-----BEGIN CERTIFICATE-----"
        with pytest.raises(ConfigError, match="client_certificate"):
            await Workspace(settings_for(azure, **options)).computes()


async def test_a_token_that_is_revoked(azure, workspace):
    """Another one is asked for, as the challenge says."""
    await workspace.computes()
    azure.revoke_tokens()
    workspace.list.changed()
    assert await workspace.computes() == {}


async def test_a_certificate_that_is_not_trusted(azure):
    """Is told at once, with the option that mends it."""
    workspace = Workspace(settings_for(azure, ca_bundle=""))
    with pytest.raises(Unavailable, match="not trusted") as caught:
        await workspace.computes()
    assert "c.AzureML.ca_bundle" in caught.value.fix
    await workspace.close()


async def test_certificates_that_cannot_be_read(azure, tmp_path):
    """Are a mistake of the file."""
    with pytest.raises(ConfigError, match="ca_bundle"):
        await Workspace(settings_for(azure, ca_bundle=str(tmp_path / "none"))).computes()


async def test_nobody_answers():
    """It is not known what runs, and the list says so of itself."""
    azure = Simulator(isolate=False).start()
    workspace = Workspace(settings_for(azure, patience=0.1, poll_interval=0))
    await workspace.create_compute("jupyter-a", instance())
    await workspace.computes()
    azure.close()
    with pytest.raises(Unavailable, match="the last answer is") as caught:
        await workspace.computes()
    assert caught.value.age is not None
    assert "jupyter-a" in workspace.list.items
    for ask in (workspace.compute("jupyter-a"), workspace.stop("jupyter-a")):
        with pytest.raises(Unavailable):
            await ask
    await workspace.close()


async def test_an_answer_that_refers_elsewhere(azure, workspace):
    """No token is sent there."""
    await workspace.computes()
    with pytest.raises(Unavailable, match=r"refers to evil\.test"):
        await workspace.has_ended(Operation("x", "https://evil.test/operation"))


async def test_nothing_stays_open(azure):
    """When it is closed; and it may be opened again."""
    gc.collect()  # what other tests have left is none of this one's
    workspace = Workspace(settings_for(azure))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        await workspace.computes()
        await workspace.close()
        workspace.list.changed()
        await workspace.computes()
        await workspace.close()
        del workspace
        gc.collect()
    assert [str(each.message) for each in seen if "client" in str(each.message).lower()] == []


async def test_the_loop_goes_on_while_azure_does_not_answer(azure, workspace):
    """Others are served, and who waits may give up."""
    await workspace.computes()
    workspace.list.changed()
    met = azure.fault("hang", method="GET")
    waiting = asyncio.ensure_future(workspace.compute("jupyter-a"))
    await asyncio.to_thread(met.hit.wait, 60)
    assert await workspace.computes() == {}
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("body", [[], "text", None])
async def test_an_answer_that_is_no_object(azure, workspace, monkeypatch, body):
    """Is not taken for an operation that has ended badly."""

    async def answer(*_: object, **__: object) -> Answer:
        return Answer(202, body, {})

    monkeypatch.setattr(workspace.connection, "request", answer)
    assert await workspace.has_ended(Operation("x", azure.endpoint)) is False
    assert asked(azure, "GET") == 0
