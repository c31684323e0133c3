"""Who the hub is to Azure: one of azure-identity's credentials, the one that was chosen."""

from __future__ import annotations

from typing import Any, Final

from greyhub.azureml.errors import AzureMLError, Refused, Unavailable
from greyhub.azureml.settings import OPTION, AzureML
from greyhub.errors import ConfigError

BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same request may be asked again."""


def credential(settings: AzureML, transport: Any) -> Any:
    """An asynchronous credential of azure-identity.

    Parameters
    ----------
    settings : AzureML
        Says which.
    transport : azure.core.pipeline.transport.AioHttpTransport
        By which tokens are asked for. Whoever opened it closes it.

    Raises
    ------
    greyhub.errors.ConfigError
        What it needs is not set, or cannot be read.
    """
    from azure.identity import aio

    settings.check()
    asking = {"transport": transport, "retry_total": 1}
    login = asking | {"authority": settings.endpoints.authority}
    tenant, client = settings.of_identity("tenant_id"), settings.of_identity("client_id")
    if settings.credential == "managed-identity":
        return aio.ManagedIdentityCredential(client_id=client or None, **asking)
    if settings.credential == "workload-identity":
        return aio.WorkloadIdentityCredential(
            tenant_id=tenant,
            client_id=client,
            token_file_path=settings.of_identity("token_file"),
            **login,
        )
    if settings.credential == "developer":
        return aio.AzureCliCredential(tenant_id=tenant)
    if settings.client_secret:
        return aio.ClientSecretCredential(tenant, client, settings.client_secret, **login)
    try:
        return aio.CertificateCredential(
            tenant,
            client,
            certificate_data=settings.client_certificate.encode(),
            password=settings.certificate_password or None,
            **login,
        )
    except ValueError:
        raise ConfigError(
            "this is no certificate with its private key, or the password is not its own",
            fix="give a PEM file that holds both, and certificate_password if the key has one",
            where=f"{OPTION}.client_certificate",
        ) from None


_FIXES: Final = {
    "AADSTS7000215": "give the secret's value, not its id, as c.AzureML.client_secret",
    "AADSTS7000222": "the secret has expired: make a new one for the application",
    "AADSTS700016": "correct c.AzureML.client_id, or tenant_id: the tenant has no such application",
    "AADSTS90002": "correct c.AzureML.tenant_id: there is no such tenant",
    "AADSTS700027": "register the certificate with the application, or give the one that is",
    "AADSTS700211": "let the application trust the issuer of c.AzureML.token_file",
    "AADSTS700213": "let the application trust the subject of c.AzureML.token_file",
    "AADSTS70021": "let the application trust the issuer and subject of c.AzureML.token_file",
    "AADSTS53003": "let the conditional access of the tenant admit the hub's application",
}
"""What to do by the code of Entra ID's error."""

_BY_KIND: Final = {
    "managed-identity": "give the machine an identity, or correct c.AzureML.client_id",
    "workload-identity": "look at the pod's service account and at the federated credential",
    "service-principal": "look at tenant_id, client_id and the secret of c.AzureML",
    "developer": "install the Azure CLI where the hub runs, and log in: az login",
}


def no_token(error: Any, kind: str) -> AzureMLError:
    """What it means that no token was given, by azure-core's ``ClientAuthenticationError``."""
    said = " ".join(str(getattr(error, "message", "") or error).split()).strip(". ")
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in BUSY:
        return Unavailable(f"Entra ID gives no token: it answers {status}")
    code = next((each for each in _FIXES if f"{each}:" in said), "")
    fix = _FIXES.get(code) or _BY_KIND.get(kind, "")
    return Refused("authentication", f"Azure gives the hub no token: {said}", fix, code)
