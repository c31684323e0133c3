"""``c.AzureML``: which workspace, which cloud, and by whose rights. All its adapters read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from traitlets import Dict, Enum, Float, TraitError, Unicode, Union, validate
from traitlets.config import Configurable

from greyhub.azureml.clouds import CLOUDS, Cloud, cloud_of
from greyhub.errors import ConfigError
from greyhub.secret_references import SecretReference

CREDENTIALS: Final = ("managed-identity", "workload-identity", "service-principal", "developer")

OPTION: Final = "c.AzureML"


class AzureML(Configurable):
    """The workspace of Azure ML that a platform uses, and how the hub proves who it is."""

    subscription = Unicode(help="The id of the subscription that the workspace is in.").tag(
        config=True, example="00000000-0000-0000-0000-000000000000"
    )
    resource_group = Unicode(help="The resource group that the workspace is in.").tag(
        config=True, example="research"
    )
    workspace = Unicode(help="The name of the workspace.").tag(config=True, example="notebooks")
    cloud = Union(
        [Enum(tuple(CLOUDS)), Dict()],
        default_value="public",
        help="Which of Azure's clouds: ``public``, ``china`` or ``usgov``. Or the endpoints of "
        "another: ``resource_manager``, ``authority`` and ``storage``, the ending of its storage "
        "accounts' names.",
    ).tag(
        config=True,
        example={
            "resource_manager": "https://management.local.example.org",
            "authority": "https://login.example.org",
        },
    )
    credential = Enum(
        CREDENTIALS,
        default_value=None,
        allow_none=True,
        help="How the hub proves who it is. There is no default. ``managed-identity``: the "
        "identity of the machine, or the one of ``client_id``. ``workload-identity``: a pod's, by "
        "``token_file``. ``service-principal``: ``tenant_id``, ``client_id``, and "
        "``client_secret`` or ``client_certificate``. ``developer``: who is logged in by "
        "``az login``, for trying it out.",
    ).tag(config=True, example="managed-identity")
    tenant_id = Unicode(
        help="The tenant of the identity. A workload identity's has a default."
    ).tag(config=True, example="00000000-0000-0000-0000-000000000000")
    client_id = Unicode(
        help="The client id of the identity. A workload identity's has a default; a managed "
        "identity without one is the machine's own."
    ).tag(config=True, example="11111111-1111-1111-1111-111111111111")
    client_secret = Unicode(help="A service principal's secret, by reference.").tag(
        config=True, example=SecretReference(env="HUB_SECRET")
    )
    client_certificate = Unicode(
        help="A service principal's certificate with its private key, as PEM, by reference."
    ).tag(config=True, example=SecretReference(file="/run/secrets/hub.pem"))
    certificate_password = Unicode(help="What the private key is encrypted by, by reference.").tag(
        config=True, example=SecretReference(env="HUB_CERTIFICATE_PASSWORD")
    )
    token_file = Unicode(
        help="The file with a workload identity's token. By default the one that AKS names, and "
        "so are ``tenant_id`` and ``client_id``: ``AZURE_FEDERATED_TOKEN_FILE``, "
        "``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``."
    ).tag(config=True, example="/var/run/secrets/azure/tokens/azure-identity-token")
    api_version = Unicode(
        "2025-12-01", help="The version of the Azure ML REST API that is asked."
    ).tag(config=True)
    ca_bundle = Unicode(
        help="A file of certificates, as PEM, that are trusted besides the system's, where what "
        "ends TLS on the way to Azure is your own."
    ).tag(config=True, example="/etc/ssl/proxy.pem")
    poll_interval = Float(
        10.0,
        min=0.0,
        help="Seconds for which one list of the workspace's computes serves everybody who asks "
        "for it, and between two looks at what takes long.",
    ).tag(config=True)
    patience = Float(
        60.0,
        min=0.0,
        help="Seconds for which a request is repeated while Azure does not answer or is busy. "
        "What changes something waits longer where Azure throttles.",
    ).tag(config=True)
    tags = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Tags on everything that is made, besides those that name the hub, the user and the "
        "server.",
    ).tag(config=True, example={"cost-centre": "1234"})

    @validate("cloud")
    def _valid_cloud(self, proposal: Any) -> Any:
        try:
            cloud_of(proposal["value"])
        except ValueError as error:
            raise TraitError(str(error)) from None
        return proposal["value"]

    @property
    def endpoints(self) -> Cloud:
        """Where this cloud is asked."""
        return cloud_of(self.cloud)

    @property
    def scope(self) -> str:
        """The workspace's resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    def of_identity(self, name: str) -> str:
        """An option of the identity, or what AKS tells a pod with a workload identity."""
        given = str(getattr(self, name))
        if given or self.credential != "workload-identity":
            return given
        return os.environ.get(_OF_AKS[name], "")

    def problems(self) -> Iterator[ConfigError]:
        """What is missing, so that the workspace cannot be asked."""
        for name in ("subscription", "resource_group", "workspace"):
            if not getattr(self, name):
                yield _unset(name, f"the {name.replace('_', ' ')} is not set", "set it")
        if self.credential is None:
            fix = f"set it to one of {', '.join(CREDENTIALS)}"
            yield _unset("credential", "how the hub proves who it is was not chosen", fix)
        for name in _NEEDED.get(self.credential or "", ()):
            if not self.of_identity(name):
                yield _unset(name, f"a {self.credential} has none without it", "set it")
        proofs = [each for each in (self.client_secret, self.client_certificate) if each]
        if self.credential == "service-principal" and len(proofs) != 1:
            what = "a service-principal has either a secret or a certificate"
            fix = "set one of client_secret and client_certificate, by greyhub.secret"
            yield _unset("client_secret", what, fix)

    def check(self) -> None:
        """Raise the first of `problems`."""
        for problem in self.problems():
            raise problem


_OF_AKS: Final = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "token_file": "AZURE_FEDERATED_TOKEN_FILE",
}

_NEEDED: Final = {
    "workload-identity": ("tenant_id", "client_id", "token_file"),
    "service-principal": ("tenant_id", "client_id"),
}


def _unset(name: str, what: str, fix: str) -> ConfigError:
    return ConfigError(what, fix=fix, where=f"{OPTION}.{name}")
