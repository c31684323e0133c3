"""Azure storage accounts: their addresses, which certificates are trusted, and words for refusals.

Homes and data assets share it, in servers as well as in the hub.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from greyhub.errors import ConfigError

SCOPE: Final = "https://storage.azure.com/.default"
"""What a token is asked for, so that storage accounts take it: of every cloud."""

PROTOCOL: Final = "greyhubazure"
"""fsspec's name for `greyhub.azureml.storage_filesystem.AccountFilesystem`: letters alone, as
xarray takes any other for a path on a disk."""

ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
"""What Azure takes for an account's name."""

CONTAINER: Final = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""What Azure takes for a container's name."""

WORDS: Final = {
    "AuthorizationPermissionMismatch": "this login has no right to it; a new role counts after "
    "some minutes",
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
    "ContainerNotFound": "the container is not there",
    "FilesystemNotFound": "the container is not there",
    "ContainerBeingDeleted": "the container is being deleted",
}
"""What Azure's codes mean."""


def is_account_url(url: str) -> bool:
    """Whether an address can be an account's: of https, and nothing behind it."""
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme == "https" and bool(parts.hostname) and plain


def account_name(url: str) -> str:
    """The account of an address: the first part of its host, or the path behind it."""
    parts = urlsplit(url)
    return parts.path.strip("/") or (parts.hostname or "").partition(".")[0]


def code_of(error: Any) -> str:
    """The code of Azure's answer: its message repeats headers, the code holds no signature."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or getattr(error, "reason", "") or "")


def in_words(code: str, status: int | None, words: Mapping[str, str] = WORDS) -> str:
    """A code of Azure's with its status, and what it means."""
    shown = f"{code or 'no answer'} ({status})" if status else code
    return f"{words[code]}: {shown}" if code in words else shown


def no_answer(error: BaseException) -> str:
    """Why a request came to no answer, without what an address holds."""
    from aiohttp import ClientConnectorCertificateError, ClientConnectorDNSError

    inner = getattr(error, "inner_exception", None) or error
    host = getattr(inner, "host", "the storage account")
    if isinstance(inner, ClientConnectorDNSError):
        return f"there is no host {host}: the storage account is not there, or has another name"
    if isinstance(inner, ClientConnectorCertificateError):
        return f"the certificate of {host} is not trusted: the option ca_bundle names who vouches"
    return f"no answer: {type(error).__name__}"


def trusting(bundle: str) -> dict[str, Any]:
    """Options of one of Azure's clients, so that it trusts a file of certificates; "" is none.

    Azure's clients would read the file anew for each request.

    Raises
    ------
    greyhub.errors.ConfigError
        It cannot be read.
    """
    if not bundle:
        return {}
    from azure.core.pipeline.transport import AioHttpTransport

    try:
        trust = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise ConfigError(
            f"the certificates in {bundle} cannot be read: {error.strerror or error}",
            fix="put the file of the option ca_bundle where every server can read it",
        ) from None

    class Transport(AioHttpTransport):  # type: ignore[misc]
        async def send(self, request: Any, **how: Any) -> Any:
            return await super().send(request, ssl=trust, **how)

    return {"transport": Transport()}
