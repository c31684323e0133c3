"""Open an Azure storage account, and say in words what it refuses.

adlfs takes what it is given by name; here the account is its URL, the certificate of which a
bundle of one's own may vouch for, and the credential may be the hub's.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from greyhub.errors import HomeError

WORDS: Final = {
    "AuthorizationPermissionMismatch": "this login has no right to these files: the account's "
    "administrator gives it a role, Storage Blob Data Contributor, or an entry of the "
    "directory's access control list; a new role counts after some minutes",
    "AuthorizationFailure": "the storage account refuses the request: its firewall does not "
    "admit this network, or a policy forbids it",
    "IpAuthorizationSourceIPMismatch": "the storage account's firewall does not admit this network",
    "InvalidAuthenticationInfo": "the storage account does not accept the token: it has ended, or "
    "is of another tenant than the account's",
    "AuthenticationFailed": "the storage account does not accept the token: it has ended, or is "
    "for another audience than storage",
    "NoAuthenticationInformation": "the storage account was asked without a login",
    "KeyBasedAuthenticationNotPermitted": "the storage account takes no keys: use a login",
    "AccountIsDisabled": "the storage account is disabled",
    "ContainerNotFound": "the container is not there: the administrator makes it, or the hub "
    "with c.AzureMLHomespace.make",
    "FilesystemNotFound": "the container is not there: the administrator makes it",
    "ContainerBeingDeleted": "the container is being deleted",
}
"""What Azure's codes mean for a home."""


def account_name(url: str) -> str:
    """The account of a URL: the first part of its host, or the path behind an address."""
    parts = urlsplit(url)
    return parts.path.strip("/") or (parts.hostname or "").partition(".")[0]


def code_of(error: Any) -> str:
    """The code of Azure's answer: its message repeats headers, the code holds no signature."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or getattr(error, "reason", "") or "")


def in_words(code: str, status: int | None) -> str:
    """A code of Azure's with its status, and what it means."""
    shown = f"{code or 'no answer'} ({status})" if status else code
    return f"{WORDS[code]}: {shown}" if code in WORDS else shown


def no_answer(error: BaseException) -> str:
    """Why a request came to no answer, without what an address holds."""
    from aiohttp import ClientConnectorCertificateError, ClientConnectorDNSError

    inner = getattr(error, "inner_exception", None) or error
    host = getattr(inner, "host", "the storage account")
    if isinstance(inner, ClientConnectorDNSError):
        return f"there is no host {host}: the storage account is not there, or has another name"
    if isinstance(inner, ClientConnectorCertificateError):
        return f"the certificate of {host} is not trusted: c.AzureMLHomespace.ca_bundle"
    return f"no answer: {type(error).__name__}"


def open_filesystem(options: Mapping[str, Any], **how: Any) -> Any:
    """An adlfs filesystem that is nobody else's.

    Parameters
    ----------
    options : mapping
        As adlfs takes them; with ``account_url``, also ``ca_bundle``, a file.
    """
    if "account_url" in options:
        return _by_url()(**options, **how)
    from adlfs import AzureBlobFileSystem

    return AzureBlobFileSystem(**options, **how, skip_instance_cache=True)


def trusting(bundle: str) -> dict[str, Any]:
    """Options of one of Azure's clients, so that it trusts a file of certificates; "" is none.

    Azure's clients would read the file anew for each request.

    Raises
    ------
    greyhub.errors.HomeError
        It cannot be read.
    """
    if not bundle:
        return {}
    from azure.core.pipeline.transport import AioHttpTransport

    try:
        trust = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise HomeError(
            f"the certificates in {bundle} cannot be read: {error.strerror or error}\n"
            "  fix: put the file of c.AzureMLHomespace.ca_bundle where every server can read it"
        ) from None

    class Transport(AioHttpTransport):  # type: ignore[misc]
        async def send(self, request: Any, **how: Any) -> Any:
            return await super().send(request, ssl=trust, **how)

    return {"transport": Transport()}


@cache
def _by_url() -> Any:
    from adlfs import AzureBlobFileSystem
    from azure.storage.blob.aio import BlobServiceClient

    class AccountFilesystem(AzureBlobFileSystem):  # type: ignore[misc]
        """The account of a URL."""

        cachable = False

        def __init__(self, account_url: str, ca_bundle: str = "", **options: Any) -> None:
            self.url, self.ca_bundle = account_url.rstrip("/"), ca_bundle
            super().__init__(account_name=account_name(account_url), **options)

        def do_connect(self) -> None:
            """No variable of the environment says where, or with which key."""
            self.account_url = self.url
            login = self.credential or self.account_key
            how = trusting(self.ca_bundle)
            self.service_client = BlobServiceClient(self.url, credential=login, **how)

    return AccountFilesystem
