"""c.AzureML: each choice is the administrator's, and what is missing is named."""

from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

import greyhub
from greyhub.azureml.clouds import CLOUDS, cloud_of
from greyhub.azureml.live_check import allowed
from greyhub.azureml.settings import AzureML

WORKSPACE = {"subscription": "s", "resource_group": "g", "workspace": "w"}


def missing(**options):
    """The options that problems are about."""
    return [each.where for each in AzureML(**WORKSPACE, **options).problems()]


def test_no_credential_is_guessed(monkeypatch):
    """Not by variables either, unless the choice is the one that they are for."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "x")
    assert missing() == ["c.AzureML.credential"]
    assert missing(credential="service-principal") == [
        "c.AzureML.tenant_id",
        "c.AzureML.client_id",
        "c.AzureML.client_secret",
    ]
    assert missing(credential="workload-identity") == []


def test_what_each_credential_needs(monkeypatch):
    """And no more than that."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    ids = {"tenant_id": "t", "client_id": "c"}
    assert missing(credential="managed-identity") == []
    assert missing(credential="developer") == []
    assert missing(credential="workload-identity", **ids) == ["c.AzureML.token_file"]
    assert missing(credential="service-principal", **ids, client_secret="s") == []
    both = {"client_secret": "s", "client_certificate": "p"}
    assert missing(credential="service-principal", **ids, **both) == ["c.AzureML.client_secret"]


def test_a_workspace_that_is_not_named():
    """Is told of before anything is asked."""
    with pytest.raises(greyhub.errors.ConfigError, match=r"c\.AzureML\.subscription") as caught:
        AzureML().check()
    assert "fix:" in str(caught.value)


def test_a_secret_is_given_by_reference(monkeypatch):
    """As every other secret of the file."""
    monkeypatch.setenv("HUB_SECRET", "hush")
    config = Config()
    config.AzureML.client_secret = greyhub.secret(env="HUB_SECRET")
    assert AzureML(config=config).client_secret == "hush"
    assert "hush" not in str(config)


def test_sovereign_clouds_have_their_own_endpoints():
    """By a word."""
    assert len({cloud.resource_manager for cloud in CLOUDS.values()}) == 3
    china = AzureML(cloud="china").endpoints
    assert china.scope == "https://management.chinacloudapi.cn/.default"
    assert china.storage == "core.chinacloudapi.cn"


@pytest.mark.parametrize(
    "cloud",
    [
        "germany",
        {},
        {"resource_manager": "http://arm", "authority": "https://login"},
        {"resource_manager": "https://arm"},
        {"resource_manager": "https://arm", "authority": "https://login", "gallery": "x"},
    ],
)
def test_a_cloud_that_cannot_be_asked_is_refused(cloud):
    """As the file is read."""
    with pytest.raises(TraitError):
        AzureML(cloud=cloud)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://arm.example.org/x", True),
        ("https://arm.example.org:443/x", True),
        ("https://west.arm.example.org/x", True),
        ("https://arm.example.org:8443/x", False),
        ("http://arm.example.org/x", False),
        ("https://arm.example.org.evil.test/x", False),
        ("https://evilarm.example.org/x", False),
        ("https://arm.example.org@evil.test/x", False),
    ],
)
def test_where_a_token_may_be_sent(url, owned):
    """To Azure Resource Manager, and nowhere else, whatever an answer refers to."""
    cloud = cloud_of({"resource_manager": "https://arm.example.org", "authority": "https://l.org"})
    assert cloud.owns(url) is owned


@pytest.mark.parametrize(
    ("actions", "without", "right"),
    [
        (["*"], [], True),
        (["Microsoft.MachineLearningServices/*"], [], True),
        (["Microsoft.MachineLearningServices/workspaces/*/write"], [], True),
        (["microsoft.machinelearningservices/WORKSPACES/computes/write"], [], True),
        (["*/read"], [], False),
        (["Microsoft.MachineLearningServices/workspaces/computes"], [], False),
        (["*"], ["Microsoft.MachineLearningServices/workspaces/computes/*"], False),
        (["*"], ["*/delete"], True),
        ([], [], False),
    ],
)
def test_what_permissions_allow(actions, without, right):
    """Patterns, without those that are taken away."""
    action = "Microsoft.MachineLearningServices/workspaces/computes/write"
    assert allowed(action, [{"actions": actions, "notActions": without}]) is right


def test_what_one_role_takes_away_another_may_give():
    """Azure adds roles up."""
    action = "Microsoft.MachineLearningServices/workspaces/computes/write"
    roles = [{"actions": ["*"], "notActions": ["*/write"]}, {"actions": [action]}]
    assert allowed(action, roles)
