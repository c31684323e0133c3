"""Data assets by way of a real hub, a login, and the token of a real server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.provider import Person, Provider
from greyhub.data.azureml import AzureMLData
from greyhub.data.azureml_assets.listing import PATH
from greyhub.hub_api import ask
from tests.auth.hubs import hub_by, log_in
from tests.data.azureml.workspace import AssetHub, Workspace, options_for
from tests.homespace.azureml.account import SCOPE, Account, account, nothing_held, token
from tests.homespace.filesystem.conftest import ACCOUNT
from tests.support.hubs import Hub

__all__ = ["account"]

pytestmark = pytest.mark.processes


@pytest.fixture
def azure() -> Iterator[Simulator]:
    with Simulator(isolate=False) as made:
        yield made


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.audiences = {SCOPE}
    made.mint = lambda person, audience: token(3600, name=person.name)
    yield made
    made.close()


@pytest.fixture
def platform(
    provider: Provider, account: Account, azure: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    options = options_for(azure)
    monkeypatch.setenv("HUB_SECRET", options.pop("client_secret"))
    lines = "\n".join(f"c.AzureML.{name} = {value!r}" for name, value in options.items())
    config = f"""\
c.GreyHub.data = "azureml"
c.AuthAdapter.audiences = {{"storage": {{"scope": "{SCOPE}"}}}}
{lines}
c.AzureML.client_secret = greyhub.secret(env="HUB_SECRET")
c.AzureMLData.assets = ["rain"]
c.AzureMLData.datastores = ["lake"]
c.AzureMLData.account_urls = {{"{ACCOUNT}": "{account.url}"}}
c.AzureMLData.ca_bundle = "{account.authority.ca}"
"""
    with hub_by(provider, config) as made:
        yield made


def refused(url: str, token_: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Authorization": f"token {token_}"})
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request)
    return told.value.code, str(json.loads(told.value.read())["message"])


def test_a_server_reads_an_asset_by_its_users_login(
    platform: Hub,
    provider: Provider,
    account: Account,
    azure: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = Workspace(azure, account, AssetHub(), tmp_path)
    workspace.put("rain/a.csv", "mm\n3\n")
    for name in ("rain", "secret"):
        workspace.asset(name, "rain/a.csv")
    workspace.add_store("secret-store")
    assert log_in(platform, provider, Person("ada")) == "ada"
    platform.spawn("ada")
    variables = platform.environment("ada")
    for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.setenv(name, variables[name])
    with nothing_held():
        catalog = AzureMLData.connect(platform.ticket("ada", "data").data)
        assert list(catalog) == ["rain", "datastores/lake"]
        assert list(catalog["rain"].read()["mm"]) == [3]
        assert catalog["datastores/lake"].read().find("") == ["rain/a.csv"]

    url = f"{variables['JUPYTERHUB_API_URL']}/{PATH}"
    own = variables["JUPYTERHUB_API_TOKEN"]
    status, said = refused(f"{url}/secret", own)
    assert (status, "no data asset" in said) == (404, True)
    said = {"scopes": ["read:users:name!user=ada"]}
    less = platform.api("POST", "users/ada/tokens", json=said)["token"]
    for other in ("of-nobody", platform.token, less):
        assert refused(url, other)[0] == 403
    first = ask(PATH, 10)
    assert ask(PATH, 10, {"If-None-Match": first.tag}).status == 304
    assert azure.client_secret not in json.dumps(dict(variables))
    azure.check()
