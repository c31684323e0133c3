"""Azure's own libraries find in the simulator what they expect of Azure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import RequestIdPolicy
from azure.core.polling import AsyncLROPoller
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, CredentialUnavailableError
from azure.identity import aio as identity
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.core.polling.async_arm_polling import AsyncARMPolling

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.asking import instance


@pytest.fixture
def azure() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def options(azure: Simulator) -> dict[str, Any]:
    return {
        "authority": azure.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(azure.ca_bundle),
    }


class Client:
    """The official pipeline for the resource manager."""

    def __init__(self, azure: Simulator, credential: Any) -> None:
        self.azure = azure
        scope = f"{azure.endpoint}/.default"
        self.pipeline = AsyncARMPipelineClient(
            base_url=azure.endpoint,
            policies=[RequestIdPolicy(), AsyncARMChallengeAuthenticationPolicy(credential, scope)],
            connection_verify=str(azure.ca_bundle),
        )

    async def send(self, method: str, path: str = "", body: Any = None, **query: str) -> Any:
        request = HttpRequest(method, self.azure.url(path), json=body, params=query)
        return await self.pipeline.send_request(request, _return_pipeline_response=True)

    async def end(self, first: Any) -> Any:
        """The result of a long operation."""
        poller = AsyncLROPoller(
            self.pipeline,
            first,
            lambda response: response.http_response,
            AsyncARMPolling(0.05),
        )
        return await poller.result()


@pytest.fixture
async def client(azure: Simulator) -> AsyncIterator[Client]:
    credential = identity.ClientSecretCredential(
        azure.tenant, azure.client_id, azure.client_secret, **options(azure)
    )
    async with credential:
        made = Client(azure, credential)
        async with made.pipeline:
            yield made


async def test_long_operations_come_to_their_end(azure: Simulator, client: Client) -> None:
    path = "computes/ci-anna"
    await client.end(await client.send("PUT", path, instance()))
    assert azure.state("ci-anna") == "Running"
    for word, state in (("stop", "Stopped"), ("start", "Running"), ("restart", "Running")):
        await client.end(await client.send("POST", f"{path}/{word}"))
        assert azure.state("ci-anna") == state
    await client.end(await client.send("DELETE", path, underlyingResourceAction="Delete"))
    assert azure.instances() == {}
    assert not azure.violations


async def test_a_failed_operation_is_the_official_error(azure: Simulator, client: Client) -> None:
    azure.fail_next("create", "SetupFailed")
    with pytest.raises(HttpResponseError) as raised:
        await client.end(await client.send("PUT", "computes/ci-anna", instance()))
    assert "SetupFailed" in str(raised.value)


async def test_a_revoked_token_is_replaced_by_the_official_policy(
    azure: Simulator, client: Client
) -> None:
    await client.send("GET")
    azure.revoke_tokens()
    answer = await client.send("GET")
    assert answer.http_response.status_code == 200
    assert [each.status for each in azure.requests] == [200, 401, 200]


async def test_a_wrong_secret_is_refused(azure: Simulator) -> None:
    credential = identity.ClientSecretCredential(
        azure.tenant, azure.client_id, "wrong", **options(azure)
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(f"{azure.endpoint}/.default")


async def test_the_token_endpoint_fails_when_it_is_named(azure: Simulator) -> None:
    azure.fault("error")  # for the resource manager alone
    refused = azure.fault("unavailable", path="oauth2", times=100)
    credential = identity.ClientSecretCredential(
        azure.tenant, azure.client_id, azure.client_secret, retry_total=1, **options(azure)
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match="temporarily_unavailable"):
            await credential.get_token(f"{azure.endpoint}/.default")
        assert refused.hits == 2
        azure.heal()
        assert (await credential.get_token(f"{azure.endpoint}/.default")).token


def test_the_synchronous_library_reads_its_metadata(azure: Simulator) -> None:
    with ClientSecretCredential(
        azure.tenant, azure.client_id, azure.client_secret, **options(azure)
    ) as credential:
        assert credential.get_token(f"{azure.endpoint}/.default").token


async def test_a_federated_assertion_stands_for_the_secret(
    azure: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(azure.assertion())
    credential = identity.WorkloadIdentityCredential(
        tenant_id=azure.tenant,
        client_id=azure.client_id,
        token_file_path=str(file),
        **options(azure),
    )
    async with credential:
        client = Client(azure, credential)
        async with client.pipeline:
            assert (await client.send("GET")).http_response.status_code == 200
    file.write_text("forged")
    other = identity.WorkloadIdentityCredential(
        tenant_id=azure.tenant,
        client_id=azure.client_id,
        token_file_path=str(file),
        **options(azure),
    )
    async with other:
        with pytest.raises(ClientAuthenticationError, match="AADSTS700024"):
            await other.get_token(f"{azure.endpoint}/.default")


@pytest.mark.parametrize("place", ["managed_identity", "virtual_machine"])
async def test_a_managed_identity_is_found(
    azure: Simulator, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    for name, value in getattr(azure, place).items():
        monkeypatch.setenv(name, value)
    async with identity.ManagedIdentityCredential() as credential:
        client = Client(azure, credential)
        async with client.pipeline:
            assert (await client.send("GET")).http_response.status_code == 200
    async with identity.ManagedIdentityCredential(client_id="another") as other:
        with pytest.raises((ClientAuthenticationError, CredentialUnavailableError)):
            await other.get_token(f"{azure.endpoint}/.default")
