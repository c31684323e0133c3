"""The fast client for Azure Blob Storage, with adlfs's address and credentials."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from greyhub.azureml.storage import SCOPE
from greyhub.homespace.sync.stores.obstore_client import ONCE, NeedsSDK, ObstoreClient, client, soon

FOREIGN: Final = ("AZURE_ENCRYPTION_KEY", "AZURE_STORAGE_USE_EMULATOR", "AZURE_SKIP_SIGNATURE")
"""Variables that mean nothing to adlfs and would mean something to obstore."""


def open_client(filesystem: Any, container: str, name: str, agent: str) -> ObstoreClient:
    """The same container as adlfs reaches it, or `NeedsSDK`."""
    service = filesystem.service_client
    if service.location_mode != "primary":
        raise NeedsSDK("location_mode")
    if any(variable in os.environ for variable in FOREIGN):
        raise NeedsSDK("a variable of the environment")
    endpoint, _, signature = service.primary_endpoint.partition("?")
    from obstore.store import AzureStore

    how: dict[str, Any] = {
        "account_name": service.account_name,
        "endpoint": endpoint.rstrip("/"),
        "use_emulator": False,
        "use_fabric_endpoint": False,
        "skip_signature": service.credential is None and not signature,
    }
    if not how["skip_signature"]:
        how["credential_provider"] = _Finder(filesystem, service.credential, signature)
    options: Any = client(endpoint, agent=agent)
    if bundle := getattr(filesystem, "ca_bundle", ""):
        options["root_certificate"] = Path(bundle).read_bytes()
    store = AzureStore(container, client_options=options, retry_config=ONCE, **how)  # type: ignore[arg-type]
    return ObstoreClient(store, name)


class _Finder:
    """The credentials as adlfs's client has them."""

    def __init__(self, filesystem: Any, credential: Any, signature: str) -> None:
        self.loop, self.credential, self.signature = filesystem.loop, credential, signature
        kinds = ("account_key", "signature", "get_token")
        if not signature and not any(hasattr(credential, kind) for kind in kinds):
            raise NeedsSDK(type(credential).__name__)

    def __call__(self) -> Any:
        if key := getattr(self.credential, "account_key", None):
            return {"access_key": key, "expires_at": None}
        if signature := self.signature or getattr(self.credential, "signature", ""):
            return {"sas_token": signature.lstrip("?"), "expires_at": soon()}
        asked = asyncio.run_coroutine_threadsafe(self.credential.get_token(SCOPE), self.loop)
        found = asked.result(60)
        return {"token": found.token, "expires_at": datetime.fromtimestamp(found.expires_on, UTC)}
